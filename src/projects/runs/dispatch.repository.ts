import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CRASHED } from './failure';

export interface DispatchLimits {
  /** Tasks that run at once. */
  readonly inAll: number;
  readonly perOwner: number;
  /** Tasks that one call takes. */
  readonly batch: number;
}

export interface ClaimedTask {
  readonly id: string;
  readonly workflowId: string;
}

/** Where whoever made tasks ready tells the dispatchers of other processes. */
export const TASKS_CHANNEL = 'lattice_tasks';
export const WAKE_DISPATCHERS = `select pg_notify('${TASKS_CHANNEL}', '')`;

/** One dispatcher chooses at a time, so that the limits hold over all processes. */
const ALONE = `select pg_advisory_xact_lock(hashtextextended('lattice.dispatch', 0))`;

const HAS_WORK = `
  select exists (select from tasks t join project_runs r on r.id = t.run_id
      where t.state = 'ready' and r.status = 'running')
    or exists (select from tasks where state = 'waiting' and ready_at <= clock_timestamp()) as "hasWork"`;

const READY_AGAIN = `
  update tasks t set state = 'ready', waiting_for = null, ready_at = null, updated_at = clock_timestamp()
  from (select id from tasks where state = 'waiting' and ready_at <= clock_timestamp()
    order by id for update skip locked) due
  where t.id = due.id`;

/**
 * $1 at once in all, $2 per owner, $3 of one call. By priority; at the same priority whoever has the least under way is
 * next, so that owners take turns; then the oldest. Of the tasks that crashed together one is tried at a time.
 */
const CHOOSE = `
  with busy as (
    select user_id, count(*)::int as running from tasks where state = 'running' group by user_id
  ), suspect as (
    select t.id from tasks t join project_runs r on r.id = t.run_id left join busy b on b.user_id = t.user_id
    where t.error ->> 'code' = '${CRASHED}' and t.state in ('ready', 'running')
      and (t.state = 'running' or (r.status = 'running' and coalesce(b.running, 0) < $2))
    order by t.state = 'running' desc, t.priority desc, t.run_id, t.position limit 1
  ), owners as (
    select o.user_id, coalesce(b.running, 0) as running
    from (select distinct user_id from tasks where state = 'ready') o left join busy b on b.user_id = o.user_id
  )
  select own.id from owners o cross join lateral (
    select t.id, t.run_id, t.position, t.priority,
      o.running + row_number() over (order by t.priority desc, t.run_id, t.position) as load
    from tasks t join project_runs r on r.id = t.run_id and r.status = 'running'
    where t.user_id = o.user_id and t.state = 'ready'
      and (t.error ->> 'code' is distinct from '${CRASHED}' or t.id = (select id from suspect))
    order by t.priority desc, t.run_id, t.position
    limit greatest(0, least($3, $2 - o.running))
  ) own
  order by own.priority desc, own.load, own.run_id, own.position
  limit greatest(0, least($3, $1 - (select coalesce(sum(running), 0) from busy)))`;

const CLAIM = `
  with chosen as (
    select id from tasks where id = any($1::uuid[]) and state = 'ready' order by id for update skip locked
  ), claimed as (
    update tasks t set state = 'running', attempts = t.attempts + 1, updated_at = clock_timestamp(),
      workflow_id = t.id || ':' || (t.attempts + 1)
    from chosen where t.id = chosen.id returning t.id, t.workflow_id
  ) select id, workflow_id as "workflowId" from claimed`;

/** Which tasks are next. Acts for nobody: whose they are stands in their rows. */
@Injectable()
export class DispatchRepository {
  constructor(private readonly database: DataSource) {}

  /** One cheap question, for the quiet times. */
  async hasWork(): Promise<boolean> {
    const [row] = await this.database.query<{ hasWork: boolean }[]>(HAS_WORK);
    return row?.hasWork ?? false;
  }

  /**
   * Takes the next tasks and hands them to `start`, all in one transaction.
   * @returns how many
   */
  async claim(
    limits: DispatchLimits,
    start: (tx: EntityManager, tasks: readonly ClaimedTask[]) => Promise<void>,
  ): Promise<number> {
    return await this.database.transaction(async (tx) => {
      await tx.query(ALONE);
      await tx.query(READY_AGAIN);
      const { inAll, perOwner, batch } = limits;
      const chosen = await tx.query<{ id: string }[]>(CHOOSE, [inAll, perOwner, batch]);
      if (chosen.length === 0) return 0;
      const claimed = await tx.query<ClaimedTask[]>(CLAIM, [chosen.map(({ id }) => id)]);
      await start(tx, claimed);
      return claimed.length;
    });
  }
}
