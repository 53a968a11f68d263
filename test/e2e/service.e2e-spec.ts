import { startApp, type TestApp } from '../support/app';
import { ExampleResources } from '../support/example-resources';
import { readSse } from '../support/sse';

const HELLO = [{ role: 'user' as const, content: 'Write a haiku about the sea.' }];

/** A newcomer's installation: no provider key at all. */
describe('a service without any provider key', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({
      LATTICE_ENV: 'dev',
      METRICS_TOKEN: 'metrics-token',
      PROJECT_WORKER: 'on',
      PLANNINGS_PER_MINUTE: '100',
    });
  });

  afterAll(() => app.close());

  it('answers from the labelled sandbox, at no cost', async () => {
    const answer = await app.call<{ choices: { message: { content: string } }[] }>(
      'POST',
      '/v1/chat/completions',
      {
        body: { model: 'auto', messages: HELLO },
      },
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-lattice-sandbox')).toBe('true');
    expect(answer.headers.get('x-lattice-cost-usd')).toBe('0');
    expect(answer.body.choices[0]?.message.content).toMatch(/sandbox/i);
  });

  it('streams, calls a server-side tool and returns JSON by schema there', async () => {
    const schema = {
      type: 'object',
      properties: { year: { type: 'integer' } },
      required: ['year'],
      additionalProperties: false,
    };
    const [stream, tool, json] = await Promise.all([
      readSse(
        await fetch(`${app.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'auto', messages: HELLO, stream: true }),
        }),
      ),
      app.call('POST', '/v1/chat/completions', {
        body: {
          model: 'auto',
          messages: [{ role: 'user', content: 'Use the current_time tool and tell me the time in Tokyo.' }],
          lattice: { tools: ['current_time'] },
        },
      }),
      app.call<{ choices: { message: { content: string } }[] }>('POST', '/v1/chat/completions', {
        body: {
          model: 'auto',
          messages: [{ role: 'user', content: 'Extract the year.' }],
          response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
        },
      }),
    ]);
    expect(stream.isDone).toBe(true);
    expect(Number(tool.headers.get('x-lattice-attempts'))).toBe(2);
    expect(JSON.parse(json.body.choices[0]?.message.content ?? '')).toEqual({ year: expect.any(Number) });
  });

  it('lists what can be called now, and nothing else', async () => {
    const { body } = await app.call<{ data: { id: string; owned_by: string }[] }>('GET', '/v1/models');
    expect(body.data.map((model) => model.id)).toContain('auto');
    expect(new Set(body.data.map((model) => model.owned_by))).toEqual(new Set(['lattice', 'sandbox']));
    expect((await app.openai.models.list()).data.length).toBe(body.data.length);
    expect(await app.openai.models.retrieve('sandbox/small')).toMatchObject({ id: 'sandbox/small' });
  });

  it('explains a route without calling anyone', async () => {
    const { status, body } = await app.call<Record<string, unknown>>('POST', '/api/v1/route', {
      body: {
        model: 'auto',
        messages: [{ role: 'user', content: 'Write a Python function that sorts a list.' }],
      },
    });
    expect(status).toBe(200);
    expect(JSON.stringify(body)).toMatch(/CODE_GENERATION/);
    expect(JSON.stringify(body)).toMatch(/"capability"/);
    expect(JSON.stringify(body)).toMatch(/unavailable/);
  });

  it('shows the decision behind an answer to its owner only', async () => {
    const owner = await app.register();
    const answer = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'auto', messages: HELLO },
      credential: owner.key,
    });
    const route = `/api/v1/decisions/${answer.headers.get('x-lattice-decision-id')}`;
    const stranger = await app.register();
    expect((await app.call('GET', route, { credential: owner.key })).status).toBe(200);
    expect((await app.call('GET', route, { credential: stranger.key })).status).toBe(404);
    expect((await app.call('GET', route, { credential: owner.key })).text).not.toContain('haiku');
  });

  it('reports usage in exact decimals, to its owner', async () => {
    const owner = await app.register();
    await app.call('POST', '/v1/chat/completions', {
      body: { model: 'auto', messages: HELLO },
      credential: owner.key,
    });
    const usage = await app.call<{ data: Record<string, unknown>[] }>('GET', '/api/v1/usage?groupBy=model', {
      credential: owner.key,
    });
    expect(usage.body.data).toMatchObject([{ costUsd: '0', attempts: 1 }]);
  });

  it('is alive and ready', async () => {
    expect((await app.call('GET', '/healthz', { credential: null })).body).toMatchObject({ status: 'ok' });
    const ready = await app.call('GET', '/readyz', { credential: null });
    expect([ready.status, ready.body]).toEqual([
      200,
      {
        ready: true,
        degraded: false,
        draining: false,
        database: true,
        provider: true,
        journal: { entries: 0, oldestAt: null, writable: true },
        floatLeftUsd: null,
        reasons: [],
        warnings: [],
      },
    ]);
  });

  it('shows metrics to METRICS_TOKEN and administrators, and to nobody else', async () => {
    const user = await app.register();
    const read = (credential: string | null) => app.call('GET', '/metrics', { credential });
    expect((await read(null)).status).toBe(401);
    expect((await read(user.key)).status).toBe(403);
    expect((await read(app.admin.key)).status).toBe(200);
    const metrics = await read('metrics-token');
    expect(metrics.text).toMatch(/lattice_llm_calls_total\{.*outcome="succeeded".*\} \d+/);
  });

  it('shows metrics to no key whose scopes do not name them', async () => {
    const keyWith = async (scopes: readonly string[]): Promise<string> => {
      const body = { name: 'scoped', scopes };
      const made = await app.call<{ key: string }>('POST', '/api/v1/keys', {
        body,
        credential: app.admin.accessToken,
      });
      return made.body.key;
    };
    const read = async (scopes: readonly string[]): Promise<number> =>
      (await app.call('GET', '/metrics', { credential: await keyWith(scopes) })).status;
    expect([await read(['inference']), await read(['metrics:read']), await read(['*:read'])]).toEqual([
      403, 200, 200,
    ]);
  });

  it('counts guesses at metrics, and tells none that is right from then on', async () => {
    const guarded = await startApp({ METRICS_TOKEN: 'metrics-token' });
    const read = async (credential: string): Promise<number> =>
      (await guarded.call('GET', '/metrics', { credential })).status;
    const statuses: number[] = [];
    for (let guess = 0; guess < 120; guess += 1) {
      statuses.push(await read(guess % 2 ? `llk_${'x'.repeat(40)}${guess}` : `guess-${guess}`));
    }
    expect(statuses).toEqual(Array.from({ length: 120 }, (_, index) => (index < 100 ? 401 : 429)));
    expect([await read('metrics-token'), await read(guarded.admin.key)]).toEqual([429, 200]);
    await guarded.close();
  });

  it('serves Swagger UI with a working document', async () => {
    const docs = await app.call('GET', '/docs', { credential: null });
    expect([docs.status, docs.text]).toEqual([200, expect.stringContaining('swagger-ui')]);
    const { body } = await app.call<{ openapi: string; paths: Record<string, unknown> }>(
      'GET',
      '/openapi.json',
      { credential: null },
    );
    expect(body.openapi).toMatch(/^3\.1/);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/v1/chat/completions', '/api/v1/route', '/api/v1/usage']),
    );
  });

  it('runs every example of the document as it stands', async () => {
    const document = await app.call<{
      paths: Record<
        string,
        {
          post?: {
            requestBody?: { content: Record<string, { examples?: Record<string, { value: object }> }> };
          };
        }
      >;
    }>('GET', '/openapi.json', { credential: null });
    const examples = Object.entries(document.body.paths).flatMap(([route, { post }]) =>
      Object.entries(post?.requestBody?.content['application/json']?.examples ?? {}).map(
        ([name, { value }]) => ({ route, name, value }),
      ),
    );
    expect(examples.length).toBeGreaterThanOrEqual(8);
    const resources = new ExampleResources(app);
    const failed: unknown[] = [];
    for (const { route, name, value } of examples) {
      // Whose id stands in an example is the reader's to fill in.
      const body = 'scopeId' in value ? { ...value, scopeId: app.admin.keyId } : value;
      const { status, text } = await app.call('POST', await resources.filledIn(route), {
        body,
        credential: app.admin.accessToken,
      });
      if (status >= 300) failed.push([route, name, status, text]);
    }
    expect(failed).toEqual([]);
  });
});

describe('the lists of the document', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ LATTICE_ENV: 'dev' });
  });

  afterAll(() => app.close());

  it('answer with the example values that Swagger UI fills in', async () => {
    interface Parameter {
      readonly name: string;
      readonly in: string;
      readonly example?: unknown;
      readonly schema?: { readonly example?: unknown; readonly default?: unknown };
    }
    const { body } = await app.call<{ paths: Record<string, { get?: { parameters?: Parameter[] } }> }>(
      'GET',
      '/openapi.json',
      { credential: null },
    );
    const routes = Object.entries(body.paths).filter(([route, { get }]) => get && !route.includes('{'));
    expect(routes.length).toBeGreaterThan(10);
    for (const [route, { get }] of routes) {
      const filled = (get?.parameters ?? []).flatMap(({ name, in: place, example, schema }) => {
        const value = example ?? schema?.example ?? schema?.default;
        if (place !== 'query' || value === undefined) return [];
        return [value].flat().map((one): [string, string] => [name, `${one as string | number}`]);
      });
      const answer = await app.call('GET', `${route}?${new URLSearchParams(filled).toString()}`);
      expect([route, answer.status, answer.text.slice(0, 200)]).toEqual([route, 200, expect.anything()]);
    }
  });
});

describe('a production service without any provider', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({
      LATTICE_ENV: 'production',
      LATTICE_ADMIN_EMAIL: 'root@example.com',
      LATTICE_ADMIN_PASSWORD: 'long enough 1',
    });
  });

  afterAll(() => app.close());

  it('starts, and its readiness says which variables would help', async () => {
    const ready = await app.call('GET', '/readyz', { credential: null });
    expect(ready.status).toBe(503);
    expect(JSON.stringify(ready.body)).toContain('OPENAI_API_KEY');
  });
});
