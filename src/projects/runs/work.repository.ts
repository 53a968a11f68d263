import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type JsonObject, type SqlExecutor, toStorableJson } from '../../common/index';
import type { Task } from '../tasks/task';
import { TASK_COLUMNS, type TaskRow, toTask } from '../tasks/task-rows';
import type { RunStatus } from './run';
import type { KeptStep } from './steps';

/** A task as whoever carries it out needs it. */
export interface Work {
  readonly task: Task;
  readonly project: { readonly name: string; readonly requirements: string };
  readonly runStatus: RunStatus;
  /** The API key that pays. */
  readonly keyId?: string;
}

/** The result of a task that another depends on. */
export interface Dependency {
  /** UUID. */
  readonly id: string;
  readonly title: string;
  /** Characters. */
  readonly length: number;
}

export interface DependencyText {
  readonly id: string;
  readonly title: string;
  /** The whole, or where that is longer than both parts the beginning and the end. */
  readonly text: string;
}

interface WorkRow extends TaskRow {
  readonly project_name: string;
  readonly requirements: string;
  readonly run_status: RunStatus;
  readonly key_id: string | null;
}

const FIND = `
  select ${TASK_COLUMNS}, p.name as project_name, p.requirements, r.status as run_status, r.key_id
  from tasks t join project_runs r on r.id = t.run_id join projects p on p.id = t.project_id
  where t.id = $1`;

const STANDING = `
  select r.status as run, t.state = 'running' and t.workflow_id = $2 as "isMine"
  from tasks t join project_runs r on r.id = t.run_id where t.id = $1`;

const DEPENDENCIES = `
  select t.id, t.title, char_length(coalesce(t.output, ''))::int as length
  from task_dependencies d join tasks t on t.id = d.depends_on where d.task_id = $1 order by t.position`;

/** $3: of this one only. */
const TEXTS = `
  select t.id, t.title, case when char_length(t.output) <= 2 * $2 then coalesce(t.output, '')
      else left(t.output, $2) || right(t.output, $2) end as text
  from task_dependencies d join tasks t on t.id = d.depends_on
  where d.task_id = $1 and ($3::uuid is null or d.depends_on = $3) order by t.position`;

const STEPS = 'select step, result from task_steps where task_id = $1 and generation = $2';

const KEEP = `
  insert into task_steps (task_id, generation, step, number, request_id, result) values ($1, $2, $3, $4, $5, $6)
  on conflict do nothing returning step`;

/**
 * Tasks for those who carry them out: not filtered by an owner, because it is the task that says for whom the work is
 * done.
 */
@Injectable()
export class WorkRepository {
  constructor(private readonly database: DataSource) {}

  async find(taskId: string): Promise<Work | undefined> {
    const [row] = await this.database.query<WorkRow[]>(FIND, [taskId]);
    return row && toWork(row);
  }

  /** How the run stands, and whether the workflow still has the task. */
  async standing(
    taskId: string,
    workflowId: string,
  ): Promise<{ readonly run: RunStatus; readonly isMine: boolean } | undefined> {
    const [row] = await this.database.query<{ run: RunStatus; isMine: boolean }[]>(STANDING, [
      taskId,
      workflowId,
    ]);
    return row;
  }

  async dependencies(taskId: string): Promise<readonly Dependency[]> {
    return await this.database.query<Dependency[]>(DEPENDENCIES, [taskId]);
  }

  /** @param chars of the beginning and of the end, where it is longer than both together */
  async dependencyTexts(taskId: string, chars: number): Promise<readonly DependencyText[]> {
    return await this.database.query<DependencyText[]>(TEXTS, [taskId, chars, null]);
  }

  async dependencyText(taskId: string, id: string, chars: number): Promise<DependencyText | undefined> {
    const [row] = await this.database.query<DependencyText[]>(TEXTS, [taskId, chars, id]);
    return row;
  }

  async steps({ id, generation }: Pick<Task, 'id' | 'generation'>): Promise<Map<string, JsonObject>> {
    const rows = await this.database.query<{ step: string; result: JsonObject }[]>(STEPS, [id, generation]);
    return new Map(rows.map(({ step, result }) => [step, result]));
  }

  /** False: it was kept before. */
  async keep(
    tx: SqlExecutor,
    { id, generation }: Pick<Task, 'id' | 'generation'>,
    { step, number, requestId, result }: KeptStep,
  ): Promise<boolean> {
    const values = [id, generation, step, number, requestId ?? null, toStorableJson(result)];
    return ((await tx.query(KEEP, values)) as unknown[]).length > 0;
  }
}

function toWork(row: WorkRow): Work {
  return {
    task: toTask(row),
    project: { name: row.project_name, requirements: row.requirements },
    runStatus: row.run_status,
    keyId: row.key_id ?? undefined,
  };
}
