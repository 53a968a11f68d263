import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Notifications } from '../../src/database/index';
import { type Account, startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const KEY = 'sk-never-shown-0123456789abcdef';
const GOOGLE_KEY = 'google-never-shown-0123456789';

interface Provider {
  readonly provider: string;
  readonly state: string;
  readonly reason?: string;
  readonly detail: string;
  readonly checkedAt: string | null;
}

interface Health extends Provider {
  readonly latencyMs: number | null;
  readonly models: readonly Record<string, unknown>[];
  readonly traffic: Record<string, unknown>;
}

/** An upstream that answers every request with one status, and repeats the credential in its words. */
async function startRefusing(status: number) {
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `no: ${JSON.stringify(request.headers)}` } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop: () => new Promise<unknown>((resolve) => server.close(resolve)),
  };
}

describe('/api/v1/providers', () => {
  let truth: TruthProvider;
  let refusing: Awaited<ReturnType<typeof startRefusing>>;
  let app: TestApp;
  let operator: Account;
  let viewer: Account;

  beforeAll(async () => {
    truth = await startTruthProvider();
    refusing = await startRefusing(401);
    app = await startApp({
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: truth.url,
      GOOGLE_API_KEY: GOOGLE_KEY,
      GOOGLE_BASE_URL: refusing.url,
      XAI_API_KEY: 'k',
      // Nobody listens there.
      XAI_BASE_URL: 'http://127.0.0.1:1/v1',
      BREAKER_FAILURES: '2',
      BREAKER_OPEN_MS: '60000',
    });
    [operator, viewer] = [await app.register(), await app.register()];
    const made = await app.call('PATCH', `/api/v1/users/${viewer.userId}`, {
      body: { role: 'viewer' },
      credential: app.admin.accessToken,
    });
    expect(made.status).toBe(200);
  });

  afterAll(async () => {
    await app.close();
    await Promise.all([truth.stop(), refusing.stop()]);
  });

  const reset = (credential = app.admin.accessToken, id = 'openai') =>
    app.call<Health>('POST', `/api/v1/providers/${id}/reset`, { credential });

  beforeEach(async () => {
    await truth.clearScripts();
    for (const id of ['openai', 'google']) expect((await reset(app.admin.key, id)).status).toBe(200);
  });

  const health = async (id: string, credential = app.admin.key) =>
    (await app.call<Health>('GET', `/api/v1/providers/${id}/health`, { credential })).body;

  const chat = (model = 'openai/gpt-6-luna') =>
    app.call('POST', '/v1/chat/completions', {
      body: { model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20 },
      headers: { 'x-lattice-fallback': 'none' },
    });

  it('says of each provider what it is worth now, and viewers may read it', async () => {
    const { status, body, text } = await app.call<{ data: Provider[]; nextCursor: null }>(
      'GET',
      '/api/v1/providers',
      { credential: viewer.accessToken },
    );
    expect([status, body.nextCursor]).toEqual([200, null]);
    const states = Object.fromEntries(body.data.map(({ provider, ...rest }) => [provider, rest]));
    expect(states.openai).toMatchObject({ state: 'available', checkedAt: expect.any(String) as string });
    expect(states.google).toMatchObject({ state: 'error', reason: 'credential_rejected' });
    expect(states.google?.detail).toContain('GOOGLE_API_KEY');
    expect(states.xai).toMatchObject({ state: 'error', reason: 'unreachable' });
    expect(states.anthropic).toMatchObject({ state: 'unavailable', reason: 'key_missing', checkedAt: null });
    expect(text).not.toContain('never-shown');
  });

  it('asks each for its models only, once for all who ask within a minute, and buys nothing', async () => {
    refusing.seen.length = 0;
    const before = [await truth.attempts(), await app.lines()];
    await reset(app.admin.accessToken, 'gemini');
    await Promise.all([
      health('google'),
      health('google'),
      health('gemini'),
      app.call('GET', '/api/v1/providers'),
    ]);
    expect(refusing.seen).toEqual([expect.stringMatching(/^GET .*\/models/)]);
    expect([await truth.attempts(), await app.lines()]).toEqual(before);
  });

  it('understands aliases in any case, and lists the known names for others', async () => {
    const [one, other] = [await health('Gemini'), await health('google')];
    expect(one).toEqual(other);
    expect(one.provider).toBe('google');
    for (const route of ['', '/health']) {
      const answer = await app.call<{ error: { code: string; message: string } }>(
        'GET',
        `/api/v1/providers/nonsense${route}`,
      );
      expect([answer.status, answer.body.error.code]).toEqual([404, 'PROVIDER_UNKNOWN']);
      expect(answer.body.error.message).toContain('anthropic');
    }
    expect((await app.call('POST', '/api/v1/providers/nonsense/reset')).status).toBe(404);
  });

  it('counts real traffic: requests, failures by kind, durations, the last error', async () => {
    await truth.script({ fault: { kind: 'status', status: 400 } });
    await chat();
    await chat();
    const stream = await app.openai.chat.completions.create({
      model: 'openai/gpt-6-luna',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    });
    for await (const _ of stream);
    const { traffic, models, latencyMs } = await health('openai', viewer.accessToken);
    expect(latencyMs).toEqual(expect.any(Number));
    const durations = { p50: expect.any(Number) as number, p95: expect.any(Number) as number };
    expect(traffic).toEqual({
      windowMinutes: 5,
      requests: 3,
      cancelled: 0,
      failures: { invalid_request: 1 },
      latencyMs: durations,
      firstTokenMs: durations,
      lastError: { kind: 'invalid_request', at: expect.any(String) as string },
    });
    expect(models).toEqual([
      {
        model: 'openai/gpt-6-luna',
        circuit: 'closed',
        reason: null,
        failuresInARow: 0,
        retryAt: null,
        requests: 3,
        failures: { invalid_request: 1 },
      },
    ]);
  });

  describe('reset', () => {
    const breakCircuit = async (): Promise<void> => {
      await truth.script({ times: 2, fault: { kind: 'status', status: 500 } });
      expect((await chat()).status).toBe(503);
      expect((await health('openai')).models[0]).toMatchObject({ circuit: 'open', reason: 'overloaded' });
    };

    it('is for administrators', async () => {
      for (const { accessToken, key } of [operator, viewer]) {
        expect([(await reset(accessToken)).status, (await reset(key)).status]).toEqual([403, 403]);
      }
    });

    it('closes breakers, forgets figures, is audited and told to other processes', async () => {
      await breakCircuit();
      const told: string[] = [];
      app.app.get(Notifications).on('lattice_provider_reset', (payload) => told.push(payload));
      const answer = await reset();
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ provider: 'openai', models: [], traffic: { requests: 0 } });
      expect((await chat()).status).toBe(200);
      await eventually(() =>
        Promise.resolve(told.some((payload) => payload.startsWith('openai ')) ? true : undefined),
      );
      const { body } = await app.call<{ data: object[] }>('GET', '/api/v1/audit?limit=5', {
        credential: app.admin.accessToken,
      });
      expect(body.data[0]).toMatchObject({
        action: 'provider.reset',
        resourceId: 'openai',
        before: { open: ['openai/gpt-6-luna'] },
      });
    });

    it('is heard from other processes', async () => {
      await breakCircuit();
      await app.database.query(`select pg_notify('lattice_provider_reset', 'nonsense')`);
      await app.database.query(`select pg_notify('lattice_provider_reset', 'openai another')`);
      await eventually(async () => ((await health('openai')).models.length === 0 ? true : undefined));
      expect((await chat()).status).toBe(200);
    });
  });

  it('does not make the service less ready', async () => {
    await truth.script({ times: 2, fault: { kind: 'status', status: 500 } });
    await chat();
    expect((await health('openai')).models[0]).toMatchObject({ circuit: 'open' });
    expect((await app.call('GET', '/readyz')).status).toBe(200);
  });
});
