import { Injectable } from '@nestjs/common';
import { newId, type SqlExecutor } from '../../common/index';
import type { GraphTask } from './fork-graph';
import type { Run } from './run';

const TASKS = `
  select t.id, t.state, coalesce(array_agg(d.depends_on) filter (where d.depends_on is not null), '{}') as "dependsOn"
  from tasks t left join task_dependencies d on d.task_id = t.id where t.run_id = $1
  group by t.id, t.state, t.position order by t.position`;

const ADD_RUN = `
  insert into project_runs (id, project_id, user_id, plan_id, number, forked_from, tasks_total, tasks_done, tasks_reused)
  select $1, project_id, user_id, plan_id,
    (select max(number) + 1 from project_runs m where m.project_id = r.project_id), id, tasks_total, $3, $3
  from project_runs r where id = $2`;
const FOLLOW = `
  update projects set run_id = $2, status = 'approved', status_reason = null, updated_at = clock_timestamp()
  where id = $1`;

/** $2 old ids, $3 new ids, $4 is the result reused?, $5 how many dependencies are still to be done. */
const ADD_TASKS = `
  insert into tasks (id, run_id, project_id, user_id, position, title, description, deliverables, success_criteria,
    agent, model, metadata, max_tokens, priority, open_dependencies, state, exit_reason, output, answered_by,
    reused_from, started_at, completed_at)
  select n.new_id, $1, t.project_id, t.user_id, t.position, t.title, t.description, t.deliverables, t.success_criteria,
    t.agent, t.model, t.metadata, t.max_tokens, t.priority, n.open,
    case when n.is_reused then 'succeeded' when n.open = 0 then 'ready' else 'blocked' end,
    case when n.is_reused then t.exit_reason end, case when n.is_reused then t.output end,
    case when n.is_reused then t.answered_by end, case when n.is_reused then coalesce(t.reused_from, t.id) end,
    case when n.is_reused then t.started_at end, case when n.is_reused then t.completed_at end
  from unnest($2::uuid[], $3::uuid[], $4::boolean[], $5::integer[]) as n (old_id, new_id, is_reused, open)
  join tasks t on t.id = n.old_id`;

const ADD_DEPENDENCIES = `
  insert into task_dependencies (task_id, depends_on)
  select task.new_id, other.new_id from task_dependencies d
  join unnest($1::uuid[], $2::uuid[]) as task (old_id, new_id) on task.old_id = d.task_id
  join unnest($1::uuid[], $2::uuid[]) as other (old_id, new_id) on other.old_id = d.depends_on`;

/** Runs as graphs, and copies of them. The caller's transaction has locked the project. */
@Injectable()
export class ForkRepository {
  /** In the order of the plan. */
  async graphOf(tx: SqlExecutor, runId: string): Promise<readonly GraphTask[]> {
    return (await tx.query(TASKS, [runId])) as GraphTask[];
  }

  /** A run that is approved, with the results of the reused tasks. Its UUID. */
  async copy(
    tx: SqlExecutor,
    { id, projectId }: Run,
    tasks: readonly GraphTask[],
    reused: ReadonlySet<string>,
  ): Promise<string> {
    const runId = newId();
    const oldIds = tasks.map((task) => task.id);
    const newIds = tasks.map(() => newId());
    await tx.query(ADD_RUN, [runId, id, reused.size]);
    await tx.query(ADD_TASKS, [
      runId,
      oldIds,
      newIds,
      tasks.map((task) => reused.has(task.id)),
      tasks.map(({ dependsOn }) => dependsOn.filter((other) => !reused.has(other)).length),
    ]);
    await tx.query(ADD_DEPENDENCIES, [oldIds, newIds]);
    await tx.query(FOLLOW, [projectId, runId]);
    return runId;
  }
}
