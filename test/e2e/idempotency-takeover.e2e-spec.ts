import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clientOf, startApp, type TestApp, testEnv } from '../support/app';
import { eventually } from '../support/eventually';
import { ServiceProcess } from '../support/service-process';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const REPLAY = 'x-lattice-idempotent-replay';
const LEASE = { HOLD_LEASE_MS: '1500' };

describe('Idempotency-Key over two processes', () => {
  let truth: TruthProvider;
  let survivor: TestApp;
  let victim: ServiceProcess;
  let victimUrl: string;
  let dataDir: string;

  beforeAll(async () => {
    truth = await startTruthProvider();
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-victim-'));
    survivor = await startApp({ OPENAI_BASE_URL: truth.url, ...LEASE });
    const { url } = survivor.database.options as { url?: string };
    victim = new ServiceProcess(
      testEnv(dataDir, { OPENAI_BASE_URL: truth.url, ...LEASE, DATABASE_URL: String(url) }),
    );
    victimUrl = await victim.url();
  });

  afterAll(async () => {
    await victim.destroy();
    await survivor.close();
    await truth.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const options = (key: string, stream: boolean) => ({
    credential: survivor.admin.key,
    headers: { 'idempotency-key': key },
    body: { model: 'openai/gpt-4o-mini', stream, messages: [{ role: 'user', content: key }] },
  });
  const ask = (url: string, key: string, stream = false) =>
    clientOf(url).call('POST', '/v1/chat/completions', options(key, stream));
  const attemptsOf = async (key: string) =>
    (await truth.attempts()).filter(({ body }) => JSON.stringify(body.messages).includes(key));
  const isAwaited = (key: string) =>
    eventually(async () => {
      const [row] = await survivor.database.query<{ is_awaited: boolean }[]>(
        'select is_awaited from idempotency_keys where key = $1',
        [key],
      );
      return row?.is_awaited ? true : undefined;
    });
  const seen = (key: string) =>
    truth.waitFor((all) => all.some(({ body }) => JSON.stringify(body.messages).includes(key)));

  it('waits for the other process longer than a lease, and gives its answer', async () => {
    await truth.script({ delayMs: 2500 });
    const first = ask(victimUrl, 'shared', true);
    await seen('shared');
    const second = ask(survivor.url, 'shared', true);
    await isAwaited('shared');
    const [mine, theirs] = await Promise.all([second, first]);
    expect([theirs.status, mine.status, mine.headers.get(REPLAY)]).toEqual([200, 200, 'true']);
    expect(mine.text).toBe(theirs.text);
    expect(await attemptsOf('shared')).toHaveLength(1);
  });

  it('carries the request out itself when the other process is killed, once for all who wait', async () => {
    await truth.script({ fault: { kind: 'stall' } });
    const lost = ask(victimUrl, 'orphan');
    lost.catch(() => undefined);
    await seen('orphan');
    const waiting = Array.from({ length: 5 }, () => ask(survivor.url, 'orphan'));
    await isAwaited('orphan');
    expect(await attemptsOf('orphan')).toHaveLength(1);
    victim.kill('SIGKILL');
    await expect(lost).rejects.toThrow();
    const answers = await Promise.all(waiting);
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(answers.filter(({ headers }) => headers.get(REPLAY) === null)).toHaveLength(1);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const attempts = await attemptsOf('orphan');
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['client_closed', 'completed']);
    expect((await ask(survivor.url, 'orphan')).text).toBe(answers[0]?.text);
  }, 20_000);
});
