import type { JsonObject } from '../common/index';
import type { Project, ProjectStatus } from './project';

export interface ProjectRow {
  readonly id: string;
  readonly user_id: string;
  readonly name: string;
  readonly requirements: string;
  readonly status: ProjectStatus;
  readonly status_reason: JsonObject | null;
  readonly plan_id: string | null;
  readonly run_id: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const PROJECT_COLUMNS =
  'id, user_id, name, requirements, status, status_reason, plan_id, run_id, created_at, updated_at';

export function toProject(row: ProjectRow): Project {
  return Object.freeze({
    id: row.id,
    userId: row.user_id,
    name: row.name,
    requirements: row.requirements,
    status: row.status,
    statusReason: row.status_reason ?? undefined,
    planId: row.plan_id ?? undefined,
    runId: row.run_id ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  });
}

/** Of an UPDATE … RETURNING, which TypeORM answers with rows and their number. */
export function updatedRow(answer: unknown): ProjectRow | undefined {
  const [rows] = answer as [readonly ProjectRow[], number];
  return rows[0];
}
