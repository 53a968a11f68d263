import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RequestContext, SqlExecutor } from '../../common/index';
import type { TaskState } from '../project';
import type { Run, RunFigures, RunStatus } from './run';

interface RunRow {
  readonly id: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly plan_id: string;
  readonly number: number;
  readonly forked_from: string | null;
  readonly status: RunStatus;
  readonly key_id: string | null;
  readonly tasks_total: number;
  readonly tasks_done: number;
  readonly tasks_reused: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

export interface RunQuery {
  readonly limit: number;
  /** Only earlier ones than this number. */
  readonly before?: number;
}

const COLUMNS = `r.id, r.project_id, r.user_id, r.plan_id, r.number, r.forked_from, r.status, r.key_id, r.tasks_total,
  r.tasks_done, r.tasks_reused, r.created_at, r.started_at, r.ended_at`;
const VISIBLE = '($1 or r.user_id = $2)';

const FIND = `select ${COLUMNS} from project_runs r where ${VISIBLE} and r.id = $3`;
const LIST = `
  select ${COLUMNS} from project_runs r
  where ${VISIBLE} and r.project_id = $3 and ($4::integer is null or r.number < $4)
  order by r.number desc limit $5`;
const OPEN = `
  select ${COLUMNS} from project_runs r
  where ${VISIBLE} and r.project_id = $3 and r.status in ('approved', 'running', 'paused')`;
const STATES = `
  select run_id, state, count(*)::int as count from tasks where run_id = any($1::uuid[]) group by run_id, state`;
const SPENT = `
  select run_id, coalesce(sum(cost_pico_usd), 0)::text as pico from usage_lines
  where run_id = any($1::uuid[]) group by run_id`;

@Injectable()
export class RunRepository {
  constructor(private readonly database: DataSource) {}

  async find(
    ctx: RequestContext,
    id: string,
    executor: SqlExecutor = this.database,
  ): Promise<Run | undefined> {
    const rows = (await executor.query(FIND, [...viewer(ctx), id])) as RunRow[];
    return rows.map(toRun)[0];
  }

  /** Newest first. */
  async list(ctx: RequestContext, projectId: string, { limit, before }: RunQuery): Promise<Run[]> {
    const parameters = [...viewer(ctx), projectId, before ?? null, limit];
    return (await this.database.query<RunRow[]>(LIST, parameters)).map(toRun);
  }

  /** Those that have not ended. */
  async open(ctx: RequestContext, projectId: string, executor: SqlExecutor): Promise<Run[]> {
    return ((await executor.query(OPEN, [...viewer(ctx), projectId])) as RunRow[]).map(toRun);
  }

  /** Of all of them, in two queries. By UUID. */
  async figuresOf(runs: readonly Run[]): Promise<ReadonlyMap<string, RunFigures>> {
    const ids = runs.map(({ id }) => id);
    const [states, spent] = await Promise.all([
      this.database.query<{ run_id: string; state: TaskState; count: number }[]>(STATES, [ids]),
      this.database.query<{ run_id: string; pico: string }[]>(SPENT, [ids]),
    ]);
    const byRun = Map.groupBy(states, ({ run_id: runId }) => runId);
    const spentOf = new Map(spent.map(({ run_id: runId, pico }) => [runId, BigInt(pico)]));
    return new Map(
      ids.map((id) => {
        const tasks = Object.fromEntries((byRun.get(id) ?? []).map(({ state, count }) => [state, count]));
        return [id, { tasks, spentPicoUsd: spentOf.get(id) ?? 0n }];
      }),
    );
  }
}

function viewer({ principal }: RequestContext): [isAdmin: boolean, userId: string] {
  return [principal.role === 'admin', principal.userId];
}

function toRun(row: RunRow): Run {
  return Object.freeze({
    id: row.id,
    projectId: row.project_id,
    userId: row.user_id,
    planId: row.plan_id,
    number: row.number,
    forkedFrom: row.forked_from ?? undefined,
    status: row.status,
    keyId: row.key_id ?? undefined,
    tasksTotal: row.tasks_total,
    tasksDone: row.tasks_done,
    tasksReused: row.tasks_reused,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
  });
}
