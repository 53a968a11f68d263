/** One execution of a plan, or a fork of one. Ids are UUIDs. */
import type { TaskGraph } from '../plans/plan';

export const RUN_STATUSES = ['approved', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** What `RunGraphs.create` needs to turn a plan into the rows of a run. */
export interface NewRun {
  readonly projectId: string;
  readonly userId: string;
  readonly planId: string;
  readonly graph: TaskGraph;
}
