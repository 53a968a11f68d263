/**
 * Promise 3: hard budgets, both ways. Calls of exactly ten cents (ten tokens at a cent, at worst as in truth) against a
 * cap of five dollars, from several processes at once.
 */
import type { Account } from '../support/app';
import { BudgetSampler } from '../support/proof/budget-sampler';
import { ask, scripted } from '../support/proof/load';
import { picoOfUsd } from '../support/proof/price-oracle';
import { ServiceCluster } from '../support/proof/service-cluster';
import { isFullSize, proofSize, reportProof } from '../support/proof-report';

const MODEL = 'openai/gpt-4o-mini';
const CALLS = proofSize(240, 1000);
const PROCESSES = proofSize(2, 4);
const CAP = picoOfUsd('5');
const TEN_CENTS = picoOfUsd('0.1');
const ADMITTED = 50;
const VICTIM = 0;
/** Calls that the process to be killed has in flight, for certain: the provider never answers them. */
const STUCK = 10;
/** The promise for the default lease of 15 s; CI shortens the lease. */
const FREE_WITHIN_MS = 20_000;
const TIMEOUT_MS = 120_000;

const TEN_TOKENS = 'one two three four five six seven eight nine ten';

describe('a hard budget under concurrent calls', () => {
  let cluster: ServiceCluster;

  beforeAll(async () => {
    const env: NodeJS.ProcessEnv = isFullSize ? {} : { HOLD_LEASE_MS: '2000' };
    cluster = await ServiceCluster.start({ processes: 1, env });
    await cluster.administer('PUT', `/api/v1/catalog/prices/${MODEL}`, { input: '0', output: '10000' });
    await cluster.grow(PROCESSES - 1);
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  afterEach(async () => {
    if (cluster.url(VICTIM) === undefined) await cluster.restart(VICTIM);
  }, TIMEOUT_MS);

  const call = (account: Account, url: string, message = scripted({ answer: TEN_TOKENS, delayMs: 200 })) =>
    ask({ url, key: account.key, body: { model: MODEL, max_tokens: 10, messages: [message] } });

  const attemptsOf = async (known: number) => (await cluster.truth.attempts()).slice(known);

  it(
    'admits exactly what the cap pays, and is never above it',
    async () => {
      const account = await cluster.register();
      const budget = await cluster.createBudget(account, '5');
      const known = (await cluster.truth.attempts()).length;
      const sampler = await BudgetSampler.start(cluster.databaseUrl, budget);
      const statuses = await Promise.all(
        Array.from({ length: CALLS }, (_, index) => call(account, at(cluster, index % PROCESSES))),
      );
      await cluster.books.settled(FREE_WITHIN_MS);
      const samples = await sampler.stop();

      expect(countOf(statuses)).toEqual({ 200: ADMITTED, 429: CALLS - ADMITTED });
      expect(await attemptsOf(known)).toHaveLength(ADMITTED);
      expect(samples.most).toBe(CAP);
      expect(await cluster.books.budget(budget)).toEqual({ spent: CAP, held: 0n });
      expect(await cluster.books.differences()).toEqual([]);
      reportProof(1, {
        'concurrent calls of $0.10': CALLS,
        processes: PROCESSES,
        'admitted under a cap of $5': ADMITTED,
        'samples of spent + held': samples.taken,
        'samples above the cap': 0,
      });
    },
    TIMEOUT_MS,
  );

  it(
    'frees what a killed process held, and pays for one more call as soon as there is money',
    async () => {
      const account = await cluster.register();
      const budget = await cluster.createBudget(account, '5');
      const known = (await cluster.truth.attempts()).length;
      const sampler = await BudgetSampler.start(cluster.databaseUrl, budget);
      const url = at(cluster, VICTIM);
      const stuck = Array.from({ length: STUCK }, () =>
        call(account, url, scripted({ fault: { kind: 'stall' } })),
      );
      await cluster.truth.waitFor((attempts) => attempts.length >= known + STUCK);
      const others = Array.from({ length: CALLS - STUCK }, (_, index) =>
        call(account, at(cluster, index % PROCESSES)),
      );
      await cluster.truth.waitFor((attempts) => attempts.length > known + STUCK);
      await cluster.kill(VICTIM);
      const freed = cluster.books.settled(FREE_WITHIN_MS);
      const statuses = await Promise.all([...stuck, ...others]);
      const freedAfterMs = await freed;
      const samples = await sampler.stop();

      expect(samples.most).toBe(CAP);
      expect(statuses.filter((status) => status === undefined).length).toBeGreaterThanOrEqual(STUCK);
      expect((await attemptsOf(known)).length).toBeLessThanOrEqual(ADMITTED);
      const { spent, held } = await cluster.books.budget(budget);
      expect([held, spent % TEN_CENTS, spent <= CAP]).toEqual([0n, 0n, true]);

      // What was killed before it was admitted may have left money: all of it can be spent, and nothing beyond.
      await cluster.administer('PATCH', `/api/v1/budgets/${budget}`, { limitUsd: '5.1' });
      const left = Number((CAP + TEN_CENTS - spent) / TEN_CENTS);
      const survivor = at(cluster, 1);
      const next: (number | undefined)[] = [];
      for (let index = 0; index <= left; index++) next.push(await call(account, survivor));
      expect(next).toEqual([...Array.from({ length: left }, () => 200), 429]);
      expect(await cluster.books.budget(budget)).toEqual({ spent: CAP + TEN_CENTS, held: 0n });
      expect(await cluster.books.differences()).toEqual([]);
      reportProof(1, {
        'held after kill -9 and lease expiry': 0,
        'seconds until nothing was held': (freedAfterMs / 1000).toFixed(1),
        'next call': 'admitted',
      });
    },
    TIMEOUT_MS,
  );
});

function at(cluster: ServiceCluster, slot: number): string {
  const url = cluster.url(slot);
  if (url === undefined) throw new Error(`Process ${slot} is down`);
  return url;
}

function countOf(statuses: readonly (number | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[String(status)] = (counts[String(status)] ?? 0) + 1;
  return counts;
}
