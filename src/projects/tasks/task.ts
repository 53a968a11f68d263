import type { AgentTask } from '../../agents/index';
import type { JsonObject, PicoUsd } from '../../common/index';
import type { TaskState } from '../project';

/** Why a task ended as it did. */
export const EXIT_REASONS = [
  'completed',
  /** The answer was cut at the task's max tokens; it counts as a result, unless there was none yet. */
  'max_tokens',
  'budget',
  'timeout',
  /** The model went on calling tools for longer than its agent may. */
  'max_rounds',
  /** The same tool failed twice in a row. */
  'tool_failed',
  'retries',
  'error',
  /** Its process died with it three times. */
  'crashed',
  'cancelled',
  /** Something that it depends on did not succeed. */
  'dependency',
] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

/** After these, the kept answers would only lead to the same end again: a retry begins anew. */
export const DEAD_ENDS: readonly ExitReason[] = ['max_rounds', 'tool_failed'];

export const OPEN_STATES: readonly TaskState[] = ['blocked', 'ready', 'running', 'waiting'];

/** `retry`: until `readyAt`; `answer`: of a person. Neither holds a slot. */
export type WaitingFor = 'retry' | 'answer';

/** Ids are UUIDs. Frozen. */
export interface Task extends AgentTask {
  readonly id: string;
  readonly runId: string;
  readonly projectId: string;
  readonly userId: string;
  /** In the plan, from 0. */
  readonly position: number;
  readonly state: TaskState;
  readonly waitingFor?: WaitingFor;
  readonly readyAt?: Date;
  /** Starts; also those after a pause. */
  readonly attempts: number;
  /** Tries after failures. */
  readonly retries: number;
  readonly generation: number;
  readonly workflowId?: string;
  readonly exitReason?: ExitReason;
  readonly output?: string;
  /** `{code, message}` of the last failure. */
  readonly error?: JsonObject;
  /** User who gave the output. */
  readonly answeredBy?: string;
  /** The task of an earlier run whose result this is. */
  readonly reusedFrom?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly startedAt?: Date;
  readonly completedAt?: Date;
}

/** What is left out stays as it is. */
export type TaskChange = Partial<Omit<AgentTask, 'model'>> & { readonly model?: string | null };

/** What stands elsewhere about a task. */
export interface TaskFigures {
  /** UUIDs. */
  readonly dependsOn: readonly string[];
  /** Answers and tool results that are kept. */
  readonly steps: number;
  /** Sum of its usage lines; undefined when a price was unknown. */
  readonly costPicoUsd?: PicoUsd;
  /** Catalog id of the model that answered last. */
  readonly answeredBy?: string;
}
