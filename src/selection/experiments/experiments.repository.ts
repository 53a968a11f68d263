import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RequestContext, SqlExecutor, TaskType } from '../../common/index';
import type { Strategy } from '../../scoring/index';
import type {
  Experiment,
  ExperimentArm,
  ExperimentSettings,
  ExperimentStatus,
  Stickiness,
} from './experiment';

interface ExperimentRow {
  readonly id: string;
  readonly name: string;
  readonly strategy: Strategy;
  readonly arms: readonly ExperimentArm[];
  readonly task_types: readonly TaskType[] | null;
  readonly sticky_by: Stickiness;
  readonly share: number;
  readonly status: ExperimentStatus;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly started_at: Date | null;
  readonly stopped_at: Date | null;
}

export interface ExperimentQuery {
  readonly status?: ExperimentStatus;
  readonly limit: number;
  /** UUID: only those made before it. */
  readonly beforeId?: string;
}

const COLUMNS = `id, name, strategy, arms, task_types, sticky_by, share, status, created_at, updated_at, started_at,
  stopped_at`;
/** Administrators only, whatever the route says. */
const VISIBLE = '$1';

const FIND = `select ${COLUMNS} from routing_experiments where ${VISIBLE} and id = $2`;
const LIST = `
  select ${COLUMNS} from routing_experiments
  where ${VISIBLE} and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
  order by id desc limit $4`;
const RUNNING = `select ${COLUMNS} from routing_experiments where status = 'running' order by id`;
const ADD = `
  insert into routing_experiments (id, name, strategy, arms, task_types, sticky_by, share, status)
  values ($1, $2, $3, $4, $5, $6, $7, 'draft') returning ${COLUMNS}`;
const CHANGE = `
  update routing_experiments set name = $2, strategy = $3, arms = $4, task_types = $5, sticky_by = $6, share = $7,
    updated_at = clock_timestamp()
  where id = $1 returning ${COLUMNS}`;
const START = `
  update routing_experiments set status = 'running', started_at = clock_timestamp(), updated_at = clock_timestamp()
  where id = $1 returning ${COLUMNS}`;
const STOP = `
  update routing_experiments set status = 'stopped', stopped_at = clock_timestamp(), updated_at = clock_timestamp()
  where id = $1 returning ${COLUMNS}`;
const REMOVE = 'delete from routing_experiments where id = $1';
/** Also so that of two who start one for the same strategy the second is told of the first. */
const LOCK = 'lock table routing_experiments in share row exclusive mode';

@Injectable()
export class ExperimentsRepository {
  constructor(private readonly database: DataSource) {}

  async transaction<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(work);
  }

  async find(
    ctx: RequestContext,
    id: string,
    executor: SqlExecutor = this.database,
  ): Promise<Experiment | undefined> {
    const rows = (await executor.query(FIND, [isAdmin(ctx), id])) as ExperimentRow[];
    return rows.map(toExperiment)[0];
  }

  /** Newest first. */
  async list(ctx: RequestContext, { status, limit, beforeId }: ExperimentQuery): Promise<Experiment[]> {
    const parameters = [isAdmin(ctx), status ?? null, beforeId ?? null, limit];
    return (await this.database.query<ExperimentRow[]>(LIST, parameters)).map(toExperiment);
  }

  /** For routing, which acts for nobody here. One per strategy at most. */
  async running(executor: SqlExecutor = this.database): Promise<Experiment[]> {
    return ((await executor.query(RUNNING)) as ExperimentRow[]).map(toExperiment);
  }

  /** No other experiment is made, changed, started or stopped until the transaction ends. */
  async lock(executor: SqlExecutor): Promise<void> {
    await executor.query(LOCK);
  }

  async add(id: string, settings: ExperimentSettings, executor: SqlExecutor): Promise<Experiment> {
    return onlyOf(await executor.query(ADD, [id, ...valuesOf(settings)]));
  }

  async change(id: string, settings: ExperimentSettings, executor: SqlExecutor): Promise<Experiment> {
    const [rows] = (await executor.query(CHANGE, [id, ...valuesOf(settings)])) as [unknown, number];
    return onlyOf(rows);
  }

  async start(id: string, executor: SqlExecutor): Promise<Experiment> {
    const [rows] = (await executor.query(START, [id])) as [unknown, number];
    return onlyOf(rows);
  }

  async stop(id: string, executor: SqlExecutor): Promise<Experiment> {
    const [rows] = (await executor.query(STOP, [id])) as [unknown, number];
    return onlyOf(rows);
  }

  async remove(id: string, executor: SqlExecutor): Promise<void> {
    await executor.query(REMOVE, [id]);
  }
}

function isAdmin({ principal }: RequestContext): boolean {
  return principal.role === 'admin';
}

function valuesOf(settings: ExperimentSettings): unknown[] {
  const { name, strategy, arms, taskTypes, stickyBy, share } = settings;
  return [name, strategy, JSON.stringify(arms), taskTypes ?? null, stickyBy, share];
}

function onlyOf(rows: unknown): Experiment {
  const [row] = rows as ExperimentRow[];
  if (!row) throw new Error('A statement that returns a row returned none');
  return toExperiment(row);
}

function toExperiment(row: ExperimentRow): Experiment {
  return {
    id: row.id,
    name: row.name,
    strategy: row.strategy,
    arms: row.arms,
    taskTypes: row.task_types ?? undefined,
    stickyBy: row.sticky_by,
    share: row.share,
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at ?? undefined,
    stoppedAt: row.stopped_at ?? undefined,
  };
}
