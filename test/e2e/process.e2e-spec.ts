import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clientOf, testEnv } from '../support/app';
import { ServiceProcess } from '../support/service-process';
import { parseSse } from '../support/sse';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const DRAIN_SECONDS = 1;

describe('the process', () => {
  let dataDir: string;
  let service: ServiceProcess | undefined;
  let truth: TruthProvider | undefined;

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-process-'));
  });

  afterEach(async () => {
    await service?.destroy();
    await truth?.stop();
    [service, truth] = [undefined, undefined];
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = (env: NodeJS.ProcessEnv = {}) => (service = new ServiceProcess(testEnv(dataDir, env)));

  it('prints what a newcomer needs at its first start, and the account works as printed', async () => {
    const running = start({ LATTICE_ENV: 'dev', LATTICE_SECRET_KEY: '' });
    const url = await running.url();
    expect(running.output).toContain(`Swagger UI: ${url}/docs`);
    expect(running.output).toContain('/api/v1/auth/register');
    expect(running.output).toMatch(/openai\s+- Set OPENAI_API_KEY/);
    expect(running.output).toMatch(/sandbox\s+available/);
    const body: unknown = JSON.parse(/-d '(\{.*\})'/.exec(running.output)?.[1] ?? '');
    const answer = await clientOf(url).call('POST', '/api/v1/auth/register', { body });
    expect([answer.status, answer.body.user]).toEqual([201, expect.objectContaining({ role: 'admin' })]);
  });

  it('asks in production for the one-time token that its first start prints', async () => {
    const running = start({ LATTICE_ENV: 'production', HOST: '127.0.0.1' });
    const url = await running.url();
    const body = JSON.parse(/-d '(\{.*\})'/.exec(running.output)?.[1] ?? '') as Record<string, string>;
    const { setupToken, ...without } = body;
    const register = (account: object) =>
      clientOf(url).call('POST', '/api/v1/auth/register', { body: account });
    expect(setupToken).toMatch(/^lls_/);
    expect((await register(without)).status).toBe(400);
    expect((await register({ ...without, setupToken: 'lls_wrong' })).status).toBe(400);
    expect((await register(body)).status).toBe(201);
    expect((await clientOf(url).call('GET', '/readyz')).status).toBe(503);
  });

  it('ends open streams with an error event and leaves within the drain limit and a second, with its database', async () => {
    truth = await startTruthProvider();
    const running = start({ OPENAI_BASE_URL: truth.url });
    const url = await running.url();
    const account = await clientOf(url).register();
    await truth.script({ fault: { kind: 'endless' }, chunkDelayMs: 5 });
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'openai/gpt-4o-mini',
        stream: true,
        messages: [{ role: 'user', content: 'x' }],
      }),
    });
    const text = response.text();
    await truth.waitFor((attempts) => (attempts[0]?.sentChunks ?? 0) > 2);
    const asked = performance.now();
    running.kill('SIGTERM');
    const events = parseSse(await text);
    expect(events).not.toContain('[DONE]');
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ error: { code: 'SERVICE_UNAVAILABLE' } });
    expect(await running.exited()).toBe(0);
    // The drain limit, a second, and what a busy machine takes to stop PostgreSQL.
    expect(performance.now() - asked).toBeLessThan(DRAIN_SECONDS * 1000 + 1000 + 1500);
    expect(running.postgresPid()).toBeUndefined();
    expect((await truth.endedAttempts(1))[0]?.outcome).toBe('client_closed');
  });

  it('leaves nothing behind when the port is taken', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const running = start({ PORT: String(port) });
    expect(await running.exited()).toBe(1);
    expect(running.output).toContain('the port is taken');
    expect(running.postgresPid()).toBeUndefined();
    blocker.close();
  });

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    [
      'production without a secret key',
      { LATTICE_ENV: 'production', LATTICE_SECRET_KEY: '' },
      /LATTICE_SECRET_KEY/,
    ],
    ['a variable that makes no sense', { MAX_FUNCTION_CALLS: 'hunter2' }, /MAX_FUNCTION_CALLS/],
  ])('refuses %s before it starts anything, naming the variable', async (_, env, expected) => {
    const running = start(env);
    expect(await running.exited()).toBe(1);
    expect(running.output).toMatch(expected);
    expect(running.output).not.toContain('hunter2');
    expect(running.output.trim().split('\n')).toHaveLength(1);
    expect(running.postgresPid()).toBeUndefined();
  });

  it('says which file of the catalog is wrong, where and why, and stops its database', async () => {
    mkdirSync(path.join(dataDir, 'config', 'catalog'), { recursive: true });
    writeFileSync(
      path.join(dataDir, 'config', 'catalog', 'mine.yaml'),
      'models:\n  - id: openai/gpt-4o\n    contextWindowTokens: many\n',
    );
    const running = start({ LATTICE_CONFIG_DIR: path.join(dataDir, 'config') });
    expect(await running.exited()).toBe(1);
    expect(running.output).toMatch(/mine\.yaml.*contextWindowTokens/s);
    expect(running.postgresPid()).toBeUndefined();
  });
});
