/**
 * Promises 5 and 8: kill anything. Processes are killed at random moments while they answer, stream, run tools and try
 * again, and come back; callers never stop. Every attempt in the provider's log is booked exactly once.
 */
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from '../support/app';
import { audit } from '../support/proof/audit';
import { KillWatch } from '../support/proof/kill-watch';
import { reply, scripted } from '../support/proof/load';
import { PROOF_MODELS, proofModelsFolder } from '../support/proof/models';
import { type Random, withRandom } from '../support/proof/random';
import { ServiceCluster } from '../support/proof/service-cluster';
import { isFullSize, proofSize, reportProof } from '../support/proof-report';
import type { Behaviour } from '../support/truth-provider/truth-provider';

const KILLS = proofSize(3, 200);
const PROCESSES = proofSize(2, 3);
const CALLERS_PER_PROCESS = proofSize(4, 6);
/** The promise for the default lease of 15 s; CI shortens the lease. */
const FREE_WITHIN_MS = 20_000;
const TIMEOUT_MS = proofSize(90_000, 1_200_000);

describe('kill -9 at random moments', () => {
  let cluster: ServiceCluster;
  let accounts: readonly Account[];

  beforeAll(async () => {
    const env = { LATTICE_CONFIG_DIR: proofModelsFolder(), ...(isFullSize ? {} : { HOLD_LEASE_MS: '2000' }) };
    cluster = await ServiceCluster.start({ processes: PROCESSES, env });
    const made: Account[] = [];
    for (let slot = 0; slot < PROCESSES; slot++) made.push(await cluster.register());
    for (const account of made) await cluster.createBudget(account, '1000000000');
    accounts = made;
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  it(
    'books every attempt once and leaves no hold behind',
    () =>
      withRandom(async (random) => {
        const watch = new KillWatch(cluster.books);
        const load = new Load(cluster, accounts, random);
        try {
          await killAtRandom({ cluster, accounts, random, load, watch });
          await load.stop();
          await watch.allFreed(FREE_WITHIN_MS * 2);
        } finally {
          await Promise.all([load.stop(), watch.stop()]);
        }
        await cluster.books.settled(FREE_WITHIN_MS);

        const attempts = await cluster.log();
        const lines = await cluster.books.lines();
        const crashed = lines.filter(({ outcome }) => outcome === 'crashed');
        const result = audit({
          attempts,
          lines,
          models: PROOF_MODELS,
          priceVersions: await cluster.books.priceVersions(),
          mayStandAlone: ({ outcome, usageSource }) => outcome === 'crashed' && usageSource === 'upper_bound',
        });
        expect(result.faults.slice(0, 5)).toEqual([]);
        expect(crashed.filter(({ requestId }) => load.answered.has(requestId))).toEqual([]);
        expect(crashed.length).toBeGreaterThan(0);
        const slowest = Math.max(...watch.freedAfterMs.map((milliseconds) => milliseconds ?? Infinity));
        expect(slowest).toBeLessThan(FREE_WITHIN_MS);
        expect(await cluster.books.differences()).toEqual([]);
        reportProof(5, {
          'kills with requests in flight': watch.count,
          processes: PROCESSES,
          'requests answered whole': load.answered.size,
          'attempts in the log': result.attempts,
          'lines equal to the log': result.exact,
          'lines at a labelled bound': result.bounded + result.alone.length,
          'of these without an attempt in the log, in flight at a kill': result.alone.length,
          'attempts booked twice or never': 0,
          'longest time until a killed process held nothing, in seconds': (slowest / 1000).toFixed(1),
        });
      }),
    TIMEOUT_MS,
  );
});

interface Stage {
  readonly cluster: ServiceCluster;
  readonly accounts: readonly Account[];
  readonly random: Random;
  readonly load: Load;
  readonly watch: KillWatch;
}

/** Every process is killed again and again, each at its own moments; one is always up. */
async function killAtRandom(stage: Stage): Promise<void> {
  let left = KILLS;
  const haunt = async (slot: number): Promise<void> => {
    while (left > 0) {
      await stage.load.answers(slot, stage.random.int(2, 25));
      await delay(stage.random.int(0, 60));
      if (left === 0) return;
      if (stage.cluster.urls.length === 1) continue;
      left -= 1;
      await stage.cluster.kill(slot);
      stage.watch.killed(stage.accounts[slot]?.keyId ?? '');
      await stage.cluster.restart(slot);
    }
  };
  await Promise.all(stage.accounts.map((_, slot) => haunt(slot)));
}

/** Callers of every process, who ask the next question as soon as the last one has ended. */
class Load {
  /** Requests whose callers have got the whole answer. */
  readonly answered = new Set<string>();
  private readonly ended = new EventEmitter();
  private readonly callers: readonly Promise<void>[];
  private isRunning = true;
  private named = 0;

  constructor(
    private readonly cluster: ServiceCluster,
    accounts: readonly Account[],
    private readonly random: Random,
  ) {
    this.ended.setMaxListeners(0);
    this.callers = accounts.flatMap((account, slot) =>
      Array.from({ length: CALLERS_PER_PROCESS }, () => this.callOn(slot, account)),
    );
  }

  /** Waits until that many more answers of this process have come. */
  async answers(slot: number, count: number): Promise<void> {
    for (let seen = 0; seen < count; seen++) await once(this.ended, `answer-${slot}`);
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    await Promise.all(this.callers);
  }

  private async callOn(slot: number, { key }: Account): Promise<void> {
    while (this.isRunning) {
      const url = this.cluster.url(slot);
      if (url === undefined) {
        await delay(20);
        continue;
      }
      const answer = await reply({ url, key, body: await this.question() });
      if (answer?.requestId) this.answered.add(answer.requestId);
      if (answer) this.ended.emit(`answer-${slot}`);
    }
  }

  private async question(): Promise<object> {
    const { random } = this;
    const kind = random.pick(['json', 'stream', 'tools', 'retries']);
    const script = kind === 'retries' ? await this.retries() : this.answer(kind === 'tools');
    return {
      model: random.pick(PROOF_MODELS).id,
      messages: [scripted(script, random.words(random.int(1, 30)))],
      stream: kind === 'stream' || random.chance(0.3),
      max_tokens: 200,
      ...(kind === 'tools' ? { lattice: { tools: ['current_time'] } } : {}),
    };
  }

  private answer(callsTools = false): Behaviour {
    const { random } = this;
    return {
      answer: random.words(random.int(1, 40)),
      delayMs: random.int(0, 150),
      chunkDelayMs: random.int(0, 20),
      ...(callsTools ? { toolCalls: [{ name: 'current_time' }], toolRounds: random.int(1, 3) } : {}),
    };
  }

  private async retries(): Promise<string> {
    const { random } = this;
    this.named += 1;
    const name = `retries-${this.named}`;
    const failing = Array.from({ length: random.int(1, 2) }, (): Behaviour => ({
      ...this.answer(),
      fault: random.chance(0.5) ? { kind: 'status', status: 503 } : { kind: 'cut' },
    }));
    await this.cluster.truth.script({ name, steps: [...failing, this.answer()] });
    return name;
  }
}
