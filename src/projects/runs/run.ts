/** One execution of a plan, or a fork of one. Ids are UUIDs. */
import type { TaskGraph } from '../plans/plan';
import type { TaskState } from '../project';
import type { PicoUsd } from '../../common/index';

export const RUN_STATUSES = ['approved', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const ENDED_STATUSES: readonly RunStatus[] = ['completed', 'failed', 'cancelled'];

/** What `RunGraphs.create` needs to turn a plan into the rows of a run. */
export interface NewRun {
  readonly projectId: string;
  readonly userId: string;
  readonly planId: string;
  readonly graph: TaskGraph;
}

/** Frozen. */
export interface Run {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly planId: string;
  /** 1 for the first of the project. */
  readonly number: number;
  readonly forkedFrom?: string;
  readonly status: RunStatus;
  /** The API key that started it. */
  readonly keyId?: string;
  readonly tasksTotal: number;
  /** Ended ones, however they ended. */
  readonly tasksDone: number;
  readonly tasksReused: number;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
}

export interface RunFigures {
  readonly tasks: Readonly<Partial<Record<TaskState, number>>>;
  readonly spentPicoUsd: PicoUsd;
}
