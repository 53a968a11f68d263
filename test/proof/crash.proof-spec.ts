import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clientOf, startApp, type TestApp, testEnv } from '../support/app';
import { eventually } from '../support/eventually';
import { ServiceProcess } from '../support/service-process';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';

/**
 * Promise 5 and 8: a process that is killed while a request is under way leaves no hold behind, and what it had sent is
 * booked at a labelled bound by another process, which here is the one of the test.
 */
describe('kill -9 during a request', () => {
  let truth: TruthProvider;
  let survivor: TestApp;
  let dataDir: string;
  let victim: ServiceProcess | undefined;

  beforeAll(async () => {
    truth = await startTruthProvider();
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-victim-'));
    survivor = await startApp({ OPENAI_BASE_URL: truth.url, HOLD_LEASE_MS: '1500' });
  });

  afterAll(async () => {
    await victim?.destroy();
    await survivor.close();
    await truth.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const startVictim = (): ServiceProcess =>
    new ServiceProcess(
      testEnv(dataDir, {
        OPENAI_BASE_URL: truth.url,
        HOLD_LEASE_MS: '1500',
        DATABASE_URL: String((survivor.database.options as { url?: string }).url),
      }),
    );

  it('settles what was sent at its bound, frees the hold, and the counters equal the lines', async () => {
    victim = startVictim();
    const url = await victim.url();
    const { key } = survivor.admin;
    await survivor.createBudget(survivor.admin, '5');
    await truth.script({ fault: { kind: 'stall' } });
    const before = (await truth.attempts()).length;
    const lost = clientOf(url).call('POST', '/v1/chat/completions', {
      credential: key,
      body: { model: MODEL, messages: [{ role: 'user', content: 'kill me' }], max_tokens: 100 },
    });
    lost.catch(() => undefined);
    await truth.waitFor((attempts) => attempts.length > before);
    victim.kill('SIGKILL');
    await expect(lost).rejects.toThrow();

    const line = await eventually(
      async () => (await survivor.lines()).find((booked) => booked.outcome === 'crashed'),
      20_000,
    );
    const [attempt] = (await truth.endedAttempts(before + 1)).slice(before);
    expect(line).toMatchObject({ model: MODEL, usageSource: 'upper_bound', attempt: 1 });
    expect(line.promptTokens).toBeGreaterThanOrEqual(attempt?.promptTokens ?? Infinity);
    expect(line.completionTokens).toBeGreaterThanOrEqual(attempt?.completionTokens ?? Infinity);
    expect(Number(line.costUsd)).toBeGreaterThan(0);
    expect(await survivor.database.query('select 1 from holds')).toEqual([]);
    expect(await survivor.reconcile()).toEqual([]);

    const next = await survivor.call('POST', '/v1/chat/completions', {
      body: { model: MODEL, messages: [{ role: 'user', content: 'again' }], max_tokens: 100 },
    });
    expect(next.status).toBe(200);
    expect(await survivor.reconcile()).toEqual([]);
  });
});
