import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type RequestContext, type SqlExecutor, toStorableJson } from '../../common/index';
import type { TaskState } from '../project';
import type { Task, TaskChange, TaskFigures } from './task';
import { TASK_COLUMNS, type TaskRow, toTask } from './task-rows';

export interface TaskQuery {
  readonly projectId: string;
  /** UUID; undefined: of the newest run. */
  readonly runId?: string;
  readonly state?: TaskState;
  readonly limit: number;
  /** Only those behind this position. */
  readonly after?: number;
}

const VISIBLE = '($1 or t.user_id = $2)';

const FIND = `select ${TASK_COLUMNS} from tasks t where ${VISIBLE} and t.id = $3`;
/** Without the results, which may be long. */
const LISTED = TASK_COLUMNS.replace('t.output', 'null as output');
const LIST = `
  select ${LISTED} from tasks t
  where ${VISIBLE} and t.project_id = $3
    and t.run_id = coalesce($4::uuid, (select run_id from projects where id = $3))
    and ($5::text is null or t.state = $5) and ($6::integer is null or t.position > $6)
  order by t.position limit $7`;
const DEPENDENCIES = `
  select task_id, array_agg(depends_on) as ids from task_dependencies where task_id = any($1::uuid[]) group by task_id`;
const STEPS = `
  select s.task_id, count(*)::int as count from task_steps s join tasks t on t.id = s.task_id
  where s.task_id = any($1::uuid[]) and s.generation = t.generation group by s.task_id`;
const COSTS = `
  select task_id, sum(cost_pico_usd)::text as pico, bool_or(cost_pico_usd is null) as "isUnknown",
    (array_agg(model order by admitted_at desc, attempt desc) filter (where outcome = 'succeeded'))[1] as model
  from usage_lines where task_id = any($1::uuid[]) group by task_id`;
const LOCK = 'select from tasks where id = $1 for no key update';
const CHANGE = `
  update tasks t set title = $2, description = $3, deliverables = $4::json, success_criteria = $5::json, agent = $6,
    model = $7, metadata = $8::json, max_tokens = $9, priority = $10, generation = t.generation + $11::integer,
    updated_at = clock_timestamp()
  where t.id = $1`;

interface CostRow {
  readonly task_id: string;
  readonly pico: string | null;
  readonly isUnknown: boolean;
  readonly model: string | null;
}

@Injectable()
export class TasksRepository {
  constructor(private readonly database: DataSource) {}

  async find(
    ctx: RequestContext,
    id: string,
    executor: SqlExecutor = this.database,
  ): Promise<Task | undefined> {
    const rows = (await executor.query(FIND, [...viewer(ctx), id])) as TaskRow[];
    return rows.map(toTask)[0];
  }

  /** Nobody else changes it until the transaction ends; the dispatcher passes over it. */
  async lock(tx: SqlExecutor, id: string): Promise<void> {
    await tx.query(LOCK, [id]);
  }

  /** In the order of the plan; without their outputs. */
  async list(ctx: RequestContext, query: TaskQuery): Promise<Task[]> {
    const { projectId, runId, state, after, limit } = query;
    const parameters = [...viewer(ctx), projectId, runId ?? null, state ?? null, after ?? null, limit];
    return (await this.database.query<TaskRow[]>(LIST, parameters)).map(toTask);
  }

  /** Of all of them, in three queries however many they are. By UUID. */
  async figuresOf(ids: readonly string[]): Promise<ReadonlyMap<string, TaskFigures>> {
    const [dependencies, steps, costs] = await Promise.all([
      this.database.query<{ task_id: string; ids: string[] }[]>(DEPENDENCIES, [ids]),
      this.database.query<{ task_id: string; count: number }[]>(STEPS, [ids]),
      this.database.query<CostRow[]>(COSTS, [ids]),
    ]);
    const dependenciesOf = new Map(dependencies.map((row) => [row.task_id, row.ids]));
    const stepsOf = new Map(steps.map((row) => [row.task_id, row.count]));
    const costsOf = new Map(costs.map((row) => [row.task_id, row]));
    return new Map(
      ids.map((id) => [
        id,
        {
          dependsOn: dependenciesOf.get(id) ?? [],
          steps: stepsOf.get(id) ?? 0,
          ...costOf(costsOf.get(id)),
        },
      ]),
    );
  }

  /** What it shall do. @param isNew it is another task now: what was kept for the old one counts no more */
  async change(tx: SqlExecutor, task: Task, change: TaskChange, isNew: boolean): Promise<void> {
    const wanted = { ...task, ...change };
    await tx.query(CHANGE, [
      task.id,
      wanted.title,
      wanted.description,
      toStorableJson(wanted.deliverables),
      toStorableJson(wanted.successCriteria),
      wanted.agent,
      wanted.model ?? null,
      toStorableJson(wanted.metadata),
      wanted.maxTokens,
      wanted.priority,
      isNew ? 1 : 0,
    ]);
  }
}

function viewer({ principal }: RequestContext): [isAdmin: boolean, userId: string] {
  return [principal.role === 'admin', principal.userId];
}

function costOf(row: CostRow | undefined): Pick<TaskFigures, 'costPicoUsd' | 'answeredBy'> {
  if (!row) return { costPicoUsd: 0n };
  return {
    costPicoUsd: row.isUnknown ? undefined : BigInt(row.pico ?? 0),
    answeredBy: row.model ?? undefined,
  };
}
