import { Injectable } from '@nestjs/common';
import { newId, type SqlExecutor, toStorableJson } from '../../common/index';
import type { NewRun, RunStatus } from './run';

/** The run of a plan that was approved. Ids are UUIDs. */
export interface ApprovedRun {
  readonly id: string;
  readonly projectId: string;
  readonly planId: string;
  readonly status: RunStatus;
  readonly tasks: number;
}

const ADD_RUN = `
  insert into project_runs (id, project_id, user_id, plan_id, number, tasks_total)
  select $1, $2, $3, $4, coalesce(max(number), 0) + 1, $5 from project_runs where project_id = $2`;

/** 5,000 tasks are one statement. */
const ADD_TASKS = `
  insert into tasks (id, run_id, project_id, user_id, position, title, description, deliverables, success_criteria,
    agent, model, metadata, max_tokens, priority, open_dependencies, state)
  select t.id, $1, $2, $3, t.position, t.title, t.description, t.deliverables, t."successCriteria",
    t.agent, t.model, coalesce(t.metadata, '{}'), t."maxTokens", t.priority, t.open,
    case t.open when 0 then 'ready' else 'blocked' end
  from json_to_recordset($4::json) as t (id uuid, position integer, title text, description text, deliverables json,
    "successCriteria" json, agent text, model text, metadata json, "maxTokens" integer, priority integer, open integer)`;

/** Of one statement. */
const DEPENDENCIES_AT_ONCE = 10_000;
const ADD_DEPENDENCIES = `
  insert into task_dependencies (task_id, depends_on) select * from unnest($1::uuid[], $2::uuid[])`;

const DISCARD_TASKS = `
  update tasks set state = 'cancelled', exit_reason = 'cancelled', waiting_for = null, ready_at = null,
    completed_at = clock_timestamp(), updated_at = clock_timestamp()
  where run_id = $1 and state not in ('succeeded', 'failed', 'cancelled', 'skipped')`;
const DISCARD_RUN = `
  update project_runs set status = 'cancelled', ended_at = clock_timestamp()
  where id = $1 and status = 'approved' and started_at is null
  returning id`;
/** Forks of it have a run that they come from. */
const OF_PLAN = `
  select id, project_id as "projectId", plan_id as "planId", status, tasks_total as tasks
  from project_runs where plan_id = $1 and forked_from is null order by number limit 1`;

/** Plans as rows: runs, their tasks and what these wait for. The caller's transaction holds the lock of the project. */
@Injectable()
export class RunGraphs {
  /** A run that is approved and has not begun. Its UUID. */
  async create(tx: SqlExecutor, { projectId, userId, planId, graph }: NewRun): Promise<string> {
    const runId = newId();
    const ids = graph.tasks.map(() => newId());
    const tasks = graph.tasks.map(({ dependsOn, ...task }, position) => {
      return { ...task, id: ids[position], position, open: dependsOn.length };
    });
    await tx.query(ADD_RUN, [runId, projectId, userId, planId, tasks.length]);
    await tx.query(ADD_TASKS, [runId, projectId, userId, toStorableJson(tasks)]);
    const edges = graph.tasks.flatMap(({ dependsOn }, position) =>
      dependsOn.map((other) => [ids[position], ids[other]] as const),
    );
    for (let next = 0; next < edges.length; next += DEPENDENCIES_AT_ONCE) {
      const slice = edges.slice(next, next + DEPENDENCIES_AT_ONCE);
      await tx.query(ADD_DEPENDENCIES, [slice.map(([task]) => task), slice.map(([, other]) => other)]);
    }
    return runId;
  }

  /** The run that approving the plan made. */
  async ofPlan(tx: SqlExecutor, planId: string): Promise<ApprovedRun | undefined> {
    const [run] = (await tx.query(OF_PLAN, [planId])) as ApprovedRun[];
    return run;
  }

  /** Ends a run that was approved and never began, for another to take its place. */
  async discardUnbegun(tx: SqlExecutor, runId: string): Promise<void> {
    const [discarded] = (await tx.query(DISCARD_RUN, [runId])) as [readonly unknown[], number];
    if (discarded.length > 0) await tx.query(DISCARD_TASKS, [runId]);
  }
}
