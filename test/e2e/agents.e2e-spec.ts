import { type Account, type Answer, startApp, type TestApp } from '../support/app';

const ROUTE = '/api/v1/agents';

interface Agent {
  readonly id: string | null;
  readonly type: string;
  readonly isBuiltIn: boolean;
  readonly capabilities: readonly string[];
  readonly mode: string;
  readonly isAvailable: boolean;
  readonly unavailableReason?: string;
}
interface Page {
  readonly data: readonly Agent[];
  readonly nextCursor: string | null;
}
type Failure = { error: { code: string; message: string; param?: string; details?: object } };
type Example = { schema: { $ref: string } };

describe('agents', () => {
  let app: TestApp;
  let ada: Account;
  let bob: Account;

  beforeAll(async () => {
    app = await startApp();
    [ada, bob] = [await app.register(), await app.register()];
  });

  afterAll(() => app.close());

  afterEach(async () => {
    for (const who of [ada, bob]) {
      const { data } = (await list('limit=200', who)).body;
      for (const { id, type } of data) if (id) await call('DELETE', `${ROUTE}/${type}`, who);
    }
  });

  const call = <T = Record<string, unknown>>(
    method: string,
    route: string,
    who = ada,
    body?: object,
  ): Promise<Answer<T>> => app.call<T>(method, route, { credential: who.accessToken, body });
  const list = (query = '', who = ada) => call<Page>('GET', `${ROUTE}?${query}`, who);
  const create = (body: object, who = ada) => call<Agent & Failure>('POST', ROUTE, who, body);
  const TRANSLATOR = { type: 'translator', description: 'Translates.', model: 'auto:cheap' };

  it('are there at once, and available in the sandbox where routing chooses the model', async () => {
    const { status, body } = await list();
    expect([status, body.nextCursor]).toEqual([200, null]);
    const of = (wanted: boolean) =>
      body.data.filter(({ isAvailable }) => isAvailable === wanted).map(({ type }) => type);
    expect(of(true)).toEqual(['analyst', 'coder', 'planner', 'researcher', 'reviewer', 'writer']);
    expect(of(false)).toEqual(['claude', 'gemini', 'gpt']);
    const reasons = body.data.map(({ unavailableReason }) => unavailableReason).filter(Boolean);
    expect(reasons).toEqual([
      expect.stringContaining('ANTHROPIC_API_KEY'),
      expect.stringMatching(/GOOGLE|GEMINI/),
      expect.stringContaining('OPENAI_API_KEY'),
    ]);
  });

  it('are found by what they can, their mode and whether somebody can answer, page by page', async () => {
    const types = async (query: string) => (await list(query)).body.data.map(({ type }) => type);
    await create({ ...TRANSLATOR, type: 'asker', mode: 'interactive', capabilities: ['code'] });
    expect(await types('capability=code')).toEqual(['asker', 'claude', 'coder', 'gemini', 'gpt']);
    expect(await types('capability=code&isAvailable=true')).toEqual(['asker', 'coder']);
    expect(await types('isAvailable=false')).toEqual(['claude', 'gemini', 'gpt']);
    expect(await types('mode=interactive')).toEqual(['asker']);
    expect(await types('capability=cod')).toEqual([]);
    const first = (await list('capability=code&limit=3')).body;
    expect(first.data.map(({ type }) => type)).toEqual(['asker', 'claude', 'coder']);
    const rest = await list(`capability=code&limit=3&cursor=${first.nextCursor}`);
    expect([rest.body.data.map(({ type }) => type), rest.body.nextCursor]).toEqual([['gemini', 'gpt'], null]);
    expect((await list(`cursor=${first.nextCursor}`, bob)).status).toBe(400);
    for (const query of ['mode=dreaming', 'isAvailable=perhaps', 'capability=A%20b', 'owner=me']) {
      expect([query, (await list(query)).status]).toEqual([query, 400]);
    }
  });

  it('are made with a default for everything but type, description and model', async () => {
    const { status, body } = await create(TRANSLATOR);
    expect([status, body]).toEqual([
      201,
      {
        ...TRANSLATOR,
        id: expect.stringMatching(/^agt_[0-9a-f]{32}$/) as string,
        isBuiltIn: false,
        capabilities: [],
        fallbackModels: [],
        prompt: expect.stringContaining('{{ agent.type }}') as string,
        tools: [],
        mode: 'hybrid',
        limits: { maxTokens: 8192, maxRounds: 10, timeoutMs: 600_000 },
        isAvailable: true,
        createdAt: expect.any(String) as string,
        updatedAt: expect.any(String) as string,
      },
    ]);
    expect((await call('GET', `${ROUTE}/translator`)).body).toEqual(body);
    expect((await call('GET', `${ROUTE}/${body.id}`)).body).toEqual(body);
  });

  it('are made by the example of the documentation as it stands', async () => {
    const document = (
      await app.call<{
        paths: Record<string, Record<string, { requestBody: { content: Record<string, Example> } }>>;
        components: { schemas: Record<string, { properties: Record<string, { example?: unknown }> }> };
      }>('GET', '/openapi.json')
    ).body;
    const { $ref } = document.paths[ROUTE]?.post?.requestBody.content['application/json']?.schema ?? {
      $ref: '',
    };
    const { properties = {} } = document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {};
    const example = Object.entries(properties)
      .map(([name, { example: value }]) => [name, value] as const)
      .filter(([, value]) => value !== undefined);
    expect(example.length).toBeGreaterThan(5);
    expect((await create(Object.fromEntries(example))).status).toBe(201);
  });

  it('are changed and deleted by their owner', async () => {
    await create(TRANSLATOR);
    const change = { description: 'New.', limits: { maxRounds: 3 }, model: 'sandbox/small' };
    const changed = await call<Agent>('PATCH', `${ROUTE}/translator`, ada, change);
    expect(changed).toMatchObject({
      status: 200,
      body: { ...change, limits: { maxTokens: 8192, maxRounds: 3, timeoutMs: 600_000 }, type: 'translator' },
    });
    expect((await call('DELETE', `${ROUTE}/translator`)).status).toBe(204);
    expect((await call('GET', `${ROUTE}/translator`)).status).toBe(404);
  });

  it('belong to one user each, whatever their type', async () => {
    const mine = await create(TRANSLATOR);
    const { id } = mine.body;
    const missing = await call<Failure>('GET', `${ROUTE}/nobody`, bob);
    for (const name of ['translator', id]) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { description: 'Mine now.' } : undefined;
        const answer = await call<Failure>(method, `${ROUTE}/${name}`, bob, body);
        expect([method, answer.status, answer.body.error.message]).toEqual([
          method,
          404,
          missing.body.error.message,
        ]);
      }
    }
    expect((await list('', bob)).body.data.map(({ type }) => type)).not.toContain('translator');
    const theirs = await create({ ...TRANSLATOR, description: 'Of Bob.' }, bob);
    expect(theirs.status).toBe(201);
    expect((await call('GET', `${ROUTE}/translator`)).body).toEqual({ ...mine.body });
    expect((await call('GET', `${ROUTE}/${id}`, app.admin)).status).toBe(200);
    expect((await call('GET', `${ROUTE}/translator`, app.admin)).status).toBe(404);
  });

  it('are made by operators, and looked at by viewers', async () => {
    const viewer = await app.register();
    await app.call('PATCH', `/api/v1/users/${viewer.userId}`, {
      body: { role: 'viewer' },
      credential: app.admin.accessToken,
    });
    expect((await list('', viewer)).status).toBe(200);
    expect((await create(TRANSLATOR, viewer)).status).toBe(403);
  });

  it('need a key with the scope', async () => {
    const keyWith = async (scopes: readonly string[]) =>
      (await call<{ key: string }>('POST', '/api/v1/keys', ada, { name: 'k', scopes })).body.key;
    const [reading, writing] = [await keyWith(['agents:read']), await keyWith(['agents:write'])];
    const post = (credential: string) => app.call('POST', ROUTE, { body: TRANSLATOR, credential });
    expect((await app.call('GET', ROUTE, { credential: reading })).status).toBe(200);
    expect((await post(reading)).status).toBe(403);
    expect((await post(writing)).status).toBe(201);
  });

  it.each([
    ['POST', ROUTE, { ...TRANSLATOR, type: 'coder' }],
    ['PATCH', `${ROUTE}/coder`, { description: 'x' }],
    ['DELETE', `${ROUTE}/coder`, undefined],
  ])('built in stay as they are: %s %s', async (method, route, body) => {
    for (const who of [ada, app.admin]) {
      expect(await call<Failure>(method, route, who, body)).toMatchObject({
        status: 409,
        body: { error: { code: 'CONFLICT', param: 'type' } },
      });
    }
  });

  it('of one type are made once', async () => {
    expect((await create(TRANSLATOR)).status).toBe(201);
    expect(await create(TRANSLATOR)).toMatchObject({ status: 409, body: { error: { param: 'type' } } });
  });

  it('with a wrong template are refused with its place', async () => {
    expect(await create({ ...TRANSLATOR, prompt: 'Hi\n{{ task.titel }}' })).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', param: 'prompt', details: { line: 2, column: 4 } } },
    });
  });

  it.each<[object, string]>([
    [{ type: 'Translator' }, 'type'],
    [{ type: 'a_b' }, 'type'],
    [{ type: 'x'.repeat(65) }, 'type'],
    [{ type: undefined }, 'type'],
    [{ description: ' ' }, 'description'],
    [{ description: 'x'.repeat(501) }, 'description'],
    [{ capabilities: ['Code'] }, 'capabilities'],
    [{ capabilities: ['a', 'a'] }, 'capabilities'],
    [{ model: 'a b' }, 'model'],
    [{ model: 'auto:good' }, 'model'],
    [{ model: 'nonsense' }, 'model'],
    [{ model: null }, 'model'],
    [{ fallbackModels: ['auto'] }, 'fallbackModels[0]'],
    [{ prompt: '' }, 'prompt'],
    [{ prompt: 'x'.repeat(20_001) }, 'prompt'],
    [{ prompt: "{% include 'package.json' %}" }, 'prompt'],
    [{ tools: ['no such'] }, 'tools'],
    [{ tools: ['no_such'] }, 'tools'],
    [{ mode: 'dreaming' }, 'mode'],
    [{ limits: { maxTokens: 32_769 } }, 'limits.maxTokens'],
    [{ limits: { maxRounds: 0 } }, 'limits.maxRounds'],
    [{ limits: { timeoutMs: 10 } }, 'limits.timeoutMs'],
    [{ limits: { turns: 1 } }, 'limits.turns'],
    [{ limits: [] }, 'limits'],
    [{ isAvailable: true }, 'isAvailable'],
    [{ id: 'agt_0192f0c1a2b37c4d8e5f60718293a4b5' }, 'id'],
  ])('refuse a wrong body, naming the field (%#)', async (wrong, param) => {
    const answer = await create({ ...TRANSLATOR, ...wrong });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED', param } } });
  });
});
