/**
 * Promise 2: exact money. Random usages of every token kind, at tiny and dear prices with tiers, go through the
 * settlement of the product; the ledger's totals equal a sum that knows nothing of the product, to the last digit.
 */
import { PriceBook, type PriceVersion } from '../../src/catalog/index';
import { fromApiId, type RequestContext } from '../../src/common/index';
import { settledSuccess } from '../../src/execution/settlement';
import { LedgerService, type SettledAttempt } from '../../src/ledger/index';
import { startApp, type TestApp } from '../support/app';
import { catalogFolder, modelsYaml, modelYaml } from '../support/catalog/catalog-folder';
import { aContext, aPlanned } from '../support/factories';
import { type ListPrice, oracleCost, picoOfUsd } from '../support/proof/price-oracle';
import { type Random, withRandom } from '../support/proof/random';
import { aListPrice, aUsage } from '../support/proof/random-usage';
import { proofSize, reportProof } from '../support/proof-report';

const USAGES = proofSize(20_000, 1_000_000);
const MODELS = Array.from({ length: 12 }, (_, index) => `openai/exact-${index}`);
const MOST_ATTEMPTS = 12;
const AT_A_TIME = 64;
const TIMEOUT_MS = proofSize(60_000, 900_000);

/** As GET /api/v1/usage shows a group. */
interface Group {
  readonly model: string;
  attempts: number;
  promptTokens: number;
  completionTokens: number;
}

type Prices = ReadonlyMap<string, ListPrice>;

/** As POST /api/v1/ledger/rerate answers. */
interface Rerated {
  readonly lines: number;
  readonly rerated: number;
  readonly oldUsd: string;
  readonly newUsd: string;
}

describe('the ledger’s arithmetic', () => {
  let app: TestApp;
  const groups = new Map<string, Group>();
  /** In pico-USD: as booked by model, and everything at the prices of one book. */
  const costs = new Map<string, bigint>();
  const atBook = [0n, 0n];
  let books: readonly Prices[] = [];

  beforeAll(async () => {
    const yaml = modelsYaml(...MODELS.map((id) => modelYaml(id, `price: { input: '1', output: '1' }`)));
    app = await startApp({
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      LATTICE_CONFIG_DIR: catalogFolder({ 'exact.yaml': yaml }),
      RATE_LIMIT_USER_PER_HOUR: '0',
    });
    await app.createBudget(app.admin, '1000000000000', { mode: 'soft' });
  }, TIMEOUT_MS);

  afterAll(() => app.close());

  const asAdmin = async <T>(method: string, route: string, body?: object): Promise<T> => {
    const answer = await app.call<T>(method, route, { credential: app.admin.accessToken, body });
    if (answer.status >= 300) throw new Error(`${method} ${route}: ${answer.status} ${answer.text}`);
    return answer.body;
  };

  /** An operator sets a price for every model: a new version each. */
  const setPrices = async (book: number): Promise<void> => {
    for (const [model, price] of books[book] ?? [])
      await asAdmin('PUT', `/api/v1/catalog/prices/${model}`, price);
  };

  /** Draws a usage, adds it to what is expected, and lets the product price it. */
  const settled = (attempt: number, random: Random, book: number): SettledAttempt => {
    const model = random.pick(MODELS);
    const price = app.app.get(PriceBook).current(model);
    if (!price) throw new Error(`${model} has no price`);
    const usage = aUsage(random, listed(books[book], model));
    for (const [index, prices] of books.entries())
      atBook[index] = (atBook[index] ?? 0n) + oracleCost(listed(prices, model), usage);
    const group = groups.get(model) ?? { model, attempts: 0, promptTokens: 0, completionTokens: 0 };
    groups.set(model, group);
    group.attempts += 1;
    group.promptTokens += usage.prompt;
    group.completionTokens += usage.completion;
    costs.set(model, (costs.get(model) ?? 0n) + oracleCost(listed(books[book], model), usage));
    return productLine(attempt, price, {
      promptTokens: usage.prompt,
      cachedReadTokens: usage.cachedRead,
      cacheWriteTokens: usage.cacheWrite,
      cacheWriteOneHourTokens: usage.cacheWriteOneHour,
      completionTokens: usage.completion,
      reasoningTokens: usage.reasoning,
    });
  };

  /** Books that many usages, in requests of one to twelve attempts. */
  const book = async (count: number, random: Random, prices: number): Promise<void> => {
    const ledger = app.app.get(LedgerService);
    const amounts = { worstPicoUsd: 1n, minimumPicoUsd: 1n, estimatePicoUsd: 1n, estimateTokens: 1 };
    let left = count;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        const attempts = Math.min(left, random.int(1, MOST_ATTEMPTS));
        left -= attempts;
        const lines = Array.from({ length: attempts }, (_, index) => settled(index + 1, random, prices));
        const ctx = adminContext(app);
        const intent = { ...NO_BOUND, model: lines[0]?.model ?? '' };
        const hold = await ledger.admit(ctx, { taskType: 'GENERAL', amounts, intent });
        await ledger.settle(ctx, hold, lines);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  };

  const rerate = async (range: { from: string; to: string; priceBook: string }) => {
    const { oldUsd, newUsd, ...counts } = await asAdmin<Rerated>('POST', '/api/v1/ledger/rerate', range);
    return { lines: counts.lines, rerated: counts.rerated, old: picoOfUsd(oldUsd), new: picoOfUsd(newUsd) };
  };

  const total = (): bigint => [...costs.values()].reduce((sum, cost) => sum + cost, 0n);

  const expectTotals = async (): Promise<void> => {
    const [row] = await app.database.query<{ count: string; total: string; disputed: string }[]>(
      'select count(*), sum(cost_pico_usd) as total, count(disputes) as disputed from usage_lines',
    );
    expect(row).toEqual({ count: String(USAGES), total: String(total()), disputed: '0' });
    const usage = await asAdmin<{ data: (Group & { costUsd: string })[] }>(
      'GET',
      '/api/v1/usage?groupBy=model&limit=200',
    );
    for (const { costUsd, ...shown } of usage.data) {
      expect(shown).toMatchObject({ ...groups.get(shown.model) });
      expect(picoOfUsd(costUsd)).toBe(costs.get(shown.model));
    }
    expect(usage.data).toHaveLength(groups.size);
    expect(await app.reconcile()).toEqual([]);
  };

  it(
    'equals a sum of whole numbers over two books of prices, and rates the past again the same',
    () =>
      withRandom(async (random) => {
        books = [0, 1].map(() => new Map(MODELS.map((model) => [model, aListPrice(random)])));
        const from = new Date().toISOString();
        await setPrices(0);
        await book(USAGES / 2, random, 0);
        const change = new Date().toISOString();
        const oldTotal = total();
        await setPrices(1);
        await book(USAGES / 2, random, 1);
        const to = new Date().toISOString();
        await expectTotals();

        const half = { lines: USAGES / 2, rerated: USAGES / 2 };
        const all = { lines: USAGES, rerated: USAGES, old: total() };
        const oldBook = await rerate({ from, to: change, priceBook: change });
        expect(oldBook).toEqual({ ...half, old: oldTotal, new: oldTotal });
        expect(await rerate({ from, to, priceBook: 'booked' })).toEqual({ ...all, new: total() });
        expect(await rerate({ from, to, priceBook: change })).toEqual({ ...all, new: atBook[0] });
        expect(await rerate({ from, to, priceBook: 'current' })).toEqual({ ...all, new: atBook[1] });
        reportProof(2, {
          'random usages': USAGES,
          'models, each with two random prices': MODELS.length,
          'ledger total in pico-USD': String(all.old),
          'oracle total in pico-USD': String(total()),
          'old half, booked, in pico-USD': String(oldTotal),
          'old half, rated again with the old book': String(oldBook.new),
        });
      }),
    TIMEOUT_MS,
  );
});

function listed(prices: Prices | undefined, model: string): ListPrice {
  const price = prices?.get(model);
  if (!price) throw new Error(`No list names ${model}`);
  return price;
}

const NO_BOUND = { attempt: 1, provider: 'openai', boundPromptTokens: 1, boundCompletionTokens: 1 } as const;

/** What the product books for an answer whose provider reports this usage. */
function productLine(
  attempt: number,
  price: PriceVersion,
  usage: Parameters<typeof settledSuccess>[1]['usage'],
): SettledAttempt {
  const { model } = price;
  const sent = {
    planned: aPlanned({ id: model }, price),
    intent: { ...NO_BOUND, attempt, model, priceVersion: price.version },
    choices: 1,
    estimatedPromptTokens: 1,
    isHard: false,
    heldPicoUsd: 1n,
    startedAt: new Date(),
    startedAtMs: performance.now(),
  };
  const report = { usage, finishReason: 'stop', warnings: [] } as const;
  return settledSuccess(sent, report, { endedAtMs: performance.now(), answerBytes: 0 });
}

function adminContext({ admin }: TestApp): RequestContext {
  const userId = fromApiId('usr', admin.userId) ?? '';
  const keyId = fromApiId('key', admin.keyId) ?? undefined;
  return aContext({ principal: { userId, keyId, role: 'admin' } });
}
