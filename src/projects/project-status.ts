/** The one place where the status of a project changes. */
import type { JsonObject, SqlExecutor } from '../common/index';
import { NEXT_STATUSES, type Project, type ProjectStatus } from './project';
import { PROJECT_COLUMNS, type ProjectRow, toProject, updatedRow } from './project-rows';
import { InvalidStatusError } from './projects.errors';

export interface StatusChange {
  /** Why; absent: the earlier reason no longer holds. */
  readonly reason?: JsonObject;
  /** The newest plan or run, where it changes with the status. UUIDs. */
  readonly planId?: string;
  readonly runId?: string;
}

const LOCK = `select ${PROJECT_COLUMNS} from projects where id = $1 for no key update`;
const MOVE = `
  update projects set status = $2, status_reason = $3, plan_id = coalesce($4, plan_id), run_id = coalesce($5, run_id),
    updated_at = clock_timestamp()
  where id = $1 returning ${PROJECT_COLUMNS}`;

/**
 * The project, which nobody else changes until the transaction ends; undefined: it was deleted. Whose it is was checked
 * before, or it is the process itself that asks. Comes before the locks of its plan, its run and their tasks.
 */
export async function lockProject(tx: SqlExecutor, id: string): Promise<Project | undefined> {
  const rows = (await tx.query(LOCK, [id])) as readonly ProjectRow[];
  return rows.map(toProject)[0];
}

/**
 * Changes the status of a project that the transaction has locked.
 * @throws InvalidStatusError when `NEXT_STATUSES` does not allow it
 */
export async function moveProject(
  tx: SqlExecutor,
  { id, status }: Project,
  next: ProjectStatus,
  { reason, planId, runId }: StatusChange = {},
): Promise<Project> {
  if (!NEXT_STATUSES[status].includes(next)) throw InvalidStatusError.ofProject(status, next);
  const parameters = [id, next, reason ? JSON.stringify(reason) : null, planId ?? null, runId ?? null];
  const row = updatedRow(await tx.query(MOVE, parameters));
  if (!row) throw new Error('A project that was locked is gone');
  return toProject(row);
}
