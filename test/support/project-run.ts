import { setTimeout as delay } from 'node:timers/promises';
import { fromApiId, toApiId } from '../../src/common/index';
import type { PlannedTask } from '../../src/projects/plans/plan';
import type { TaskState } from '../../src/projects/project';
import { RunGraphs } from '../../src/projects/runs/run-graph.repository';
import type { Account, Answer, TestApp } from './app';
import { CHAT_MODEL } from './app';

/** A task of a graph for tests; `dependsOn` holds positions. */
export interface GraphTask extends Partial<Omit<PlannedTask, 'dependsOn'>> {
  readonly dependsOn?: readonly number[];
}

/** A task as REST shows it. */
export interface ShownTask {
  readonly id: string;
  readonly title: string;
  readonly state: TaskState;
  readonly waitingFor: string | null;
  readonly readyAt: string | null;
  readonly exitReason: string | null;
  readonly output: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly attempts: number;
  readonly retries: number;
  readonly steps: number;
  readonly costUsd: string | null;
  readonly answeredByModel: string | null;
  readonly answeredBy: string | null;
  readonly reusedFrom: string | null;
  readonly dependsOn: readonly string[];
  readonly startedAt: string | null;
  readonly completedAt: string | null;
}

export interface ShownRun {
  readonly id: string;
  readonly number: number;
  readonly status: string;
  readonly forkedFrom: string | null;
  readonly tasksReused: number;
  readonly percentDone: number;
  readonly costUsd: string;
  readonly tasks: Readonly<Record<TaskState | 'total', number>>;
}

export type Failed = { readonly error: { code: string; message: string; details?: Record<string, unknown> } };

const PAUSE_MS = 20;

/** Projects whose tasks a test has written, in the place of a planner and an approval. */
export class ProjectRuns {
  constructor(
    private readonly app: TestApp,
    private readonly owner: Account,
  ) {}

  call<T = Record<string, unknown>>(
    method: string,
    route: string,
    body?: object,
  ): Promise<Answer<T & Failed>> {
    return this.app.call<T & Failed>(method, `/api/v1${route}`, { body, credential: this.owner.key });
  }

  /** An agent type with the mock provider's model. */
  async agent(type: string, more: object = {}): Promise<void> {
    const body = { type, description: 'Works', model: CHAT_MODEL, prompt: 'Do it.', ...more };
    const made = await this.call('POST', '/agents', body);
    if (made.status !== 201) throw new Error(made.text);
  }

  /** A project with an approved run; its API id. */
  async approved(tasks: readonly GraphTask[], more: object = {}): Promise<string> {
    const body = { name: 'Test', requirements: 'Do what the tasks say', ...more };
    const made = await this.call<{ id: string }>('POST', '/projects', body);
    const projectId = fromApiId('prj', made.body.id);
    const userId = fromApiId('usr', this.owner.userId);
    if (!projectId || !userId) throw new Error(made.text);
    const graph = { tasks: tasks.map(asPlanned), warnings: [] };
    await this.app.database.transaction(async (tx) => {
      const [plan] = await tx.query<{ id: string }[]>(
        `insert into plans (id, project_id, user_id, version, state, asked, workflow_id)
         values (gen_random_uuid(), $1, $2, 1, 'approved', '{}', 'none') returning id`,
        [projectId, userId],
      );
      const planId = plan?.id ?? '';
      const runId = await this.app.app.get(RunGraphs).create(tx, { projectId, userId, planId, graph });
      await tx.query(`update projects set status = 'approved', plan_id = $2, run_id = $3 where id = $1`, [
        projectId,
        planId,
        runId,
      ]);
    });
    return toApiId('prj', projectId);
  }

  async started(tasks: readonly GraphTask[], more: object = {}): Promise<string> {
    const project = await this.approved(tasks, more);
    const answer = await this.call('POST', `/projects/${project}/start`);
    if (answer.status !== 200) throw new Error(answer.text);
    return project;
  }

  async status(project: string): Promise<string> {
    return (await this.call<{ status: string }>('GET', `/projects/${project}`)).body.status;
  }

  /** Waits for the project to have the status. */
  async until(project: string, status: string, limitMs = 15_000): Promise<void> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const now = await this.status(project);
      if (now === status) return;
      if (performance.now() > deadline) {
        const tasks = (await this.tasks(project)).map(({ title, state, error }) => ({ title, state, error }));
        throw new Error(`It is ${now}, not ${status}: ${JSON.stringify(tasks)}`);
      }
      await delay(PAUSE_MS);
    }
  }

  /** Of the newest run, with their outputs. */
  async tasks(project: string): Promise<ShownTask[]> {
    const page = await this.call<{ data: ShownTask[] }>('GET', `/projects/${project}/tasks?limit=200`);
    return await Promise.all(page.body.data.map(({ id }) => this.task(id)));
  }

  async task(id: string): Promise<ShownTask> {
    return (await this.call<ShownTask>('GET', `/tasks/${id}`)).body;
  }
}

function asPlanned(task: GraphTask, position: number): PlannedTask & { dependsOn: readonly number[] } {
  return {
    title: `Task ${position}`,
    description: 'Do it',
    agent: 'worker',
    deliverables: [],
    successCriteria: [],
    priority: 50,
    maxTokens: 200,
    ...task,
    dependsOn: task.dependsOn ?? [],
  };
}
