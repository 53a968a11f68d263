import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newId, type PicoUsd, type RequestContext, type SqlExecutor } from '../common/index';
import type { Project, ProjectFigures, ProjectStatus, TaskState } from './project';
import { PROJECT_COLUMNS, type ProjectRow, toProject, updatedRow } from './project-rows';

export interface ProjectQuery {
  readonly status?: ProjectStatus;
  /** How the name begins, in any case. */
  readonly namePrefix?: string;
  readonly limit: number;
  /** UUID: only those made before it. */
  readonly beforeId?: string;
}

/** What stays undefined stays as it is. */
export interface ProjectChange {
  readonly name?: string;
  readonly requirements?: string;
}

interface TaskCountRow {
  readonly project_id: string;
  readonly state: TaskState;
  readonly count: number;
}

interface AmountRow {
  readonly project_id: string;
  readonly pico: string;
}

/** The caller's, or anyone's for an administrator. */
const VISIBLE = '($1 or user_id = $2)';

const FIND = `select ${PROJECT_COLUMNS} from projects where ${VISIBLE} and id = $3`;
/** Without the requirements, which are long. */
const LISTED = PROJECT_COLUMNS.replace('requirements', `'' as requirements`);
const LIST = `
  select ${LISTED} from projects
  where ${VISIBLE} and ($3::text is null or status = $3) and ($4::text is null or starts_with(lower(name), lower($4)))
    and ($5::uuid is null or id < $5)
  order by id desc limit $6`;
const ADD = `
  insert into projects (id, user_id, name, requirements) values ($1, $2, $3, $4) returning ${PROJECT_COLUMNS}`;
const CHANGE = `
  update projects set name = coalesce($3, name), requirements = coalesce($4, requirements),
    updated_at = clock_timestamp()
  where ($1 or user_id = $2) and id = $5 returning ${PROJECT_COLUMNS}`;
const REMOVE = `delete from projects where ${VISIBLE} and id = $3`;
const FORGET_EVENTS = 'delete from events where resource = $1';

const TASK_COUNTS = `
  select project_id, state, count(*)::int as count from tasks where run_id = any($1) group by project_id, state`;
const SPENT = `
  select project_id, coalesce(sum(cost_pico_usd), 0)::text as pico from usage_lines
  where project_id = any($1) group by project_id`;
const BUDGETS = `
  select scope_id as project_id, limit_pico::text as pico from budgets
  where scope = 'project' and scope_id = any($1) and period = 'total'`;

@Injectable()
export class ProjectsRepository {
  constructor(private readonly database: DataSource) {}

  async find(
    ctx: RequestContext,
    id: string,
    executor: SqlExecutor = this.database,
  ): Promise<Project | undefined> {
    const rows = (await executor.query(FIND, [...viewer(ctx), id])) as ProjectRow[];
    return rows.map(toProject)[0];
  }

  /** Newest first; their requirements are left out. */
  async list(ctx: RequestContext, query: ProjectQuery): Promise<Project[]> {
    const { status, namePrefix, beforeId, limit } = query;
    const parameters = [...viewer(ctx), status ?? null, namePrefix ?? null, beforeId ?? null, limit];
    return (await this.database.query<ProjectRow[]>(LIST, parameters)).map(toProject);
  }

  /** Of all of them, in three queries however many they are. By UUID. */
  async figuresOf(projects: readonly Project[]): Promise<ReadonlyMap<string, ProjectFigures>> {
    if (projects.length === 0) return new Map();
    const ids = projects.map(({ id }) => id);
    const runIds = projects.flatMap(({ runId }) => runId ?? []);
    const [counts, spent, budgets] = await Promise.all([
      this.database.query<TaskCountRow[]>(TASK_COUNTS, [runIds]),
      this.database.query<AmountRow[]>(SPENT, [ids]),
      this.database.query<AmountRow[]>(BUDGETS, [ids]),
    ]);
    const tasks = Map.groupBy(counts, ({ project_id }) => project_id);
    const [spentOf, budgetOf] = [amounts(spent), amounts(budgets)];
    return new Map(
      ids.map((id) => {
        const states = Object.fromEntries((tasks.get(id) ?? []).map(({ state, count }) => [state, count]));
        return [id, { tasks: states, spentPicoUsd: spentOf.get(id) ?? 0n, budgetPicoUsd: budgetOf.get(id) }];
      }),
    );
  }

  /** A draft of the caller's. */
  async add(
    { principal }: RequestContext,
    project: Required<ProjectChange>,
    tx: SqlExecutor,
  ): Promise<Project> {
    const parameters = [newId(), principal.userId, project.name, project.requirements];
    const [row] = (await tx.query(ADD, parameters)) as ProjectRow[];
    if (!row) throw new Error('A project that was added was not returned');
    return toProject(row);
  }

  async change(
    ctx: RequestContext,
    id: string,
    { name, requirements }: ProjectChange,
    tx: SqlExecutor,
  ): Promise<Project | undefined> {
    const row = updatedRow(await tx.query(CHANGE, [...viewer(ctx), name ?? null, requirements ?? null, id]));
    return row && toProject(row);
  }

  async spentOn(id: string, executor: SqlExecutor = this.database): Promise<PicoUsd> {
    const rows = (await executor.query(SPENT, [[id]])) as AmountRow[];
    return amounts(rows).get(id) ?? 0n;
  }

  async runIdsOf(id: string, tx: SqlExecutor): Promise<string[]> {
    const rows = (await tx.query('select id from project_runs where project_id = $1', [id])) as {
      id: string;
    }[];
    return rows.map((row) => row.id);
  }

  /** With its plans, runs, tasks, dependencies and steps, and the events about it. @param apiId of the same project */
  async remove(ctx: RequestContext, id: string, apiId: string, tx: SqlExecutor): Promise<void> {
    await tx.query(REMOVE, [...viewer(ctx), id]);
    await tx.query(FORGET_EVENTS, [apiId]);
  }
}

function viewer({ principal }: RequestContext): [isAdmin: boolean, userId: string] {
  return [principal.role === 'admin', principal.userId];
}

function amounts(rows: readonly AmountRow[]): ReadonlyMap<string, PicoUsd> {
  return new Map(rows.map(({ project_id, pico }) => [project_id, BigInt(pico)]));
}
