import { ApiProperty } from '@nestjs/swagger';
import { formatUsd, type JsonObject, toApiId } from '../../../common/index';
import { TASK_STATES, type TaskState } from '../../project';
import { EXIT_REASONS, type ExitReason, type Task, type TaskFigures, type WaitingFor } from '../task';

const ID = 'tsk_0192f0c1a2b37c4d8e5f60718293a4b5';
const NULLABLE_TIME = { type: String, format: 'date-time', nullable: true } as const;

/** A task in a list: everything but its output. */
export class ListedTaskDto {
  @ApiProperty({ type: String, example: ID })
  id: string;

  @ApiProperty({ type: String, example: 'prj_0192f0c1a2b37c4d8e5f60718293a4b5' })
  projectId: string;

  @ApiProperty({ type: String, example: 'run_0192f0c1a2b37c4d8e5f60718293a4b5' })
  runId: string;

  @ApiProperty({ type: 'integer', example: 0, description: 'In the plan.' })
  position: number;

  @ApiProperty({ type: String, example: 'Write the release notes' })
  title: string;

  @ApiProperty({ type: String })
  description: string;

  @ApiProperty({ type: String, example: 'writer' })
  agent: string;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'The model it names itself.' })
  model: string | null;

  @ApiProperty({ type: [String] })
  deliverables: readonly string[];

  @ApiProperty({ type: [String] })
  successCriteria: readonly string[];

  @ApiProperty({ type: Object, additionalProperties: true, example: {} })
  metadata: JsonObject;

  @ApiProperty({ type: 'integer', example: 4096 })
  maxTokens: number;

  @ApiProperty({ type: 'integer', example: 50 })
  priority: number;

  @ApiProperty({ type: [String], example: [], description: 'Ids of the tasks whose results it is given.' })
  dependsOn: string[];

  @ApiProperty({ enum: TASK_STATES, example: 'succeeded' })
  state: TaskState;

  @ApiProperty({
    enum: ['retry', 'answer'],
    nullable: true,
    example: null,
    description: 'Why it is `waiting`: `retry` until `readyAt`, or for a person’s `answer`.',
  })
  waitingFor: WaitingFor | null;

  @ApiProperty(NULLABLE_TIME)
  readyAt: string | null;

  @ApiProperty({ enum: EXIT_REASONS, nullable: true, example: 'completed' })
  exitReason: ExitReason | null;

  @ApiProperty({
    type: Object,
    additionalProperties: true,
    nullable: true,
    example: null,
    description: '`code` and `message` of the last failure.',
  })
  error: JsonObject | null;

  @ApiProperty({ type: 'integer', example: 1, description: 'Starts, those after a pause among them.' })
  attempts: number;

  @ApiProperty({ type: 'integer', example: 0, description: 'Tries after failures.' })
  retries: number;

  @ApiProperty({ type: 'integer', example: 1, description: 'Answers and tool results that are kept.' })
  steps: number;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '0.00042',
    description: 'Of this task in this run, failed tries among it. Null: a price was unknown.',
  })
  costUsd: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Catalog id of the model that answered last.' })
  answeredByModel: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'The user who gave the answer.' })
  answeredBy: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'The task of an earlier run whose result this is.',
  })
  reusedFrom: string | null;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  @ApiProperty(NULLABLE_TIME)
  startedAt: string | null;

  @ApiProperty(NULLABLE_TIME)
  completedAt: string | null;

  static from(task: Task, figures: TaskFigures): ListedTaskDto {
    return {
      id: toApiId('tsk', task.id),
      projectId: toApiId('prj', task.projectId),
      runId: toApiId('run', task.runId),
      position: task.position,
      ...wanted(task),
      dependsOn: figures.dependsOn.map((id) => toApiId('tsk', id)),
      ...standing(task),
      steps: figures.steps,
      costUsd: figures.costPicoUsd === undefined ? null : formatUsd(figures.costPicoUsd),
      answeredByModel: figures.answeredBy ?? null,
      answeredBy: task.answeredBy === undefined ? null : toApiId('usr', task.answeredBy),
      reusedFrom: task.reusedFrom === undefined ? null : toApiId('tsk', task.reusedFrom),
      createdAt: task.createdAt.toISOString(),
      startedAt: task.startedAt?.toISOString() ?? null,
      completedAt: task.completedAt?.toISOString() ?? null,
    };
  }
}

export class TaskDto extends ListedTaskDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Its result; of a task that did not succeed, what there was by then.',
  })
  output: string | null;

  static override from(task: Task, figures: TaskFigures): TaskDto {
    return Object.assign(new TaskDto(), ListedTaskDto.from(task, figures), { output: task.output ?? null });
  }
}

export class TaskPageDto {
  @ApiProperty({ type: [ListedTaskDto] })
  data: ListedTaskDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

function wanted(
  task: Task,
): Pick<ListedTaskDto, 'title' | 'description' | 'agent' | 'model' | 'metadata'> &
  Pick<ListedTaskDto, 'deliverables' | 'successCriteria' | 'maxTokens' | 'priority'> {
  const { title, description, agent, model, deliverables, successCriteria, metadata, maxTokens, priority } =
    task;
  return {
    title,
    description,
    agent,
    model: model ?? null,
    deliverables,
    successCriteria,
    metadata,
    maxTokens,
    priority,
  };
}

function standing(
  task: Task,
): Pick<ListedTaskDto, 'state' | 'waitingFor' | 'readyAt' | 'exitReason' | 'error' | 'attempts' | 'retries'> {
  const { state, waitingFor, readyAt, exitReason, error, attempts, retries } = task;
  return {
    state,
    waitingFor: waitingFor ?? null,
    readyAt: readyAt?.toISOString() ?? null,
    exitReason: exitReason ?? null,
    error: error ?? null,
    attempts,
    retries,
  };
}
