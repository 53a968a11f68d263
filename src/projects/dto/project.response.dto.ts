import { ApiProperty } from '@nestjs/swagger';
import { formatUsd, type JsonObject, toApiId } from '../../common/index';
import {
  type Project,
  PROJECT_STATUSES,
  type ProjectFigures,
  type ProjectStatus,
  TASK_STATES,
  type TaskState,
} from '../project';

const COUNT = { type: 'integer', example: 0 } as const;

/** Tasks of the newest run, by state. */
export class TaskSummaryDto implements Record<TaskState, number> {
  @ApiProperty({ ...COUNT, example: 4 })
  total: number;

  @ApiProperty(COUNT)
  blocked: number;

  @ApiProperty(COUNT)
  ready: number;

  @ApiProperty(COUNT)
  running: number;

  @ApiProperty(COUNT)
  waiting: number;

  @ApiProperty({ ...COUNT, example: 4 })
  succeeded: number;

  @ApiProperty(COUNT)
  failed: number;

  @ApiProperty(COUNT)
  cancelled: number;

  @ApiProperty(COUNT)
  skipped: number;

  static of({ tasks }: Pick<ProjectFigures, 'tasks'>): TaskSummaryDto {
    const counts = TASK_STATES.map((state) => [state, tasks[state] ?? 0] as const);
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    return Object.assign(new TaskSummaryDto(), { total }, Object.fromEntries(counts));
  }
}

export class ProjectSummaryDto {
  @ApiProperty({ type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({ type: String, example: 'A small shop' })
  name: string;

  @ApiProperty({
    enum: PROJECT_STATUSES,
    example: 'planned',
    description: 'draft → planning → planned → approved → running ⇄ paused → completed, failed or cancelled.',
  })
  status: ProjectStatus;

  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    example: null,
    description: 'Why it failed, or why there is no plan: code and message.',
  })
  statusReason: JsonObject | null;

  @ApiProperty({ type: String, nullable: true, example: '5', description: 'Null: none of its own.' })
  budgetUsd: string | null;

  @ApiProperty({ type: String, example: '0.0132', description: 'Booked so far, plans included. Exact.' })
  spentUsd: string;

  @ApiProperty({ type: TaskSummaryDto })
  tasks: TaskSummaryDto;

  @ApiProperty({ type: String, nullable: true, example: 'pln_0192f0c1a2b37c4d8e5f60718293a4b5' })
  planId: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'Of the newest run.' })
  runId: string | null;

  @ApiProperty({ type: String, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5', description: 'Whose it is.' })
  userId: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time' })
  updatedAt: string;

  static summary(project: Project, figures: ProjectFigures): ProjectSummaryDto {
    const { planId, runId, budgetPicoUsd } = { ...project, ...figures };
    return {
      id: toApiId('prj', project.id),
      name: project.name,
      status: project.status,
      statusReason: project.statusReason ?? null,
      budgetUsd: budgetPicoUsd === undefined ? null : formatUsd(budgetPicoUsd),
      spentUsd: formatUsd(figures.spentPicoUsd),
      tasks: TaskSummaryDto.of(figures),
      planId: planId === undefined ? null : toApiId('pln', planId),
      runId: runId === undefined ? null : toApiId('run', runId),
      userId: toApiId('usr', project.userId),
      createdAt: project.createdAt.toISOString(),
      updatedAt: project.updatedAt.toISOString(),
    };
  }
}

export class ProjectDto extends ProjectSummaryDto {
  @ApiProperty({ type: String, example: 'A web shop for hand-made soap: ten products, a basket.' })
  requirements: string;

  static of(project: Project, figures: ProjectFigures): ProjectDto {
    const { requirements } = project;
    return Object.assign(new ProjectDto(), ProjectSummaryDto.summary(project, figures), { requirements });
  }
}

export class ProjectPageDto {
  @ApiProperty({ type: [ProjectSummaryDto], description: 'Without their requirements.' })
  data: ProjectSummaryDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}
