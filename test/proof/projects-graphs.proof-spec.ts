/** Promise: a plan whose tasks wait for each other is refused with the circle; of any other, each task runs after those it depends on. */
import type { Answer } from '../support/app';
import type { ShownTask } from '../support/project-run';
import { proofModelsFolder } from '../support/proof/models';
import {
  PROJECT_ENV,
  ProjectWork,
  scriptOf,
  type StepCall,
  stepCalls,
  type WorkTask,
} from '../support/proof/project-work';
import { type Random, withRandom } from '../support/proof/random';
import { ServiceCluster } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';

const PLANS = proofSize(10, 200);
const MOST_TASKS = proofSize(8, 25);
const PROCESSES = proofSize(1, 2);
const TIMEOUT_MS = proofSize(120_000, 1_200_000);

type Refusal = { readonly error: { readonly code: string; readonly details: { readonly path: string[] } } };

/** A plan of which it is known what each task depends on, by position. */
interface RandomPlan {
  readonly tasks: readonly WorkTask[];
  readonly edges: readonly (readonly number[])[];
}

describe('random plans', () => {
  let cluster: ServiceCluster;
  let work: ProjectWork;

  beforeAll(async () => {
    const env = { ...PROJECT_ENV, LATTICE_CONFIG_DIR: proofModelsFolder() };
    cluster = await ServiceCluster.start({ processes: PROCESSES, env });
    work = await ProjectWork.of(cluster, await cluster.register());
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  /** Carries a plan without a circle out; returns how many dependencies were kept to. */
  async function carriedOut(plan: RandomPlan, project: Awaited<ReturnType<ProjectWork['planned']>>) {
    await work.start(project);
    await work.until(project, 'completed', TIMEOUT_MS);
    const tasks = await work.tasks(project);
    const calls = new Map((await stepCalls(cluster.truth)).map((call) => [call.taskId, call]));
    expect(tasks.map(({ attempts, retries }) => [attempts, retries])).toEqual(plan.tasks.map(() => [1, 0]));
    const early = plan.edges.flatMap((needed, task) =>
      needed.filter((other) => {
        const [own, earlier] = [tasks[task], tasks[other]];
        const isAsked = isAfter(calls.get(own?.id ?? ''), calls.get(earlier?.id ?? ''));
        return !isAsked || !hasBegunAfter(own, earlier);
      }),
    );
    expect(early).toEqual([]);
    return plan.edges.flat().length;
  }

  it(
    'are refused with a real circle, or run in order',
    () =>
      withRandom(async (random) => {
        let [refused, ran, kept, tasks] = [0, 0, 0, 0];
        for (let index = 0; index < PLANS; index++) {
          const plan = aPlan(random, index % 3 === 0);
          const project = await work.planned();
          const answer = await work.change<Refusal>(project, plan.tasks);
          if (hasCircle(plan)) {
            expectCircle(plan, answer);
            refused += 1;
            continue;
          }
          expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
          kept += await carriedOut(plan, project);
          ran += 1;
          tasks += plan.tasks.length;
        }
        reportProof(17, {
          'random plans': PLANS,
          'refused with a circle of theirs': refused,
          'carried out': ran,
          'tasks carried out': tasks,
          'dependencies kept to': kept,
          'tasks that began too early': 0,
        });
        expect([refused > 0, ran > 0, kept > 0]).toEqual([true, true, true]);
      }),
    TIMEOUT_MS,
  );
});

/** Edges by position or by title; every third plan, beginning with the first, has a circle. */
function aPlan(random: Random, isCircular: boolean): RandomPlan {
  const count = random.int(3, MOST_TASKS);
  const density = 0.2 + 0.6 * random.next();
  const order = Array.from({ length: count }, (_, index) => index).toSorted(() => random.next() - 0.5);
  const edges = order.map((): number[] => []);
  for (const [place, task] of order.entries()) {
    edges[task]?.push(...order.slice(0, place).filter(() => random.chance(density)));
  }
  if (isCircular) closeCircle(edges, order.slice(random.int(0, count - 2)));
  const tasks = edges.map((needed, index) => ({
    title: titleOf(index),
    description: scriptOf(1, { delayMs: random.pick([0, 30, 600]) }),
    dependsOn: needed.map((other) => (random.chance(0.5) ? other : titleOf(other))),
  }));
  return { tasks, edges };
}

/** Each depends on the one before it, and the first on the last. */
function closeCircle(edges: readonly number[][], tasks: readonly number[]): void {
  for (const [index, task] of tasks.entries()) {
    const before = tasks.at(index - 1) as number;
    if (!edges[task]?.includes(before)) edges[task]?.push(before);
  }
}

const titleOf = (index: number): string => `Step ${String.fromCodePoint(97 + index)}`;

/** Written apart from the product: tasks that nobody waits for any more are taken away until none can be. */
function hasCircle({ edges }: RandomPlan): boolean {
  const left = new Set(edges.keys());
  for (let size = Infinity; left.size < size;) {
    size = left.size;
    for (const task of left) if (!edges[task]?.some((other) => left.has(other))) left.delete(task);
  }
  return left.size > 0;
}

/** The refusal names a way along dependencies that ends where it began. */
function expectCircle({ edges }: RandomPlan, answer: Answer<Refusal>): void {
  expect([answer.status, answer.body.error.code]).toEqual([400, 'PLAN_CYCLE']);
  const path = answer.body.error.details.path.map((title) =>
    edges.findIndex((_, index) => titleOf(index) === title),
  );
  expect(path.length).toBeGreaterThan(2);
  expect(path.at(-1)).toBe(path[0]);
  const steps = path.slice(1).map((to, index) => [path[index] ?? -1, to] as const);
  const along = steps.every(([from, to]) => edges[from]?.includes(to));
  const against = steps.every(([from, to]) => edges[to]?.includes(from));
  expect([path, along || against]).toEqual([path, true]);
}

/** By the provider's clock: it was asked after the other one was answered. */
function isAfter(call: StepCall | undefined, other: StepCall | undefined): boolean {
  return call !== undefined && other?.endedAt !== undefined && call.at >= other.endedAt;
}

/** By the clock of PostgreSQL: it began after the other one had ended. */
function hasBegunAfter(task: ShownTask | undefined, other: ShownTask | undefined): boolean {
  return Date.parse(task?.startedAt ?? '') >= Date.parse(other?.completedAt ?? '');
}
