/** Promise: a project never spends more than its budget, whatever its tasks do at once, and what they had done is kept. */
import { toApiId } from '../../src/common/index';
import { BudgetSampler } from '../support/proof/budget-sampler';
import { CHEAP, proofModelsFolder } from '../support/proof/models';
import { picoOfUsd } from '../support/proof/price-oracle';
import {
  PROJECT_ENV,
  ProjectWork,
  scriptOf,
  type StartedProject,
  type StepCall,
  stepCalls,
} from '../support/proof/project-work';
import { withRandom } from '../support/proof/random';
import { ServiceCluster } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';

const TASKS = proofSize(40, 200);
const BUDGET_USD = proofSize('0.2', '1');
/** Far more than the budget pays for. */
const ROUNDS = 20;
const PROCESSES = proofSize(1, 2);
/** Dollars per million tokens; the first round of every task is within the budget, also at its worst. */
const PRICE = { input: '0', output: '15' };
const MAX_TOKENS = 200;
const TIMEOUT_MS = proofSize(120_000, 600_000);

describe('the budget of a project', () => {
  let cluster: ServiceCluster;
  let work: ProjectWork;

  beforeAll(async () => {
    const env = {
      ...PROJECT_ENV,
      LATTICE_CONFIG_DIR: proofModelsFolder(),
      TASK_CONCURRENCY_PER_OWNER: String(TASKS),
    };
    cluster = await ServiceCluster.start({ processes: 1, env });
    await cluster.administer('PUT', `/api/v1/catalog/prices/${CHEAP.id}`, PRICE);
    await cluster.grow(PROCESSES - 1);
    work = await ProjectWork.of(cluster, await cluster.register());
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  async function budgetOf({ id }: StartedProject): Promise<string> {
    const { rows } = await cluster.books.pool.query<{ id: string }>(
      `select id from budgets where scope = 'project' and $1 = 'prj_' || replace(scope_id::text, '-', '')`,
      [id],
    );
    return toApiId('bud', rows[0]?.id ?? '');
  }

  it(
    'is never passed, and every stopped task has what it had done',
    () =>
      withRandom(async (random) => {
        const answers = Array.from({ length: TASKS }, () => random.words(random.int(60, 150)));
        const tasks = answers.map((answer, index) => ({
          title: `Task ${index}`,
          description: scriptOf(ROUNDS, { answer, delayMs: random.int(50, 500) }),
          maxTokens: MAX_TOKENS,
        }));
        const project = await work.approvable(tasks, { budgetUsd: BUDGET_USD });
        const budget = await budgetOf(project);
        const sampler = await BudgetSampler.start(cluster.databaseUrl, budget);
        await work.start(project);
        await work.until(project, 'failed', TIMEOUT_MS);
        await cluster.books.settled(TIMEOUT_MS);
        const samples = await sampler.stop();

        const cap = picoOfUsd(BUDGET_USD);
        const { spent, held } = await cluster.books.budget(budget);
        expect(samples.most <= cap).toBe(true);
        expect([held, spent <= cap, spent > (cap * 9n) / 10n]).toEqual([0n, true, true]);
        expect(await cluster.books.differences()).toEqual([]);

        await cluster.log();
        const calls = Map.groupBy(await stepCalls(cluster.truth), ({ taskId }) => taskId);
        const shown = await work.tasks(project);
        let empty = 0;
        let lowered = 0;
        for (const [index, { id }] of shown.entries()) {
          const task = await work.task(id);
          expect(task).toMatchObject({ state: 'failed', exitReason: 'budget' });
          const own = (calls.get(id) ?? []).filter(({ outcome }) => outcome === 'completed');
          const expected = partialResult(answers[index] ?? '', own);
          expect([id, task.output ?? '']).toEqual([id, expected]);
          if (expected === '') empty += 1;
          if (own.some(isLowered)) lowered += 1;
        }
        // Whoever came too late to be answered at all has nothing; that must be the exception.
        expect(empty).toBeLessThan(TASKS / 4);
        reportProof(12, {
          'tasks at once': TASKS,
          'budget, $': BUDGET_USD,
          processes: PROCESSES,
          'calls of tasks': [...calls.values()].flat().length,
          'spent in the end, pico-USD': String(spent),
          'samples of spent + held': samples.taken,
          'most of them, pico-USD': String(samples.most),
          'samples above the budget': 0,
          'stopped tasks with all that they were told': TASKS - empty,
          'of these with a last answer that the budget made shorter': lowered,
          'stopped tasks that never got an answer': empty,
        });
      }),
    TIMEOUT_MS,
  );
});

/** The provider gave less room than the task wanted. */
function isLowered({ body }: StepCall): boolean {
  return Number(body.max_tokens ?? body.max_completion_tokens) < MAX_TOKENS;
}

/** The answer once for each round, as far as the provider says that it sent it; its words are its tokens. */
function partialResult(answer: string, calls: readonly StepCall[]): string {
  return calls
    .map(({ completionTokens }) =>
      answer
        .split(/(?=\s)/)
        .slice(0, completionTokens)
        .join(''),
    )
    .join('\n\n');
}
