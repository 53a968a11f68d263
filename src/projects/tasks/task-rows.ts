/** Tasks as PostgreSQL keeps them. */
import type { JsonObject } from '../../common/index';
import type { TaskState } from '../project';
import type { ExitReason, Task, WaitingFor } from './task';

export interface TaskRow {
  readonly id: string;
  readonly run_id: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly position: number;
  readonly title: string;
  readonly description: string;
  readonly deliverables: readonly string[];
  readonly success_criteria: readonly string[];
  readonly agent: string;
  readonly model: string | null;
  readonly metadata: JsonObject;
  readonly max_tokens: number;
  readonly priority: number;
  readonly state: TaskState;
  readonly waiting_for: WaitingFor | null;
  readonly ready_at: Date | null;
  readonly attempts: number;
  readonly retries: number;
  readonly generation: number;
  readonly workflow_id: string | null;
  readonly exit_reason: ExitReason | null;
  readonly output: string | null;
  readonly error: JsonObject | null;
  readonly answered_by: string | null;
  readonly reused_from: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly started_at: Date | null;
  readonly completed_at: Date | null;
}

/** Of a table or alias `t`. */
export const TASK_COLUMNS = `t.id, t.run_id, t.project_id, t.user_id, t.position, t.title, t.description, t.deliverables,
  t.success_criteria, t.agent, t.model, t.metadata, t.max_tokens, t.priority, t.state, t.waiting_for, t.ready_at,
  t.attempts, t.retries, t.generation, t.workflow_id, t.exit_reason, t.output, t.error, t.answered_by, t.reused_from,
  t.created_at, t.updated_at, t.started_at, t.completed_at`;

export function toTask(row: TaskRow): Task {
  return Object.freeze({
    id: row.id,
    runId: row.run_id,
    projectId: row.project_id,
    userId: row.user_id,
    position: row.position,
    title: row.title,
    description: row.description,
    deliverables: row.deliverables,
    successCriteria: row.success_criteria,
    agent: row.agent,
    model: row.model ?? undefined,
    metadata: row.metadata,
    maxTokens: row.max_tokens,
    priority: row.priority,
    state: row.state,
    waitingFor: row.waiting_for ?? undefined,
    readyAt: row.ready_at ?? undefined,
    attempts: row.attempts,
    retries: row.retries,
    generation: row.generation,
    workflowId: row.workflow_id ?? undefined,
    exitReason: row.exit_reason ?? undefined,
    output: row.output ?? undefined,
    error: row.error ?? undefined,
    answeredBy: row.answered_by ?? undefined,
    reusedFrom: row.reused_from ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at ?? undefined,
    completedAt: row.completed_at ?? undefined,
  });
}
