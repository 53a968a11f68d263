/** Projects of a proof, from their requirements to the end of their tasks, over REST and on whichever process is up. */
import { toApiId } from '../../../src/common/index';
import type { Account, Answer } from '../app';
import { eventually } from '../eventually';
import type { ShownTask } from '../project-run';
import type { Attempt, Behaviour, TruthProvider } from '../truth-provider/truth-provider';
import { CHEAP } from './models';
import type { ServiceCluster } from './service-cluster';

export interface WorkTask {
  readonly title: string;
  readonly description: string;
  readonly agent?: string;
  readonly model?: string;
  readonly dependsOn?: readonly (number | string)[];
  readonly priority?: number;
  readonly maxTokens?: number;
}

/** A started project; API ids. */
export interface StartedProject {
  readonly id: string;
  readonly planId: string;
}

export interface CallWith {
  readonly body?: object;
  /** Default: whichever process is up. */
  readonly url?: string;
}

/** An agent with a tool, so that a script can have as many rounds as it likes. */
export const WORKER = 'proof-worker';
const LIMIT_MS = 30_000;
const PAGE = 200;
const ENDS: readonly string[] = ['completed', 'failed', 'cancelled'];

/** For projects: plenty of plannings, and no pause to speak of before a retry. */
export const PROJECT_ENV: NodeJS.ProcessEnv = {
  PROJECT_WORKER: 'on',
  PLANNINGS_PER_MINUTE: '10000',
  TASK_RETRY_BASE_MS: '50',
};

/** What a task of this many rounds is told: every round but the last one calls a tool. */
export function scriptOf(rounds: number, behaviour: Behaviour): string {
  const tools = rounds > 1 ? { toolCalls: [{ name: 'current_time' }], toolRounds: rounds - 1 } : {};
  return `[[script:${JSON.stringify({ ...behaviour, ...tools })}]]`;
}

export class ProjectWork {
  private constructor(
    private readonly cluster: ServiceCluster,
    readonly owner: Account,
  ) {}

  static async of(cluster: ServiceCluster, owner: Account): Promise<ProjectWork> {
    const work = new ProjectWork(cluster, owner);
    const agent = { type: WORKER, description: 'Works', model: CHEAP.id, tools: ['current_time'] };
    await work.must('POST', '/agents', { body: { ...agent, prompt: 'Do it.', limits: { maxRounds: 50 } } });
    return work;
  }

  /** A call that must succeed. */
  async must<T>(method: string, route: string, options: CallWith = {}): Promise<T> {
    const answer = await this.call<T>(method, route, options);
    if (answer.status >= 300) throw new Error(`${method} ${route}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  call<T>(method: string, route: string, { body, url }: CallWith = {}): Promise<Answer<T>> {
    return this.cluster.call<T>(method, `/api/v1${route}`, { body, credential: this.owner.key }, url);
  }

  /** A project with a plan that is ready, of one task; `change` puts others in its place. */
  async planned(more: object = {}): Promise<StartedProject> {
    const body = { name: 'Proof', requirements: 'What the tasks say', ...more };
    const { id } = await this.must<{ id: string }>('POST', '/projects', { body });
    const tasks = [{ title: 'First', description: 'Begin', agent: WORKER }];
    const answer = JSON.stringify({ summary: 'A plan', tasks });
    await this.cluster.truth.script({ model: CHEAP.upstreamId, answer });
    const asked = { body: { model: CHEAP.id } };
    const plan = await this.must<{ id: string }>('POST', `/projects/${id}/plan`, asked);
    await eventually(async () => {
      const { state, error } = await this.must<{ state: string; error: unknown }>('GET', `/plans/${plan.id}`);
      if (state === 'failed') throw new Error(JSON.stringify(error));
      return state === 'ready' || undefined;
    }, LIMIT_MS);
    return { id, planId: plan.id };
  }

  /** Writes the tasks into the plan. */
  async change<T>({ planId }: StartedProject, tasks: readonly WorkTask[]): Promise<Answer<T>> {
    const body = { tasks: tasks.map((task) => ({ agent: WORKER, maxTokens: 200, ...task })) };
    return await this.call<T>('PATCH', `/plans/${planId}`, { body });
  }

  /** A project with these tasks, under way. */
  async started(tasks: readonly WorkTask[], more: object = {}): Promise<StartedProject> {
    const project = await this.approvable(tasks, more);
    await this.start(project);
    return project;
  }

  async approvable(tasks: readonly WorkTask[], more: object = {}): Promise<StartedProject> {
    const project = await this.planned(more);
    const changed = await this.change(project, tasks);
    if (changed.status !== 200) throw new Error(changed.text);
    return project;
  }

  async start({ planId }: StartedProject): Promise<void> {
    await this.must('POST', `/plans/${planId}/approve`, { body: { start: true } });
  }

  /** Waits for the end of the project, which must be this one; whom it asks may be killed meanwhile. */
  async until({ id }: StartedProject, status: string, limitMs: number): Promise<void> {
    let last: { status: string; tasks: object } | undefined;
    const ended = eventually(async () => {
      const answer = await this.call<{ status: string; tasks: object }>('GET', `/projects/${id}`).catch(
        () => undefined,
      );
      if (answer?.status === 200) last = answer.body;
      return ENDS.includes(last?.status ?? '') || undefined;
    }, limitMs);
    await ended.catch(() => undefined);
    if (last?.status !== status) throw new Error(`The project is not ${status}: ${JSON.stringify(last)}`);
  }

  /** Of its newest run, without their outputs, in the order of the plan. */
  async tasks({ id }: StartedProject): Promise<readonly ShownTask[]> {
    const found: ShownTask[] = [];
    for (let cursor = ''; ;) {
      const page = await this.must<{ data: ShownTask[]; nextCursor: string | null }>(
        'GET',
        `/projects/${id}/tasks?limit=${PAGE}${cursor}`,
      );
      found.push(...page.data);
      if (page.nextCursor === null) return found;
      cursor = `&cursor=${page.nextCursor}`;
    }
  }

  async task(id: string): Promise<ShownTask> {
    return await this.must<ShownTask>('GET', `/tasks/${id}`);
  }
}

/** A call for a step of a task, as its idempotency key names it. */
export interface StepCall extends Attempt {
  readonly stepKey: string;
  /** API id. */
  readonly taskId: string;
  /** Such as `round-1`. */
  readonly step: string;
}

/** Calls that tasks made, in the order of arrival; those of planners are left out. */
export async function stepCalls(truth: TruthProvider): Promise<readonly StepCall[]> {
  return (await truth.attempts()).flatMap((attempt) => {
    const stepKey = attempt.headers['idempotency-key'] ?? '';
    const [, uuid, step] = /^([0-9a-f-]{36})\.\d+\.(round-\d+)$/.exec(stepKey) ?? [];
    return uuid && step ? [{ ...attempt, stepKey, taskId: toApiId('tsk', uuid), step }] : [];
  });
}
