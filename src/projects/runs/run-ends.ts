import { Injectable } from '@nestjs/common';
import { type JsonObject, type SqlExecutor, toStorableJson } from '../../common/index';
import type { RunEvent } from './run-events';
import type { RunStatus } from './run';

const COUNT = `
  with changed as (
    update project_runs set tasks_done = tasks_done + $2 where id = $1 returning tasks_done, tasks_total, status
  ) select * from changed`;

const OUTCOMES = `
  select count(*) filter (where state = 'failed')::int as failed,
    count(*) filter (where state = 'cancelled')::int as cancelled,
    count(*) filter (where state = 'skipped')::int as skipped
  from tasks where run_id = $1`;

/** The project follows its newest run. */
const SET_STATUS = `
  with run as (
    update project_runs set status = $2,
      started_at = case when $2 = 'running' then coalesce(started_at, clock_timestamp()) else started_at end,
      ended_at = case when $2 in ('completed', 'failed', 'cancelled') then clock_timestamp() end
    where id = $1 returning id, project_id
  )
  update projects p set status = $2, status_reason = $3::json, updated_at = clock_timestamp()
  from run where p.id = run.project_id and p.run_id = run.id`;

interface Counted {
  readonly tasks_done: number;
  readonly tasks_total: number;
  readonly status: RunStatus;
}

interface Outcomes {
  readonly failed: number;
  readonly cancelled: number;
  readonly skipped: number;
}

/** The status of runs, and of the projects that follow them. The caller's transaction has locked the project. */
@Injectable()
export class RunEnds {
  /** So many more tasks have ended. When they were the last, the run ends: what to tell of that. */
  async count(tx: SqlExecutor, runId: string, ended: number): Promise<RunEvent | undefined> {
    const [run] = (await tx.query(COUNT, [runId, ended])) as Counted[];
    if (!run || run.tasks_done < run.tasks_total) return undefined;
    if (run.status !== 'running' && run.status !== 'paused') return undefined;
    return await this.end(tx, runId);
  }

  async setStatus(tx: SqlExecutor, runId: string, status: RunStatus, reason?: JsonObject): Promise<void> {
    await tx.query(SET_STATUS, [runId, status, reason ? toStorableJson(reason) : null]);
  }

  private async end(tx: SqlExecutor, runId: string): Promise<RunEvent> {
    const [outcomes] = (await tx.query(OUTCOMES, [runId])) as Outcomes[];
    const { failed = 0, cancelled = 0, skipped = 0 } = outcomes ?? {};
    if (failed + cancelled + skipped === 0) {
      await this.setStatus(tx, runId, 'completed');
      return { type: 'project.completed', what: 'All tasks succeeded' };
    }
    const message = `${failed} tasks failed, ${cancelled} were cancelled, ${skipped} were skipped`;
    await this.setStatus(tx, runId, 'failed', { code: 'TASKS_NOT_SUCCEEDED', message });
    return { type: 'project.failed', what: message, more: { failed, cancelled, skipped } };
  }
}
