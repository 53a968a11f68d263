/**
 * Promise 4: a ledger per attempt. Zero to four attempts fail, each in its own way, over a chain of differently priced
 * models; half-way an operator changes a price.
 */
import type { Account } from '../support/app';
import { type Audit, audit } from '../support/proof/audit';
import type { BookedLine } from '../support/proof/books';
import { ask, inParallel, scripted } from '../support/proof/load';
import { CHEAP, DEAR, MIDDLE, type ProofModel, proofModelsFolder } from '../support/proof/models';
import type { ListPrice } from '../support/proof/price-oracle';
import { type Random, withRandom } from '../support/proof/random';
import { ServiceCluster } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';
import type { Attempt, Behaviour, Fault } from '../support/truth-provider/truth-provider';

const SCRIPTS = proofSize(80, 2000);
const AT_A_TIME = 32;
const MOST_FAILURES = 4;
/** For whole answers and first bytes alike: what an unresponsive provider costs this proof in time. */
const PATIENCE_MS = 1500;
const SETTLE_MS = 30_000;
const TIMEOUT_MS = proofSize(60_000, 600_000);

const NEW_PRICE: ListPrice = {
  input: '0.290003',
  output: '0.910001',
  cachedRead: '0.019',
  tiers: [{ fromPromptTokens: 60, input: '0.580007', output: '1.700003' }],
};

const STATUSES = [401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 504, 529];
const FINAL_STATUSES = [400, 422];

function faultOf(random: Random): Fault {
  const faults: readonly Fault[] = [
    { kind: 'status', status: random.pick(STATUSES) },
    { kind: 'status', status: random.pick(STATUSES) },
    { kind: 'status', status: 429, retryAfter: 0 },
    { kind: 'cut' },
    { kind: 'cut', afterChunks: 0 },
    { kind: 'clean-eof', afterChunks: 0 },
    { kind: 'malformed' },
    { kind: 'error-body' },
    { kind: 'error-frame' },
    { kind: 'content-type' },
    { kind: 'empty' },
    { kind: 'stall' },
  ];
  if (random.chance(0.02)) return { kind: 'status', status: random.pick(FINAL_STATUSES) };
  return random.pick(faults);
}

function answerOf(random: Random): Behaviour {
  return {
    answer: random.words(random.int(1, 40)),
    ...(random.chance(0.3) ? { reasoning: random.words(random.int(1, 10)) } : {}),
    ...(random.chance(0.3) ? { usage: { cachedTokens: random.int(1, 8) } } : {}),
  };
}

function stepsOf(random: Random): readonly Behaviour[] {
  const failing = Array.from({ length: random.int(0, MOST_FAILURES) }, () => ({
    ...answerOf(random),
    fault: faultOf(random),
  }));
  return [...failing, answerOf(random)];
}

function chainOf(random: Random): readonly ProofModel[] {
  const chain: ProofModel[] = [];
  const left = [CHEAP, MIDDLE, DEAR];
  for (let length = random.int(1, 3); length > 0; length--) {
    chain.push(...left.splice(random.int(0, left.length - 1), 1));
  }
  return chain;
}

describe('attempts that fail on the way to an answer', () => {
  let cluster: ServiceCluster;
  let account: Account;
  const scripts = new Map<string, readonly Behaviour[]>();

  beforeAll(async () => {
    const patience = { firstByteMs: PATIENCE_MS, idleMs: PATIENCE_MS, totalMs: PATIENCE_MS };
    const env = { LATTICE_CONFIG_DIR: proofModelsFolder(patience) };
    cluster = await ServiceCluster.start({ processes: 1, env });
    account = await cluster.register();
    await cluster.createBudget(account, '1000000000');
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  const run = async (random: Random, name: string): Promise<number | undefined> => {
    const steps = stepsOf(random);
    scripts.set(name, steps);
    await cluster.truth.script({ name, steps });
    const [first, ...others] = chainOf(random).map(({ id }) => id);
    const body = {
      model: first,
      messages: [scripted(name, random.words(random.int(1, 100)))],
      ...(others.length > 0 ? { models: others } : { lattice: { fallback: 'none' } }),
      ...(random.chance(0.7) ? { max_tokens: random.int(100, 400) } : {}),
      ...(random.chance(0.1) ? { n: 2 } : {}),
      stream: random.chance(0.5),
    };
    return await ask({ url: cluster.urls[0] ?? '', key: account.key, body });
  };

  /** Runs scripts and audits what they have added to log and books. */
  const round = async (random: Random, name: string, models: readonly ProofModel[]): Promise<Round> => {
    const known = new Set((await cluster.log()).map(({ id }) => id));
    const booked = new Set((await cluster.books.lines()).map(({ requestId }) => requestId));
    let answered = 0;
    await inParallel(SCRIPTS / 2, AT_A_TIME, async (index) => {
      if ((await run(random, `${name}-${index}`)) === 200) answered += 1;
    });
    await cluster.books.settled(SETTLE_MS);
    const attempts = (await cluster.log()).filter(({ id }) => !known.has(id));
    const lines = (await cluster.books.lines()).filter(({ requestId }) => !booked.has(requestId));
    const priceVersions = await cluster.books.priceVersions();
    const result = audit({ attempts, lines, models, priceVersions, mayStandAlone: () => false });
    return { ...result, answered, unbilled: rejectedLines(attempts, lines, scripts) };
  };

  it(
    'books each at its own model and price version, to the last digit',
    () =>
      withRandom(async (random) => {
        const before = await round(random, 'before', [CHEAP, MIDDLE, DEAR]);
        await cluster.administer('PUT', `/api/v1/catalog/prices/${MIDDLE.id}`, NEW_PRICE);
        const after = await round(random, 'after', [CHEAP, { ...MIDDLE, price: NEW_PRICE }, DEAR]);

        for (const result of [before, after]) {
          expect(result.faults.slice(0, 5)).toEqual([]);
          expect(result.exactBookedPico).toBe(result.exactChargedPico);
          expect(result.bookedPico).toBeGreaterThanOrEqual(result.chargedPico);
          expect(result.unbilled.length).toBeGreaterThan(0);
          expect(result.unbilled.filter(({ costPico }) => costPico !== 0n)).toEqual([]);
          expect(result.answered).toBeGreaterThan(SCRIPTS / 4);
        }
        expect(await cluster.books.differences()).toEqual([]);
        const sum = (of: (result: Round) => number): number => of(before) + of(after);
        reportProof(4, {
          'fault scripts': SCRIPTS,
          'answered in the end': sum(({ answered }) => answered),
          'attempts in the log': sum(({ attempts }) => attempts),
          'lines equal to the log': sum(({ exact }) => exact),
          'of these refused by the provider and booked at $0': sum(({ unbilled }) => unbilled.length),
          'lines at a labelled bound, none below the log': sum(({ bounded }) => bounded),
          'attempts without a line, lines without an attempt': 0,
        });
      }),
    TIMEOUT_MS,
  );
});

interface Round extends Audit {
  readonly answered: number;
  /** Lines of attempts that the provider answered with an error status. */
  readonly unbilled: readonly BookedLine[];
}

function rejectedLines(
  attempts: readonly Attempt[],
  lines: readonly BookedLine[],
  scripts: ReadonlyMap<string, readonly Behaviour[]>,
): readonly BookedLine[] {
  const byName = new Map(lines.map((line) => [`${line.requestId} ${line.attempt}`, line]));
  const numbers = new Map<string, number>();
  return attempts.flatMap((attempt) => {
    const { requestId = '' } = attempt;
    const number = (numbers.get(requestId) ?? 0) + 1;
    numbers.set(requestId, number);
    const steps = scripts.get(/\[\[script:([^\]]+)\]\]/.exec(JSON.stringify(attempt.body))?.[1] ?? '') ?? [];
    const step = steps[Math.min(number, steps.length) - 1];
    const line = byName.get(`${requestId} ${number}`);
    return line && step?.fault?.kind === 'status' ? [line] : [];
  });
}
