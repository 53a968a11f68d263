import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { TASK_TYPES, type TaskType, toApiId } from '../../../common/index';
import { STRATEGIES, type Strategy } from '../../../scoring/index';
import {
  EXPERIMENT_STATUSES,
  type Experiment,
  type ExperimentStatus,
  STICKINESS,
  type Stickiness,
} from '../experiment';

export class ExperimentArmResponseDto {
  @ApiProperty({ type: String, example: 'cheap' })
  readonly name: string;

  @ApiProperty({ example: 1 })
  readonly weight: number;

  @ApiPropertyOptional({ enum: STRATEGIES, example: 'cheap' })
  readonly strategy?: Strategy;

  @ApiPropertyOptional({ type: String, description: 'Catalog id.' })
  readonly model?: string;

  @ApiPropertyOptional({ type: Number })
  readonly quality?: number;
}

export class ExperimentDto {
  @ApiProperty({ type: String, example: 'exp_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'cheap for everybody?' })
  name: string;

  @ApiProperty({
    enum: EXPERIMENT_STATUSES,
    example: 'draft',
    description: 'One per strategy runs at a time. What was stopped does not start again.',
  })
  status: ExperimentStatus;

  @ApiProperty({ enum: STRATEGIES, example: 'auto', description: 'Whose requests are split.' })
  strategy: Strategy;

  @ApiProperty({ enum: TASK_TYPES, isArray: true, nullable: true, example: null })
  taskTypes: TaskType[] | null;

  @ApiProperty({ enum: STICKINESS, example: 'key' })
  stickyBy: Stickiness;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.1 })
  share: number;

  @ApiProperty({ type: [ExperimentArmResponseDto] })
  arms: ExperimentArmResponseDto[];

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updatedAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  startedAt: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  stoppedAt: string | null;

  static from(experiment: Experiment): ExperimentDto {
    const { id, name, status, strategy, taskTypes, stickyBy, share, arms } = experiment;
    return {
      id: toApiId('exp', id),
      name,
      status,
      strategy,
      taskTypes: taskTypes ? [...taskTypes] : null,
      stickyBy,
      share,
      arms: [...arms],
      createdAt: experiment.createdAt.toISOString(),
      updatedAt: experiment.updatedAt.toISOString(),
      startedAt: experiment.startedAt?.toISOString() ?? null,
      stoppedAt: experiment.stoppedAt?.toISOString() ?? null,
    };
  }
}

export class ExperimentPageDto {
  @ApiProperty({ type: [ExperimentDto] })
  data: ExperimentDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}
