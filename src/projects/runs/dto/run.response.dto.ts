import { ApiProperty } from '@nestjs/swagger';
import { formatUsd, toApiId } from '../../../common/index';
import { TaskSummaryDto } from '../../dto/project.response.dto';
import { type Run, RUN_STATUSES, type RunFigures, type RunStatus } from '../run';
import { progressOf } from '../run-progress';

const NULLABLE_TIME = { type: String, format: 'date-time', nullable: true } as const;

export class RunDto {
  @ApiProperty({ type: String, example: 'run_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' })
  projectId: string;

  @ApiProperty({ type: String, example: 'pln_0192f0c1a2b37c4d8e5f60718293a4b5' })
  planId: string;

  @ApiProperty({ type: 'integer', example: 1, description: '1 is the first of the project.' })
  number: number;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'The run that it is a fork of.' })
  forkedFrom: string | null;

  @ApiProperty({ enum: RUN_STATUSES, example: 'running' })
  status: RunStatus;

  @ApiProperty({ type: TaskSummaryDto })
  tasks: TaskSummaryDto;

  @ApiProperty({ type: 'integer', example: 0, description: 'Tasks whose results come from an earlier run.' })
  tasksReused: number;

  @ApiProperty({ type: String, example: '0.00042' })
  costUsd: string;

  @ApiProperty({ type: 'integer', minimum: 0, maximum: 100, example: 25 })
  percentDone: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: 45_000,
    description: 'As long per task as so far; null while nothing tells.',
  })
  estimatedRemainingMs: number | null;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty(NULLABLE_TIME)
  startedAt: string | null;

  @ApiProperty(NULLABLE_TIME)
  endedAt: string | null;

  static from(run: Run, figures: RunFigures, nowMs: number = Date.now()): RunDto {
    const elapsedMs = run.startedAt ? (run.endedAt?.getTime() ?? nowMs) - run.startedAt.getTime() : 0;
    return {
      id: toApiId('run', run.id),
      projectId: toApiId('prj', run.projectId),
      planId: toApiId('pln', run.planId),
      number: run.number,
      forkedFrom: run.forkedFrom === undefined ? null : toApiId('run', run.forkedFrom),
      status: run.status,
      tasks: TaskSummaryDto.of(figures),
      tasksReused: run.tasksReused,
      costUsd: formatUsd(figures.spentPicoUsd),
      ...progressOf({ ...run, elapsedMs }),
      createdAt: run.createdAt.toISOString(),
      startedAt: run.startedAt?.toISOString() ?? null,
      endedAt: run.endedAt?.toISOString() ?? null,
    };
  }
}

export class RunPageDto {
  @ApiProperty({ type: [RunDto] })
  data: RunDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}
