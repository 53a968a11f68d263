import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Account, clientOf, testEnv } from '../support/app';
import { PrivateServer } from '../support/database/private-server';
import { eventually } from '../support/eventually';
import { freePort } from '../support/free-port';
import { proofSize, reportProof } from '../support/proof-report';
import { audit } from '../support/proof/audit';
import { Books } from '../support/proof/books';
import { ask, scripted } from '../support/proof/load';
import { MIDDLE, PROOF_MODELS, proofModelsFolder } from '../support/proof/models';
import { ServiceProcess } from '../support/service-process';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

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
  readonly place: string;
  readonly startedAt: number;
  readonly ms: number;
  /** Undefined: no process answered, because it was killed. */
  readonly status?: number;
}

/** A process of the service on a port of its own, so that it can be asked before it is ready. */
interface Place {
  readonly name: string;
  readonly url: string;
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  process: ServiceProcess;
}

/**
 * Promise: PostgreSQL stopped under load costs callers nothing but 503s. One process has no float, the other one has;
 * that one is killed while PostgreSQL is away, and starts again before it is back.
 */
describe('PostgreSQL stopped under load', () => {
  const places: Place[] = [];
  const calls: Call[] = [];
  let truth: TruthProvider;
  let postgres: PrivateServer;
  let books: Books;
  let account: Account;
  let configDir: string;
  let isLoaded = true;

  beforeAll(async () => {
    configDir = proofModelsFolder();
    [truth, postgres] = await Promise.all([startTruthProvider(), PrivateServer.start()]);
    books = new Books(postgres.url);
    await truth.script({ name: 'json', ...JSON_ANSWER }, { name: 'stream', ...STREAM_ANSWER });
  });

  afterAll(async () => {
    isLoaded = false;
    for (const { process } of places) await process.destroy();
    await books.close();
    await postgres.stop();
    await truth.stop();
    for (const { dataDir } of places) rmSync(dataDir, { recursive: true, force: true });
  });

  async function open(name: string, env: NodeJS.ProcessEnv): Promise<Place> {
    const port = await freePort();
    const dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-outage-'));
    const complete = testEnv(dataDir, {
      OPENAI_BASE_URL: truth.url,
      DATABASE_URL: postgres.url,
      LATTICE_CONFIG_DIR: configDir,
      HOLD_LEASE_MS: String(LEASE_MS),
      RATE_LIMIT_USER_PER_HOUR: '0',
      RATE_LIMIT_GLOBAL_PER_HOUR: '0',
      PORT: String(port),
      ...env,
    });
    const process = new ServiceProcess(complete);
    const place = { name, url: `http://127.0.0.1:${port}`, env: complete, dataDir, process };
    places.push(place);
    return place;
  }

  async function client(place: Place, index: number): Promise<void> {
    const isStream = index % 2 === 1;
    const body = {
      model: MIDDLE.id,
      max_tokens: 60,
      messages: [scripted(isStream ? 'stream' : 'json', `Client ${index}`)],
      ...(isStream ? { stream: true } : {}),
    };
    while (isLoaded) {
      const startedAt = performance.now();
      const status = await ask({ url: place.url, key: account.key, body });
      calls.push({ place: place.name, startedAt, ms: performance.now() - startedAt, status });
      if (status !== 200) await delay(PAUSE_AFTER_FAILURE_MS);
    }
  }

  /** Milliseconds from the moment until the place has answered a call that came after it. */
  async function recoveredAfter({ name }: Place, at: number): Promise<number> {
    const first = await eventually(
      () =>
        Promise.resolve(
          calls.find((call) => call.place === name && call.startedAt >= at && call.status === 200),
        ),
      60_000,
    );
    return Math.round(first.startedAt + first.ms - at);
  }

  const health = async ({ url }: Place, route: string): Promise<number> =>
    (await clientOf(url).call('GET', route)).status;

  it('costs no credential, no line and no restart', async () => {
    const [plain, floating] = [await open('plain', {}), await open('float', { DEGRADED_FLOAT_USD: '100' })];
    await Promise.all([plain.process.url(), floating.process.url()]);
    account = await clientOf(plain.url).register();
    await clientOf(plain.url).call('POST', '/api/v1/budgets', {
      credential: account.accessToken,
      body: { scope: 'user', scopeId: account.userId, period: 'total', mode: 'hard', limitUsd: '1000' },
    });
    const load = Promise.all(
      places.flatMap((place) => Array.from({ length: CLIENTS }, (_, index) => client(place, index))),
    );
    const served = (name: string, since: number): number =>
      calls.filter((call) => call.place === name && call.startedAt >= since && call.status === 200).length;
    const warm = performance.now();
    await eventually(
      () =>
        Promise.resolve(
          served('plain', warm) > CLIENTS && served('float', warm) > CLIENTS ? true : undefined,
        ),
      20_000,
    );

    // PostgreSQL is ended hard; half-way the process with the float is killed, and starts without PostgreSQL.
    const stoppedAt = performance.now();
    await postgres.shutDown('immediate');
    await delay(STOPPED_MS / 2);
    const paidByFloat = served('float', stoppedAt + 1000);
    expect(await health(floating, '/readyz')).toBe(200);
    expect(await health(plain, '/readyz')).toBe(503);
    floating.process.kill('SIGKILL');
    await floating.process.exited();
    floating.process = new ServiceProcess(floating.env);
    await eventually(
      () =>
        health(floating, '/healthz').then(
          (status) => (status === 200 ? true : undefined),
          () => undefined,
        ),
      60_000,
    );
    expect(await health(floating, '/readyz')).toBe(503);
    await delay(Math.max(0, STOPPED_MS - (performance.now() - stoppedAt)));
    const stoppedMs = performance.now() - stoppedAt;
    await postgres.startAgain();
    const backAt = performance.now();
    const afterStop = await recoveredAfter(plain, backAt);
    const coldStart = await recoveredAfter(floating, backAt);

    // It hangs: connections stay open and nothing is answered.
    const frozenAt = performance.now();
    postgres.freeze();
    await delay(FROZEN_MS);
    postgres.thaw();
    const thawedAt = performance.now();
    const afterFreeze = await recoveredAfter(plain, thawedAt);

    isLoaded = false;
    await load;
    await books.settled(30_000);
    await eventually(() => Promise.resolve(places.every(hasNoJournal) ? true : undefined), 60_000);
    const bookedAfter = Math.round(performance.now() - thawedAt);
    const log = await eventually(async () => {
      const attempts = await truth.attempts();
      return attempts.every(({ outcome }) => outcome !== 'open') ? attempts : undefined;
    }, 20_000);
    const result = audit({
      attempts: log,
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
      'attempts without a line': result.faults.length,
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

function hasNoJournal({ dataDir }: { readonly dataDir: string }): boolean {
  const folder = path.join(dataDir, 'journal');
  return !existsSync(folder) || !readdirSync(folder).some((name) => name.endsWith('.ndjson'));
}
