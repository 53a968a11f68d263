import type { OwnedResource } from '../auth/index';
import type { JsonObject, PicoUsd } from '../common/index';

export const PROJECT_STATUSES = [
  'draft',
  'planning',
  'planned',
  'approved',
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
] as const;
export type ProjectStatus = (typeof PROJECT_STATUSES)[number];

/** Project, plan, run and task as REST guards them. */
export const PROJECT: OwnedResource = { prefix: 'prj', name: 'project', table: 'projects' };
export const PLAN: OwnedResource = { prefix: 'pln', name: 'plan', table: 'plans' };
export const TASK: OwnedResource = { prefix: 'tsk', name: 'task', table: 'tasks' };

/** Streams of one project at once, over all processes. */
export const MAX_FOLLOWERS = 10;

/** Ids are UUIDs. Frozen. */
export interface Project {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly requirements: string;
  readonly status: ProjectStatus;
  /** Why it failed, was paused or cancelled: `{code, message}`. */
  readonly statusReason?: JsonObject;
  /** The newest plan that was made; not one that is being made, or that failed. */
  readonly planId?: string;
  /** The newest run. */
  readonly runId?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Tasks of the newest run, and what the project has cost so far. */
export interface ProjectFigures {
  readonly tasks: Readonly<Partial<Record<TaskState, number>>>;
  readonly spentPicoUsd: PicoUsd;
  /** The limit of the budget of its own; undefined: only those of its owner bind it. */
  readonly budgetPicoUsd?: PicoUsd;
}

export const TASK_STATES = [
  'blocked',
  'ready',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const TERMINAL_STATES: readonly TaskState[] = ['succeeded', 'failed', 'cancelled', 'skipped'];

/** What may follow what; everything else is refused with 409 `INVALID_STATUS`. */
export const NEXT_STATUSES: Readonly<Record<ProjectStatus, readonly ProjectStatus[]>> = {
  draft: ['planning', 'cancelled'],
  // A planning that fails leaves the project as it was; nothing is approved meanwhile.
  planning: ['planned', 'draft', 'approved', 'completed', 'failed', 'cancelled'],
  planned: ['planning', 'approved', 'cancelled'],
  approved: ['planning', 'running', 'cancelled'],
  running: ['paused', 'completed', 'failed', 'cancelled'],
  paused: ['running', 'cancelled'],
  completed: ['approved', 'running', 'planning'],
  failed: ['approved', 'running', 'planning'],
  cancelled: ['approved', 'running', 'planning'],
};
