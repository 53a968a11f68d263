import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  type JsonObject,
  newId,
  type RequestContext,
  type SqlExecutor,
  toStorableJson,
} from '../../common/index';
import {
  type KeptAnswer,
  LISTED_COLUMNS,
  type ListedPlan,
  type ListedPlanRow,
  PLAN_COLUMNS,
  type PlanRow,
  toListedPlan,
  toPlan,
} from './plan-rows';
import type { Plan, PlannedTask, PlanningRequest, PlanWarning } from './plan';

/** What a person or a model made of a plan. */
export interface PlanContent {
  readonly summary: string;
  readonly tasks: readonly PlannedTask[];
  readonly warnings: readonly PlanWarning[];
}

/** A planning in the middle of its work. */
export interface OpenPlanning {
  readonly plan: Plan;
  readonly asked: PlanningRequest;
  readonly answers: Readonly<Record<string, KeptAnswer>>;
}

/** One that has not ended, and what carries it out now. */
export interface PlanningRun {
  /** UUIDs. */
  readonly planId: string;
  readonly projectId: string;
  /** Of the durable run. */
  readonly workflowId: string;
}

/** The caller's, or anyone's for an administrator. */
const VISIBLE = '($1 or user_id = $2)';

const FIND = `select ${PLAN_COLUMNS} from plans where ${VISIBLE} and id = $3`;
const LIST = `
  select ${LISTED_COLUMNS} from plans
  where ${VISIBLE} and project_id = $3 and ($4::int is null or version < $4)
  order by version desc limit $5`;
const LOCK = `select ${PLAN_COLUMNS} from plans where id = $1 for no key update`;
const OPEN = `select ${PLAN_COLUMNS}, asked from plans where id = $1 and state = 'planning'`;
const ADD = `
  insert into plans (id, project_id, user_id, version, state, asked, workflow_id)
  select $1, $2, $3, coalesce(max(version), 0) + 1, 'planning', $4, $5 from plans where project_id = $2`;
const GO_ON_AS = `update plans set workflow_id = $2 where id = $1 and state = 'planning' returning id`;
const KEEP = `
  update plans set answers = (answers::jsonb || jsonb_build_object($2::text, $3::jsonb))::json, model = $4
  where id = $1 and state = 'planning'`;
const FILL = `
  update plans set state = $5, summary = $2, tasks = $3, warnings = $4, error = null, updated_at = clock_timestamp()
  where id = $1`;
const FAIL = `update plans set state = 'failed', error = $2, updated_at = clock_timestamp() where id = $1`;
const APPROVE = `
  update plans set state = 'approved', approved_at = clock_timestamp(), updated_at = clock_timestamp() where id = $1`;
const SUPERSEDE = `
  update plans set state = 'superseded', updated_at = clock_timestamp()
  where project_id = $1 and state = any($2) and id <> $3`;
const RECENT = `
  select started_at from planning_starts
  where user_id = $1 and started_at > clock_timestamp() - interval '1 minute' order by started_at desc limit $2`;
const UNDER_WAY = `select count(*)::int as count from plans where user_id = $1 and state = 'planning'`;
const COUNT = 'insert into planning_starts (plan_id, user_id) values ($1, $2)';
const FORGET_STARTS = `
  delete from planning_starts where user_id = $1 and started_at <= clock_timestamp() - interval '1 minute'`;
const RUN_COLUMNS = 'id as "planId", project_id as "projectId", workflow_id as "workflowId"';
const LEFT = `
  select ${RUN_COLUMNS} from plans where state = 'planning' and created_at < clock_timestamp() - make_interval(secs => $1)
  order by created_at limit 100`;
const PLANNINGS = `
  select ${RUN_COLUMNS} from plans where project_id = $1 and state = 'planning'
  order by version desc`;
const CARRIED_OUT_BY = `
  select id from plans where id = $1 and workflow_id = $2 and state = 'planning' for no key update`;
/** Plannings of one user begin one after the other, in all processes. */
const TAKE_TURN = `select pg_advisory_xact_lock(hashtextextended('planning of ' || $1, 0))`;

/** Plans as rows. What acts for a caller filters by owner; what acts inside a locked project or a planning does not. */
@Injectable()
export class PlansRepository {
  constructor(private readonly database: DataSource) {}

  async find(
    ctx: RequestContext,
    id: string,
    executor: SqlExecutor = this.database,
  ): Promise<Plan | undefined> {
    const rows = (await executor.query(FIND, [...viewer(ctx), id])) as PlanRow[];
    return rows.map(toPlan)[0];
  }

  /** Newest first. */
  async list(
    ctx: RequestContext,
    projectId: string,
    { limit, beforeVersion }: { readonly limit: number; readonly beforeVersion?: number },
  ): Promise<ListedPlan[]> {
    const parameters = [...viewer(ctx), projectId, beforeVersion ?? null, limit];
    return (await this.database.query<ListedPlanRow[]>(LIST, parameters)).map(toListedPlan);
  }

  /** After the lock of its project. */
  async lock(tx: SqlExecutor, id: string): Promise<Plan | undefined> {
    const rows = (await tx.query(LOCK, [id])) as PlanRow[];
    return rows.map(toPlan)[0];
  }

  /** Undefined: it has ended, or was deleted. */
  async open(id: string, executor: SqlExecutor = this.database): Promise<OpenPlanning | undefined> {
    const [row] = (await executor.query(OPEN, [id])) as (PlanRow & { asked: PlanningRequest })[];
    return row && { plan: toPlan(row), asked: row.asked, answers: row.answers };
  }

  /** The next version of the project's plans, which is being made by a run of the same id. Its UUID. */
  async add(tx: SqlExecutor, projectId: string, userId: string, asked: PlanningRequest): Promise<string> {
    const id = newId();
    await tx.query(ADD, [id, projectId, userId, toStorableJson(asked), id]);
    await tx.query(COUNT, [id, userId]);
    return id;
  }

  /** Another run carries the planning out from now on. False: it has ended. */
  async goOnAs(tx: SqlExecutor, id: string, workflowId: string): Promise<boolean> {
    const [moved] = (await tx.query(GO_ON_AS, [id, workflowId])) as [readonly unknown[], number];
    return moved.length > 0;
  }

  /** What a model wrote in a step, so that it is never bought again. */
  async keep(tx: SqlExecutor, id: string, step: string, answer: KeptAnswer): Promise<void> {
    await tx.query(KEEP, [id, step, toStorableJson(answer), answer.model]);
  }

  async fill(
    tx: SqlExecutor,
    id: string,
    { summary, tasks, warnings }: PlanContent,
    state: 'ready' | 'superseded' = 'ready',
  ): Promise<void> {
    const stored = [summary, toStorableJson(tasks), toStorableJson(warnings)];
    await tx.query(FILL, [id, ...stored, state]);
  }

  async fail(tx: SqlExecutor, id: string, error: JsonObject): Promise<void> {
    await tx.query(FAIL, [id, toStorableJson(error)]);
  }

  async approve(tx: SqlExecutor, id: string): Promise<void> {
    await tx.query(APPROVE, [id]);
  }

  /** Other plans of the project in one of these states give way to this one. */
  async supersede(tx: SqlExecutor, { id, projectId }: Plan, states: readonly Plan['state'][]): Promise<void> {
    await tx.query(SUPERSEDE, [projectId, states, id]);
  }

  /**
   * When the plannings of the last minute began, newest first, those of deleted projects, too; nobody begins another one
   * until the transaction ends.
   */
  async recent(tx: SqlExecutor, userId: string, limit: number): Promise<Date[]> {
    await tx.query(TAKE_TURN, [userId]);
    await tx.query(FORGET_STARTS, [userId]);
    const rows = (await tx.query(RECENT, [userId, limit])) as { started_at: Date }[];
    return rows.map(({ started_at }) => started_at);
  }

  /** Plannings of a user that have not ended, those that wait, too. Exact after `recent`. */
  async underWay(tx: SqlExecutor, userId: string): Promise<number> {
    const [row] = (await tx.query(UNDER_WAY, [userId])) as { count: number }[];
    return row?.count ?? 0;
  }

  /** Those that began that long ago and have not ended. */
  async leftSince(seconds: number): Promise<PlanningRun[]> {
    return await this.database.query<PlanningRun[]>(LEFT, [seconds]);
  }

  /** Still so, until the transaction ends? After the lock of its project. */
  async isCarriedOutBy(tx: SqlExecutor, { planId, workflowId }: PlanningRun): Promise<boolean> {
    return ((await tx.query(CARRIED_OUT_BY, [planId, workflowId])) as unknown[]).length > 0;
  }

  /** Those of a project that have not ended, newest first. */
  async planningsOf(projectId: string, executor: SqlExecutor = this.database): Promise<PlanningRun[]> {
    return (await executor.query(PLANNINGS, [projectId])) as PlanningRun[];
  }
}

function viewer({ principal }: RequestContext): [isAdmin: boolean, userId: string] {
  return [principal.role === 'admin', principal.userId];
}
