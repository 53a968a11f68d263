import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type OpenAPIObject } from '@nestjs/swagger';
import { API_KEY_PREFIX, newSecretToken } from '../../src/auth/credentials/secret-token';
import { LedgerStore } from '../../src/ledger/ledger.store';
import { type Answer, type CallOptions, PASSWORD, startApp, type TestApp, testEnv } from '../support/app';
import { DatabaseProxy } from '../support/database/database-proxy';
import { eventually } from '../support/eventually';
import { freePort } from '../support/free-port';
import { ServiceProcess } from '../support/service-process';
import { readSse } from '../support/sse';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** No route may take longer: 6 s until a server that hangs is found, and a busy machine. */
const ANSWER_LIMIT_MS = 12_000;
const NEED_NO_DATABASE = new Set(['GET /healthz', 'GET /readyz']);

/** Whose example is more than the document can say. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /v1/chat/completions': { model: MODEL, messages: [{ role: 'user', content: 'hello' }] },
  'POST /api/v1/route': { model: MODEL, messages: [{ role: 'user', content: 'hello' }] },
};

interface Walked {
  readonly name: string;
  readonly method: string;
  readonly route: string;
  readonly body?: unknown;
}

describe('without PostgreSQL', () => {
  let truth: TruthProvider;
  let proxy: DatabaseProxy;
  let app: TestApp;

  async function start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    app = await startApp({ OPENAI_BASE_URL: truth.url, ...env }, async (url) => {
      proxy = await DatabaseProxy.start(url);
      return proxy.url;
    });
  }

  async function end(): Promise<void> {
    await proxy.restore();
    await app.close();
    await proxy.stop();
  }

  beforeAll(async () => {
    truth = await startTruthProvider();
  });

  afterAll(() => truth.stop());

  const chat = (content = 'hello', more: object = {}, options: CallOptions = {}) =>
    app.call<{ error?: { code: string } }>('POST', '/v1/chat/completions', {
      body: { model: MODEL, max_tokens: 50, messages: [{ role: 'user', content }], ...more },
      ...options,
    });
  const stream = (content: string) =>
    fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, stream: true, messages: [{ role: 'user', content }] }),
    });
  const ready = () =>
    app.call<{
      ready: boolean;
      degraded: boolean;
      database: boolean;
      floatLeftUsd: string | null;
      journal: { entries: number; oldestAt: string | null };
      warnings: string[];
    }>('GET', '/readyz', { credential: null });
  const isReady = async (): Promise<true | undefined> => ((await ready()).status === 200 ? true : undefined);
  const isDown = async (): Promise<true | undefined> => ((await ready()).body.database ? undefined : true);

  /** The journal is booked: nothing waits any more. */
  const replayed = () =>
    eventually(async () => ((await ready()).body.journal.entries === 0 ? true : undefined), 10_000);

  describe('by default', () => {
    beforeAll(() => start());
    afterAll(end);
    afterEach(async () => {
      await proxy.restore();
      await eventually(isReady, 10_000);
    });

    describe.each(['refuse', 'hang'] as const)('when the server %ss', (mode) => {
      it('answers every route that needs it with 503 and Retry-After, whoever asks', async () => {
        const routes = await allRoutes(app);
        const session = await app.call<{ accessToken: string; refreshToken: string }>(
          'POST',
          '/api/v1/auth/login',
          { credential: null, body: { email: app.admin.email, password: PASSWORD } },
        );
        await proxy[mode]();
        const wrong: string[] = [];
        for (const credential of [app.admin.key, session.body.accessToken]) {
          const answers = await Promise.all(
            routes.map((route) => timed(() => ask(route, credential, session.body.refreshToken))),
          );
          for (const [index, { answer, ms }] of answers.entries()) {
            const { name } = routes[index] as Walked;
            if (ms > ANSWER_LIMIT_MS) wrong.push(`${name} took ${ms} ms`);
            if (NEED_NO_DATABASE.has(name)) continue;
            if (answer.status !== 503 || !answer.headers.get('retry-after'))
              wrong.push(`${name}: ${answer.status} ${answer.text}`);
          }
        }
        expect(wrong).toEqual([]);
      });

      it('says so in its readiness, stays alive, and is ready again by itself', async () => {
        await proxy[mode]();
        await eventually(isDown, 10_000);
        expect(await ready()).toMatchObject({ status: 503, body: { ready: false, floatLeftUsd: null } });
        expect((await app.call('GET', '/healthz', { credential: null })).status).toBe(200);
        await proxy.restore();
        await eventually(isReady, 5000);
        expect((await chat()).status).toBe(200);
      });

      it('lets what is under way reach the client, and books it when PostgreSQL is back', async () => {
        const before = (await truth.attempts()).length;
        await truth.script({ answer: 'a b c d e f g h', chunkDelayMs: 60 }, { answer: 'late', delayMs: 500 });
        const streaming = await stream('streamed');
        const plain = chat('plain');
        await truth.waitFor((attempts) => attempts.length === before + 2);
        await proxy[mode]();
        const [streamed, answer] = await Promise.all([readSse(streaming), plain]);
        expect([streamed.isDone, answer.status]).toEqual([true, 200]);
        await eventually(async () => ((await ready()).body.journal.entries >= 1 ? true : undefined), 10_000);
        expect((await ready()).body.journal.oldestAt).toMatch(/^20/);
        await proxy.restore();
        await eventually(isReady, 5000);
        await replayed();
        await expectExactBooks(before);
      });
    });

    it('takes no false key for a good one afterwards, and no good one for a false one', async () => {
      const credential = newSecretToken(API_KEY_PREFIX);
      await proxy.refuse();
      expect((await chat('x', {}, { credential })).status).toBe(503);
      await proxy.restore();
      await eventually(isReady, 5000);
      expect((await chat('x', {}, { credential })).status).toBe(401);
      expect((await chat()).status).toBe(200);
    });
  });

  describe('with a degraded float', () => {
    beforeEach(() => start({ DEGRADED_FLOAT_USD: '0.00005' }));
    afterEach(end);

    it('serves known callers up to the float, stays ready, and books all of it later', async () => {
      const caller = await app.register();
      const before = (await truth.attempts()).length;
      expect((await chat('confirmed', {}, { credential: caller.key })).status).toBe(200);
      await proxy.refuse();
      await eventually(isDown);
      const first = await chat('hello', { max_tokens: 20 }, { credential: caller.key });
      expect(first.status).toBe(200);
      expect(first.headers.get('x-lattice-warnings')).toContain('degraded float');
      expect(await ready()).toMatchObject({ status: 200, body: { degraded: true, database: false } });
      const answers: Answer[] = [];
      for (let i = 0; i < 40 && answers.at(-1)?.status !== 503; i++)
        answers.push(await chat('x'.repeat(60), {}, { credential: caller.key }));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
      expect(answers.at(-1)?.headers.get('retry-after')).toBe('1');

      await proxy.restore();
      await eventually(isReady, 5000);
      await replayed();
      await expectExactBooks(before);
      const lines = await app.database.query<{ user_id: string; key_id: string; cost: string }[]>(
        'select user_id, key_id, cost_pico_usd as cost from usage_lines',
      );
      expect(new Set(lines.map((line) => line.key_id)).size).toBe(1);
      const spent = lines.reduce((sum, { cost }) => sum + BigInt(cost), 0n);
      const confirmed = BigInt(lines.at(0)?.cost ?? 0);
      expect(spent - confirmed).toBeLessThanOrEqual(50_000_000n);
      const decisionId = first.headers.get('x-lattice-decision-id');
      const decision = await app.call('GET', `/api/v1/decisions/${decisionId}`);
      expect(decision.status).toBe(200);
      await eventually(async () => ((await ready()).body.floatLeftUsd === '0.00005' ? true : undefined));
      expect((await chat()).headers.get('x-lattice-warnings') ?? '').not.toContain('degraded float');
    });

    it('serves nobody whom it has not met, and nothing but metered routes', async () => {
      const stranger = await app.register();
      await chat();
      await proxy.refuse();
      await eventually(isDown);
      expect((await chat('x', {}, { credential: stranger.key })).status).toBe(503);
      expect((await app.call('GET', '/api/v1/usage')).status).toBe(503);
      expect((await chat()).status).toBe(200);
    });

    it('goes on with the next attempt of a request that PostgreSQL leaves', async () => {
      await chat();
      const before = (await truth.attempts()).length;
      await truth.script({ fault: { kind: 'status', status: 500 }, delayMs: 400 }, { answer: 'second' });
      const answer = chat('try twice');
      await truth.waitFor((attempts) => attempts.length > before);
      await proxy.refuse();
      expect((await answer).status).toBe(200);
      await proxy.restore();
      await eventually(isReady, 5000);
      await replayed();
      await expectExactBooks(before, 2);
    });

    it('clamps a call to what the float has left', async () => {
      await chat();
      await proxy.refuse();
      await eventually(isDown);
      const before = (await truth.attempts()).length;
      expect((await chat('long', { max_tokens: 16_000 })).status).toBe(200);
      const [sent] = (await truth.attempts()).slice(before);
      const body = sent?.body as { max_completion_tokens?: number; max_tokens?: number };
      expect(body.max_completion_tokens ?? body.max_tokens).toBeLessThan(100);
    });

    it('pays nothing from the float for a refusal that PostgreSQL gave', async () => {
      await chat();
      const turn = jest
        .spyOn(app.app.get(LedgerStore), 'turn')
        .mockRejectedValueOnce(Object.assign(new Error('lock timeout'), { code: '55P03' }));
      expect((await chat()).status).toBe(503);
      turn.mockRestore();
    });
  });

  it('waits at its start, answers meanwhile, and leaves at once when asked to', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-waiting-'));
    const port = await freePort();
    const service = new ServiceProcess(
      testEnv(dataDir, { PORT: String(port), DATABASE_URL: 'postgresql://ada:hidden@127.0.0.1:1/books' }),
    );
    const ask = (route: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${route}`);
    const alive = await eventually(() => ask('/healthz').catch(() => undefined), 25_000);
    expect(alive.status).toBe(200);
    const [notReady, refused] = await Promise.all([ask('/readyz'), ask('/v1/models')]);
    expect(await notReady.json()).toMatchObject({ ready: false, database: false });
    expect([notReady.status, refused.status, refused.headers.get('retry-after')]).toEqual([503, 503, '1']);
    await eventually(() => Promise.resolve(service.output.includes('Waiting for') || undefined));
    service.kill('SIGTERM');
    expect(await service.exited()).toBe(0);
    expect(service.output).toContain('PostgreSQL at 127.0.0.1:1/books');
    expect(service.output).not.toContain('hidden');
    await service.destroy();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** One line for each attempt of the provider since then, with its tokens; the counters equal the lines. */
  async function expectExactBooks(since: number, count?: number): Promise<void> {
    const attempts = (await truth.attempts()).slice(since);
    if (count !== undefined) expect(attempts).toHaveLength(count);
    const lines = await app.database.query<{ prompt: number; completion: number }[]>(
      `select prompt_tokens::int as prompt, completion_tokens::int as completion from usage_lines
       order by started_at desc limit $1`,
      [attempts.length],
    );
    const figures = (list: readonly { prompt: number; completion: number }[]): string[] =>
      list.map(({ prompt, completion }) => `${prompt}+${completion}`).toSorted();
    expect(figures(lines)).toEqual(
      figures(
        attempts.map((attempt) => ({
          prompt: attempt.promptTokens,
          completion: attempt.completionTokens,
        })),
      ),
    );
    expect(await app.database.query('select 1 from holds')).toEqual([]);
    expect(await app.reconcile()).toEqual([]);
  }

  function ask({ method, route, body }: Walked, credential: string, refreshToken: string): Promise<Answer> {
    const filled = hasField(body, 'refreshToken') ? { ...body, refreshToken } : body;
    return app.call(method, route, { credential, body: filled });
  }
});

function hasField(body: unknown, name: string): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && name in body;
}

async function timed(work: () => Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const start = performance.now();
  const answer = await work();
  return { answer, ms: Math.round(performance.now() - start) };
}

/** Every route of the OpenAPI document, with the document's own examples in its path, query and body. */
async function allRoutes(app: TestApp): Promise<readonly Walked[]> {
  const { body: document } = await app.call<OpenAPIObject>('GET', '/openapi.json', { credential: null });
  return Object.entries(document.paths).flatMap(([template, item]) =>
    METHODS.flatMap((method): Walked[] => {
      const operation = item[method];
      if (!operation) return [];
      const route = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => pathExample(operation, name));
      const content = (operation.requestBody as { content?: Record<string, { schema?: Schema }> } | undefined)
        ?.content?.['application/json'];
      const name = `${method.toUpperCase()} ${template}`;
      const body = BODIES[name] ?? (content?.schema && exampleOf(content.schema, document));
      return [{ name, method: method.toUpperCase(), route, body }];
    }),
  );
}

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly example?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

function exampleOf(schema: Schema, document: OpenAPIObject): unknown {
  const named = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (named) {
    const found = document.components?.schemas?.[named.split('/').at(-1) ?? ''] as Schema | undefined;
    return found && exampleOf(found, document);
  }
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[0];
  if (schema.properties) {
    const entries = Object.entries(schema.properties)
      .filter(([name]) => schema.required?.includes(name))
      .map(([name, property]) => [name, exampleOf(property, document)]);
    return Object.fromEntries(entries) as unknown;
  }
  return schema.default ?? (schema.type === 'string' ? 'text' : undefined);
}

function pathExample(operation: { parameters?: unknown }, name: string): string {
  const parameters = (operation.parameters ?? []) as { name: string; example?: unknown; schema?: Schema }[];
  const parameter = parameters.find((each) => each.name === name);
  const example = parameter?.example ?? parameter?.schema?.example;
  return encodeURIComponent(typeof example === 'string' ? example : 'gpt-4o-mini');
}
