import { setTimeout as delay } from 'node:timers/promises';
import { clientOf } from '../support/app';
import { PrivateServer } from '../support/database/private-server';
import { eventually } from '../support/eventually';
import { freePort } from '../support/free-port';
import { proofSize, reportProof } from '../support/proof-report';
import { audit } from '../support/proof/audit';
import { ask, scripted } from '../support/proof/load';
import { MIDDLE, PROOF_MODELS, proofModelsFolder } from '../support/proof/models';
import { ServiceCluster } from '../support/proof/service-cluster';

const STOPPED_MS = proofSize(4000, 60_000);
const FROZEN_MS = proofSize(4000, 20_000);
const CLIENTS = proofSize(6, 16);
const LEASE_MS = 3000;
const RECOVERY_LIMIT_MS = 5000;
const PAUSE_AFTER_FAILURE_MS = 50;
const JSON_ANSWER = { answer: 'one two three four five six', delayMs: 60 };
const STREAM_ANSWER = { answer: 'a b c d e f g h', chunks: 8, chunkDelayMs: 40 };

/** One call as its client saw it. */
interface Call {
  readonly slot: number;
  readonly startedAt: number;
  readonly ms: number;
  /** Undefined: no process answered, because it was killed. */
  readonly status?: number;
}

/** The processes: without a float, and with one. */
const [PLAIN, FLOATING] = [0, 1];

/**
 * Promise: PostgreSQL stopped under load costs callers nothing but 503s. One process has no float, the other one has;
 * that one is killed while PostgreSQL is away, and starts again before it is back.
 */
describe('PostgreSQL stopped under load', () => {
  const calls: Call[] = [];
  /** Known before a process is ready. */
  const ports: number[] = [];
  let postgres: PrivateServer;
  let cluster: ServiceCluster;
  let isLoaded = true;

  beforeAll(async () => {
    ports.push(await freePort(), await freePort());
    postgres = await PrivateServer.start();
    const [plain, floating] = ports.map((port) => ({ PORT: String(port) }));
    cluster = await ServiceCluster.start({
      processes: 2,
      env: { LATTICE_CONFIG_DIR: proofModelsFolder(), HOLD_LEASE_MS: String(LEASE_MS) },
      own: [{ ...plain }, { ...floating, DEGRADED_FLOAT_USD: '100' }],
      databaseUrl: postgres.url,
    });
    await cluster.truth.script({ name: 'json', ...JSON_ANSWER }, { name: 'stream', ...STREAM_ANSWER });
  }, 120_000);

  afterAll(async () => {
    isLoaded = false;
    await cluster?.close();
    await postgres?.stop();
  });

  const urlOf = (slot: number): string => `http://127.0.0.1:${ports[slot]}`;

  async function client(slot: number, index: number): Promise<void> {
    const isStream = index % 2 === 1;
    const body = {
      model: MIDDLE.id,
      max_tokens: 60,
      messages: [scripted(isStream ? 'stream' : 'json', `Client ${index}`)],
      ...(isStream ? { stream: true } : {}),
    };
    while (isLoaded) {
      const startedAt = performance.now();
      const status = await ask({ url: urlOf(slot), key: cluster.admin.key, body });
      calls.push({ slot, startedAt, ms: performance.now() - startedAt, status });
      if (status !== 200) await delay(PAUSE_AFTER_FAILURE_MS);
    }
  }

  /** Milliseconds from the moment until the process has answered a call that came after it. */
  async function recoveredAfter(slot: number, at: number): Promise<number> {
    const first = await eventually(
      () =>
        Promise.resolve(
          calls.find((call) => call.slot === slot && call.startedAt >= at && call.status === 200),
        ),
      60_000,
    );
    return Math.round(first.startedAt + first.ms - at);
  }

  const health = async (slot: number, route: string): Promise<number> =>
    (await clientOf(urlOf(slot)).call('GET', route)).status;

  it('costs no credential, no line and no restart', async () => {
    const { books } = cluster;
    await cluster.createBudget(cluster.admin, '1000');
    const load = Promise.all(
      [PLAIN, FLOATING].flatMap((slot) => Array.from({ length: CLIENTS }, (_, index) => client(slot, index))),
    );
    const served = (slot: number, since: number): number =>
      calls.filter((call) => call.slot === slot && call.startedAt >= since && call.status === 200).length;
    const warm = performance.now();
    await eventually(
      () =>
        Promise.resolve(served(PLAIN, warm) > CLIENTS && served(FLOATING, warm) > CLIENTS ? true : undefined),
      20_000,
    );

    // PostgreSQL is ended hard; half-way the process with the float is killed, and starts without PostgreSQL.
    const stoppedAt = performance.now();
    await postgres.shutDown('immediate');
    await delay(STOPPED_MS / 2);
    const paidByFloat = served(FLOATING, stoppedAt + 1000);
    expect(await health(FLOATING, '/readyz')).toBe(200);
    expect(await health(PLAIN, '/readyz')).toBe(503);
    await cluster.kill(FLOATING);
    const restarted = cluster.restart(FLOATING);
    await eventually(
      () =>
        health(FLOATING, '/healthz').then(
          (status) => (status === 200 ? true : undefined),
          () => undefined,
        ),
      60_000,
    );
    expect(await health(FLOATING, '/readyz')).toBe(503);
    await delay(Math.max(0, STOPPED_MS - (performance.now() - stoppedAt)));
    const stoppedMs = performance.now() - stoppedAt;
    await postgres.startAgain();
    const backAt = performance.now();
    const afterStop = await recoveredAfter(PLAIN, backAt);
    const coldStart = await recoveredAfter(FLOATING, backAt);
    await restarted;

    // It hangs: connections stay open and nothing is answered.
    const frozenAt = performance.now();
    postgres.freeze();
    await delay(FROZEN_MS);
    postgres.thaw();
    const thawedAt = performance.now();
    const afterFreeze = await recoveredAfter(PLAIN, thawedAt);

    isLoaded = false;
    await load;
    await books.settled(30_000);
    await eventually(() => Promise.resolve(cluster.hasNoJournal() ? true : undefined), 60_000);
    const bookedAfter = Math.round(performance.now() - thawedAt);
    const result = audit({
      attempts: await cluster.log(),
      lines: await books.lines(),
      models: PROOF_MODELS,
      priceVersions: await books.priceVersions(),
      mayStandAlone: (line) => line.usageSource === 'upper_bound',
    });

    const statuses = new Map<number | undefined, number>();
    for (const { status } of calls) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const refused = calls.filter(({ status, startedAt }) => status === 503 && startedAt < backAt);
    reportProof(7, {
      'seconds stopped': Number((stoppedMs / 1000).toFixed(1)),
      'seconds frozen': Number(((thawedAt - frozenAt) / 1000).toFixed(1)),
      calls: calls.length,
      'answers 200': statuses.get(200) ?? 0,
      'answers 503': statuses.get(503) ?? 0,
      'answers 401': statuses.get(401) ?? 0,
      'calls paid by the float': paidByFloat,
      'upstream attempts': result.attempts,
      'lines exact': result.exact,
      'lines at a bound': result.bounded,
      'lines without an attempt': result.alone.length,
      'attempts without a line': result.missing,
      'slowest 503 while stopped, ms': Math.round(Math.max(0, ...refused.map(({ ms }) => ms))),
      'recovery after the stop, ms': afterStop,
      'cold start after the stop, ms': coldStart,
      'recovery after the freeze, ms': afterFreeze,
      'last journal booked after the freeze, ms': bookedAfter,
    });
    expect([...statuses.keys()].filter((status) => ![200, 503, undefined].includes(status))).toEqual([]);
    expect(result.faults).toEqual([]);
    expect(await books.differences()).toEqual([]);
    expect(refused.length).toBeGreaterThan(0);
    expect(paidByFloat).toBeGreaterThan(0);
    expect(afterStop).toBeLessThan(RECOVERY_LIMIT_MS);
    expect(afterFreeze).toBeLessThan(RECOVERY_LIMIT_MS);
  }, 300_000);
});
