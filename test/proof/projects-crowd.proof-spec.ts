/** Promise: a hundred tasks at once succeed, again and again, in the same memory; what can run at once does. */
import { readFileSync } from 'node:fs';
import { eventually } from '../support/eventually';
import { LiveMemory, MEASURED } from '../support/proof/live-memory';
import { proofModelsFolder } from '../support/proof/models';
import {
  PROJECT_ENV,
  ProjectWork,
  scriptOf,
  type StartedProject,
  type StepCall,
  stepCalls,
  type WorkTask,
} from '../support/proof/project-work';
import { ServiceCluster } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';

const TASKS = proofSize(40, 100);
const PROJECTS = proofSize(3, 12);
const ROUNDS = proofSize(1, 2);
const CALL_MS = proofSize(1000, 2000);
/** What is kept in order to be there again, such as code that was made fast. */
const GROWTH_LIMIT_MB = 16;
const SLOW_CALL_MS = 2000;
/** One after the other they would take 6 s. */
const TOGETHER_LIMIT_MS = proofSize(4500, 3000);
const TIMEOUT_MS = proofSize(120_000, 600_000);

describe('a crowd of tasks', () => {
  let cluster: ServiceCluster;
  let work: ProjectWork;
  let memory: LiveMemory;

  beforeAll(async () => {
    const env = { ...PROJECT_ENV, ...MEASURED, LATTICE_CONFIG_DIR: proofModelsFolder() };
    cluster = await ServiceCluster.start({ processes: 1, env });
    work = await ProjectWork.of(cluster, await cluster.register());
    memory = await LiveMemory.of(cluster.output(0));
  }, TIMEOUT_MS);

  afterAll(async () => {
    memory?.close();
    await (cluster as ServiceCluster | undefined)?.close();
  });

  const aTask = (index: number): WorkTask => ({
    title: `Task ${index}`,
    description: scriptOf(ROUNDS, { answer: 'word '.repeat(100), delayMs: CALL_MS }),
  });

  /** The most memory that was resident while the project ran, in megabytes. */
  async function peakWhile(project: StartedProject): Promise<number> {
    let peak = 0;
    let isOver = false;
    const sampled = eventually(() => {
      peak = Math.max(peak, residentMegabytes(cluster.pid(0)));
      return Promise.resolve(isOver || undefined);
    }, TIMEOUT_MS);
    await work.until(project, 'completed', TIMEOUT_MS);
    isOver = true;
    await sampled;
    return peak;
  }

  it(
    'succeeds in the same memory every time',
    async () => {
      const peaks: number[] = [];
      const needed: number[] = [];
      for (let round = 0; round < PROJECTS; round++) {
        const tasks = Array.from({ length: TASKS }, (_, index) => aTask(index));
        peaks.push(await peakWhile(await work.started(tasks)));
        needed.push(await memory.megabytes());
      }
      const calls = await stepCalls(cluster.truth);
      const [, second = 0] = needed;
      const last = needed.at(-1) ?? Infinity;
      reportProof(16, {
        'tasks at once': TASKS,
        projects: PROJECTS,
        'tasks that succeeded': TASKS * PROJECTS,
        'most calls in flight at once': mostAtOnce(calls),
        'memory needed after the second project, MB': second.toFixed(1),
        'memory needed after the last one, MB': last.toFixed(1),
        'most memory that was resident, MB': Math.round(Math.max(...peaks)),
      });
      expect(calls).toHaveLength(TASKS * PROJECTS * ROUNDS);
      expect(new Set(calls.map(({ stepKey }) => stepKey)).size).toBe(calls.length);
      expect(mostAtOnce(calls)).toBeGreaterThan(TASKS / 2);
      expect(last - second).toBeLessThan(GROWTH_LIMIT_MB);
      expect(await cluster.books.differences()).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'lets three tasks of two seconds run together',
    async () => {
      const tasks = ['One', 'Two', 'Three'].map((title) => ({
        title,
        description: scriptOf(1, { delayMs: SLOW_CALL_MS }),
      }));
      const project = await work.approvable(tasks);
      const from = Date.now();
      await work.start(project);
      await work.until(project, 'completed', TIMEOUT_MS);
      const ends = (await work.tasks(project)).map(({ completedAt }) => Date.parse(completedAt ?? ''));
      const tookMs = Math.max(...ends) - from;
      reportProof(16, { 'three tasks of 2 s, ms from the start on': tookMs });
      expect(tookMs).toBeLessThan(TOGETHER_LIMIT_MS);
    },
    TIMEOUT_MS,
  );
});

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** Calls that overlapped, by the provider's clock. */
function mostAtOnce(calls: readonly StepCall[]): number {
  const moments = calls
    .flatMap(({ at, endedAt = Infinity }) => [
      { at, change: 1 },
      { at: endedAt, change: -1 },
    ])
    .toSorted((left, right) => left.at - right.at || left.change - right.change);
  let now = 0;
  let most = 0;
  for (const { change } of moments) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
