/** Promise 5: a cut stream is never $0. Streams that end at a random point, by the hand of either side. */
import type { Account } from '../support/app';
import { audit } from '../support/proof/audit';
import type { BookedLine } from '../support/proof/books';
import { ask, inParallel, scripted } from '../support/proof/load';
import { PROOF_MODELS, proofModelsFolder } from '../support/proof/models';
import { type Random, withRandom } from '../support/proof/random';
import { ServiceCluster } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';
import type { Behaviour, Fault } from '../support/truth-provider/truth-provider';

const STREAMS = proofSize(150, 10_000);
const PROCESSES = proofSize(1, 2);
const AT_A_TIME = proofSize(32, 96);
const MAX_CHUNKS = 12;
const IDLE_MS = 700;
/** So slow that the caller has surely left before the provider has passed the limit that it was given. */
const ENDLESS_PACE_MS = 20;
const SETTLE_MS = 30_000;
const TIMEOUT_MS = proofSize(60_000, 600_000);

/** The role event, the chunks, the finish and the usage. */
const MAX_EVENTS = MAX_CHUNKS + 3;

interface Plan {
  readonly behaviour: Behaviour;
  /** The caller leaves after so many events; undefined: the provider ends it. */
  readonly leaveAfterEvents?: number;
  /** The caller leaves after so many milliseconds, whatever has come. */
  readonly leaveAfterMs?: number;
}

function faultOf(random: Random, chunks: number): Fault {
  const afterChunks = random.int(0, chunks);
  return random.pick<Fault>([
    { kind: 'cut', afterChunks },
    { kind: 'cut', afterChunks, midEvent: true },
    { kind: 'cut' },
    { kind: 'clean-eof', afterChunks },
    { kind: 'stall', afterChunks },
    { kind: 'error-frame', afterChunks },
    { kind: 'malformed', afterChunks },
    { kind: 'no-done' },
    { kind: 'endless' },
  ]);
}

function planOf(random: Random): Plan {
  const chunks = random.int(1, MAX_CHUNKS);
  const behaviour: Behaviour = {
    answer: random.words(random.int(chunks, 40)),
    chunks,
    chunkDelayMs: random.pick([0, 0, 1, 3]),
    delayMs: random.pick([0, 0, 5]),
    ...(random.chance(0.2) ? { reasoning: random.words(random.int(1, 10)) } : {}),
    ...(random.chance(0.2) ? { usage: { cachedTokens: random.int(1, 8) } } : {}),
  };
  const leave = random.chance(0.15)
    ? { leaveAfterMs: random.int(0, 30) }
    : { leaveAfterEvents: random.int(0, MAX_EVENTS) };
  if (random.chance(0.45)) return { behaviour, ...leave };
  const fault = faultOf(random, chunks);
  if (fault.kind === 'endless')
    return { behaviour: { ...behaviour, chunkDelayMs: ENDLESS_PACE_MS, fault }, ...leave };
  return { behaviour: { ...behaviour, fault }, ...(random.chance(0.1) ? leave : {}) };
}

describe('streams cut at a random point', () => {
  let cluster: ServiceCluster;
  let account: Account;

  beforeAll(async () => {
    const patience = { firstByteMs: 20_000, idleMs: IDLE_MS, totalMs: 60_000 };
    const env = { LATTICE_CONFIG_DIR: proofModelsFolder(patience) };
    cluster = await ServiceCluster.start({ processes: PROCESSES, env });
    account = await cluster.register();
    await cluster.createBudget(account, '1000000000');
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  const run = async (random: Random, index: number): Promise<void> => {
    const { behaviour, leaveAfterEvents, leaveAfterMs } = planOf(random);
    const body = {
      model: random.pick(PROOF_MODELS).id,
      messages: [scripted(behaviour, random.words(random.int(1, 100)))],
      stream: true,
      stream_options: { include_usage: random.chance(0.5) },
      ...(random.chance(0.7) ? { max_tokens: random.int(200, 800) } : {}),
    };
    const url = cluster.urls[index % PROCESSES] ?? '';
    const signal = leaveAfterMs === undefined ? undefined : AbortSignal.timeout(leaveAfterMs);
    await ask({ url, key: account.key, body, leaveAfterEvents, signal });
  };

  it(
    'books each at the log’s figures or at a labelled bound, and none at nothing',
    () =>
      withRandom(async (random) => {
        await inParallel(STREAMS, AT_A_TIME, (index) => run(random, index));
        await cluster.books.settled(SETTLE_MS);
        const attempts = await cluster.log();
        const lines = await cluster.books.lines();
        const result = audit({
          attempts,
          lines,
          models: PROOF_MODELS,
          priceVersions: await cluster.books.priceVersions(),
          mayStandAlone: isCancelledEarly,
        });
        expect(result.faults.slice(0, 5)).toEqual([]);
        expect(result.attempts).toBeGreaterThanOrEqual(STREAMS * 0.8);
        expect(Math.min(result.exact, result.bounded)).toBeGreaterThan(STREAMS / 10);
        expect(result.exactBookedPico).toBe(result.exactChargedPico);
        expect(result.bookedPico).toBeGreaterThanOrEqual(result.chargedPico);
        expect(await cluster.books.differences()).toEqual([]);
        reportProof(3, {
          streams: STREAMS,
          'attempts in the log': result.attempts,
          'lines equal to the log': result.exact,
          'lines at a labelled bound, none below the log': result.bounded,
          'lines of callers that left before the provider was reached': result.alone.length,
          'attempts without a line': 0,
          'charged but booked at $0': 0,
        });
      }),
    TIMEOUT_MS,
  );
});

/** The caller left while the request was on its way: nothing was sent, or so little that the provider saw no request. */
function isCancelledEarly(line: BookedLine): boolean {
  return line.outcome === 'cancelled' && (line.costPico === 0n || line.usageSource === 'upper_bound');
}
