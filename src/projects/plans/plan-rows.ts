import type { JsonObject } from '../../common/index';
import type { Plan, PlannedTask, PlanState, PlanWarning } from './plan';

/** What a model answered in one step of a planning. */
export type KeptAnswer = {
  readonly text: string;
  /** Catalog id. */
  readonly model: string;
  readonly finishReason: string | null;
};

/** The steps in which models are asked, in this order. */
export const ASK = 'ask';
export const REPAIR = 'repair';
export type PlanStep = typeof ASK | typeof REPAIR;

export interface PlanRow {
  readonly id: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly version: number;
  readonly state: PlanState;
  readonly summary: string | null;
  readonly tasks: readonly PlannedTask[] | null;
  readonly warnings: readonly PlanWarning[];
  readonly error: JsonObject | null;
  readonly answers: Readonly<Record<string, KeptAnswer>>;
  readonly model: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly approved_at: Date | null;
}

export const PLAN_COLUMNS = `id, project_id, user_id, version, state, summary, tasks, warnings, error, answers, model,
  created_at, updated_at, approved_at`;

export function toPlan(row: PlanRow): Plan {
  const last = row.answers[REPAIR] ?? row.answers[ASK];
  return Object.freeze({
    id: row.id,
    projectId: row.project_id,
    userId: row.user_id,
    version: row.version,
    state: row.state,
    summary: row.summary ?? undefined,
    tasks: row.tasks ?? [],
    warnings: row.warnings,
    error: row.error ?? undefined,
    rawText: row.state === 'failed' ? last?.text : undefined,
    model: row.model ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    approvedAt: row.approved_at ?? undefined,
  });
}

/** As lists show it: without what is long. */
export type ListedPlan = Omit<Plan, 'tasks' | 'warnings' | 'rawText' | 'error'> & {
  readonly taskCount: number;
  readonly warningCount: number;
};

export type ListedPlanRow = Omit<PlanRow, 'tasks' | 'warnings' | 'answers' | 'error'> & {
  readonly task_count: number;
  readonly warning_count: number;
};

export const LISTED_COLUMNS = `id, project_id, user_id, version, state, summary, model, created_at, updated_at, approved_at,
  coalesce(json_array_length(tasks), 0) as task_count, json_array_length(warnings) as warning_count`;

export function toListedPlan(row: ListedPlanRow): ListedPlan {
  const {
    tasks: _tasks,
    warnings: _warnings,
    ...rest
  } = toPlan({
    ...row,
    tasks: null,
    warnings: [],
    answers: {},
    error: null,
  });
  return Object.freeze({ ...rest, taskCount: row.task_count, warningCount: row.warning_count });
}
