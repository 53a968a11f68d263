import type { JsonObject } from '../../common/index';
import type { ProjectStatus } from '../project';
import type { WorkActor } from '../work-context';

export const PLAN_STATES = ['planning', 'ready', 'failed', 'approved', 'superseded'] as const;
export type PlanState = (typeof PLAN_STATES)[number];

/** A task as a planner model or a person wrote it. `dependsOn` holds indexes (from 0) or titles of other tasks. */
export interface PlannedTask {
  readonly title: string;
  readonly description: string;
  readonly agent: string;
  readonly model?: string;
  readonly deliverables: readonly string[];
  readonly successCriteria: readonly string[];
  readonly dependsOn: readonly (number | string)[];
  readonly priority: number;
  readonly maxTokens: number;
  readonly metadata?: JsonObject;
}

export const MAX_PLAN_TASKS = 5000;
export const MAX_PLAN_SUMMARY = 10_000;
/** Of one task, as they are written. */
export const MAX_TASK_DEPENDENCIES = 1000;
/** Of all tasks of a plan together, as they are written. */
export const MAX_PLAN_DEPENDENCIES = 50_000;
/** Kept in a plan; one more counts the rest. */
export const MAX_PLAN_WARNINGS = 1000;

/** Of a task whose `dependsOn` may still be anything that a model or a person wrote. */
export type DraftTask = Omit<PlannedTask, 'dependsOn'> & { readonly dependsOn: readonly unknown[] };

export const WARNING_CODES = [
  'DUPLICATE_DEPENDENCY',
  'UNKNOWN_DEPENDENCY',
  'AMBIGUOUS_DEPENDENCY',
  'SELF_DEPENDENCY',
  'INVALID_DEPENDENCY',
  'MORE_WARNINGS',
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

/** A dependency that was left out. Stands in the plan and must be confirmed at its approval. */
export interface PlanWarning {
  readonly code: WarningCode;
  /** Title of the task; empty where they are counted. */
  readonly task: string;
  /** What was written; of `MORE_WARNINGS` their number. */
  readonly value: string;
  readonly message: string;
}

/** What a planning was asked for, as its row keeps it. */
export type PlanningRequest = {
  readonly actor: WorkActor;
  /** Catalog id, bare name or strategy; absent: the installation's planner model. */
  readonly model?: string;
  readonly instructions?: string;
  readonly maxTasks: number;
  /** Of the project before; it gets it back when no plan comes of it. */
  readonly from: ProjectStatus;
  /** Why it was so. */
  readonly fromReason?: JsonObject;
};

/** Ids are UUIDs. Frozen. */
export interface Plan {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  /** 1 for the first plan of the project. */
  readonly version: number;
  readonly state: PlanState;
  readonly summary?: string;
  readonly tasks: readonly PlannedTask[];
  readonly warnings: readonly PlanWarning[];
  /** `{code, message, details?}` of a planning that failed. */
  readonly error?: JsonObject;
  /** What the model wrote last, where no plan could be made of it. */
  readonly rawText?: string;
  /** Catalog id of the model that wrote it. */
  readonly model?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly approvedAt?: Date;
}

/** A plan as a graph: `dependsOn` holds positions in `tasks`, each once, without cycles. */
export interface TaskGraph {
  readonly tasks: readonly (Omit<PlannedTask, 'dependsOn'> & { readonly dependsOn: readonly number[] })[];
  readonly warnings: readonly PlanWarning[];
}
