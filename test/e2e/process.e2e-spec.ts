import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clientOf, testEnv } from '../support/app';
import { listen } from '../support/listen';
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

  it('logs one event per upstream attempt, with ids and figures and without prompt or credential', async () => {
    truth = await startTruthProvider();
    const running = start({
      OPENAI_BASE_URL: truth.url,
      OPENAI_API_KEY: 'sk-upstream-secret-1234',
      LOG_LEVEL: 'debug',
    });
    const account = await clientOf(await running.url()).register();
    await truth.script({ fault: { kind: 'status', status: 500 } });
    const answer = await clientOf(await running.url()).call('POST', '/v1/chat/completions', {
      credential: account.key,
      headers: {
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        'x-lattice-fallback': 'none',
      },
      body: { model: 'openai/gpt-4o-mini', messages: [{ role: 'user', content: 'my confidential plan' }] },
    });
    expect(answer.status).toBe(200);
    running.kill('SIGTERM');
    await running.exited();
    const lines = running.output.split('\n').filter((line) => line.startsWith('{'));
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const ids = {
      requestId: answer.headers.get('x-lattice-request-id'),
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    };
    expect(events.filter(({ event }) => event === 'llm_call')).toEqual([
      expect.objectContaining({ ...ids, outcome: 'failed', status: 'PROVIDER_OVERLOADED', retryCount: 0 }),
      expect.objectContaining({
        ...ids,
        level: 'info',
        provider: 'openai',
        model: 'openai/gpt-4o-mini',
        promptChars: 20,
        promptTokens: expect.any(Number),
        completionTokens: expect.any(Number),
        costPicoUsd: expect.stringMatching(/^\d+$/),
        latencyMs: expect.any(Number),
        retryCount: 1,
        status: 'ok',
        outcome: 'succeeded',
      }),
    ]);
    expect(events.find(({ event }) => event === 'retry')).toMatchObject({ ...ids, level: 'warn' });
    for (const secret of [
      'confidential',
      'sk-upstream-secret',
      account.key,
      account.accessToken,
      'correct horse',
    ]) {
      expect(running.output).not.toContain(secret);
    }
  });

  it('leaves nothing behind when the port is taken', async () => {
    const blocker = createServer();
    const running = start({ PORT: String(await listen(blocker)) });
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
