import { fromApiId, newId, toApiId } from '../../src/common/index';
import { type Account, type Answer, PASSWORD, startApp, type TestApp } from '../support/app';
import { collection, type Failure } from '../support/collection';
import { eventually } from '../support/eventually';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const ROUTE = '/api/v1/limits';

interface Window {
  readonly used: number;
  readonly remaining: number;
  readonly resetsAt: string;
}

interface Limit {
  readonly id: string;
  readonly requestsPerHour: number | null;
  readonly windows: Readonly<Record<string, Window | null>>;
  readonly running: number;
  readonly isDefault: boolean;
  readonly managedBy: string;
}

describe('/api/v1/limits', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(async () => {
    await truth.clearScripts();
    expect(await app.reconcile()).toEqual([]);
  });

  const as = (credential: string) => collection<Limit>(app, ROUTE, credential);

  const me = (credential: string) => app.call<Failure>('GET', '/api/v1/auth/me', { credential });
  const ask = (credential: string) => app.chat<Failure>(credential, { max_tokens: 20 });

  const ofUser = ({ userId }: Account, values: object) => ({ scope: 'user', scopeId: userId, ...values });
  const ofKey = ({ keyId }: Account, values: object) => ({ scope: 'key', scopeId: keyId, ...values });

  const rateLimit = ({ headers }: Answer<unknown>) =>
    ['limit', 'remaining', 'policy'].map((name) => headers.get(`ratelimit-${name}`));

  it('admits exactly as many requests as are allowed, whatever their kind, and says what is left', async () => {
    const account = await app.register();
    await as(app.admin.accessToken).post(ofUser(account, { requestsPerHour: 4 }));
    expect(rateLimit(await me(account.accessToken))).toEqual(['4', '3', '4;w=3600']);
    expect(rateLimit(await me(account.key))).toEqual(['4', '2', '4;w=3600']);
    expect((await ask(account.key)).status).toBe(200);
    expect(rateLimit(await me(account.accessToken))).toEqual(['4', '0', '4;w=3600']);
    for (const refused of [await me(account.accessToken), await ask(account.key)]) {
      expect(refused.status).toBe(429);
      expect(rateLimit(refused)).toEqual(['4', '0', '4;w=3600']);
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(3600);
      expect(refused.body.error).toMatchObject({
        code: 'REQUEST_LIMIT_EXCEEDED',
        message: expect.stringMatching(
          /^The limit of 4 requests per hour of the user is reached until \d{4}-.*:00:00\.000Z$/,
        ),
        details: {
          limit: 'requests_per_hour',
          scope: 'user',
          value: 4,
          resetsAt: expect.stringMatching(/:00:00\.000Z$/),
        },
      });
    }
    const other = await app.register();
    expect((await me(other.accessToken)).headers.get('ratelimit-limit')).toBeNull();
  });

  it('admits no more however many come at once', async () => {
    const account = await app.register();
    await as(app.admin.accessToken).post(ofKey(account, { requestsPerHour: 7 }));
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => (index % 2 ? me(account.key) : ask(account.key))),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBe(7);
    expect(answers.filter(({ status }) => status === 429).length).toBe(23);
  });

  it('does not count what is refused for want of a credential, nor health and refresh', async () => {
    const account = await app.register();
    const { id } = (await as(app.admin.accessToken).post(ofUser(account, { requestsPerHour: 100 }))).body;
    for (const credential of ['llk_wrong', 'nonsense']) expect((await me(credential)).status).toBe(401);
    for (const route of ['/healthz', '/readyz', '/docs', '/openapi.json']) {
      const { status, headers } = await app.call('GET', route, { credential: account.key });
      expect([status, headers.get('ratelimit-limit')]).toEqual([200, null]);
    }
    const refresh = { body: { refreshToken: 'unknown' }, credential: account.accessToken };
    expect(
      (await app.call('POST', '/api/v1/auth/refresh', refresh)).headers.get('ratelimit-limit'),
    ).toBeNull();
    const { body } = await as(app.admin.accessToken).get(id);
    expect(body.windows.requestsPerHour).toMatchObject({ used: 0, remaining: 100 });
  });

  it.each([
    ['key', ofKey],
    ['user', ofUser],
  ] as const)('holds as many at once for a %s as are allowed', async (scope, of) => {
    const account = await app.register();
    const { id } = (await as(app.admin.accessToken).post(of(account, { concurrency: 2 }))).body;
    await truth.script({ times: 2, delayMs: 2000 });
    const running = [ask(account.key), ask(account.key)];
    await eventually(async () =>
      (await as(app.admin.accessToken).get(id)).body.running === 2 ? true : undefined,
    );
    const refused = await ask(account.key);
    expect([refused.status, refused.headers.get('retry-after'), refused.body.error]).toEqual([
      429,
      '1',
      expect.objectContaining({
        code: 'CONCURRENCY_LIMIT_EXCEEDED',
        details: { limit: 'concurrency', scope, value: 2, resetsAt: null },
      }),
    ]);
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await ask(account.key)).status).toBe(200);
  });

  it('counts tokens, and says which limit it was', async () => {
    const account = await app.register();
    const { id } = (await as(app.admin.accessToken).post(ofKey(account, { tokensPerHour: 500 }))).body;
    await truth.script({ usage: { promptTokens: 10, completionTokens: 485 } });
    await ask(account.key);
    const { body } = await as(account.accessToken).get(id);
    expect(body.windows.tokensPerHour).toMatchObject({ used: 495, remaining: 5 });
    const refused = await ask(account.key);
    expect(refused.body.error).toMatchObject({
      code: 'TOKEN_LIMIT_EXCEEDED',
      details: { limit: 'tokens_per_hour', scope: 'key', value: 500 },
    });
  });

  it('changes what is named, takes away what is null, and audits it', async () => {
    const account = await app.register();
    const mine = as(account.accessToken);
    const { id } = (await mine.post(ofKey(account, { requestsPerHour: 50, concurrency: 3 }))).body;
    const changed = await mine.patch(id, { concurrency: null, tokensPerMinute: 1000 });
    expect(changed.body).toMatchObject({
      requestsPerHour: 50,
      concurrency: null,
      tokensPerMinute: 1000,
      isDefault: false,
      managedBy: 'owner',
    });
    const nothing = await mine.patch(id, { requestsPerHour: null, tokensPerMinute: null });
    expect([nothing.status, nothing.body.error.message]).toEqual([
      400,
      expect.stringContaining('at least one'),
    ]);
    expect((await mine.patch(id, {})).status).toBe(400);
    expect((await mine.remove(id)).status).toBe(204);
    expect((await mine.get(id)).status).toBe(404);
    const entries = await app.database.query(
      `select action, before->'concurrency' as before, after->'concurrency' as after from audit_entries
       where resource_id = $1 order by id`,
      [id],
    );
    expect(entries).toEqual([
      { action: 'limit.create', before: null, after: 3 },
      { action: 'limit.update', before: 3, after: null },
      { action: 'limit.delete', before: null, after: null },
    ]);
  });

  describe('who may', () => {
    it('is administrators for all, operators for their own keys, viewers for nothing', async () => {
      const [account, other, viewer] = [await app.register(), await app.register(), await app.register()];
      await app.database.query(`update users set role = 'viewer' where id = $1`, [
        fromApiId('usr', viewer.userId),
      ]);
      const admin = as(app.admin.accessToken);
      const values = { requestsPerHour: 1000 };
      const ofAll = (await admin.post({ scope: 'global', ...values })).body.id;
      const ofAccount = (await admin.post(ofUser(account, values))).body.id;
      const ofViewer = (await admin.post(ofUser(viewer, values))).body.id;
      const ofOwnKey = (await as(account.accessToken).post(ofKey(account, values))).body.id;
      const status = async (credential: string, id: string) => [
        (await as(credential).get(id)).status,
        (await as(credential).patch(id, { requestsPerHour: 2000 })).status,
        (await as(credential).remove(id)).status,
      ];
      expect(await status(account.accessToken, ofAccount)).toEqual([200, 403, 403]);
      expect(await status(other.accessToken, ofAccount)).toEqual([404, 404, 404]);
      expect(await status(other.accessToken, ofOwnKey)).toEqual([404, 404, 404]);
      expect(await status(account.accessToken, ofAll)).toEqual([404, 404, 404]);
      expect(await status(account.accessToken, toApiId('lim', newId()))).toEqual([404, 404, 404]);
      expect(await status(viewer.accessToken, ofViewer)).toEqual([200, 403, 403]);
      expect(await status(account.key, ofOwnKey)).toEqual([200, 403, 403]);
      const refused = [
        await as(account.accessToken).post({ scope: 'global', ...values }),
        await as(other.accessToken).post(ofUser(other, values)),
        await as(viewer.accessToken).post(ofKey(viewer, values)),
        await as(account.accessToken).post(ofKey(other, values)),
        await as(account.accessToken).post(ofKey(account, values)),
      ];
      expect(refused.map((answer) => answer.status)).toEqual([403, 403, 403, 404, 409]);
      const ids = async (credential: string) => (await as(credential).list()).body.data.map(({ id }) => id);
      expect(await ids(account.accessToken)).toEqual([ofAccount, ofOwnKey]);
      expect(await ids(app.admin.accessToken)).toEqual(
        expect.arrayContaining([ofAll, ofAccount, ofViewer, ofOwnKey]),
      );
      expect(await status(account.accessToken, ofOwnKey)).toEqual([200, 200, 204]);
      for (const id of [ofAll, ofAccount, ofViewer])
        expect(await status(app.admin.accessToken, id)).toEqual([200, 200, 204]);
    });

    it('tells nobody but administrators what the installation’s limit is, and lets those loosen it', async () => {
      const account = await app.register();
      const { id } = (await as(app.admin.accessToken).post({ scope: 'global', requestsPerHour: 777 })).body;
      const told = [await me(account.accessToken), await ask(account.key)];
      await as(app.admin.accessToken).patch(id, { requestsPerHour: 0 });
      const refused = [
        await me(account.accessToken),
        await ask(account.key),
        await app.call<Failure>('POST', '/api/v1/auth/register', {
          credential: null,
          body: { email: 'new@example.com', password: PASSWORD, name: 'Ada' },
        }),
      ];
      // Whoever is kept out can always log in, and an administrator then loosens the limit.
      const session = await app.call<{ accessToken: string }>('POST', '/api/v1/auth/login', {
        credential: null,
        body: { email: app.admin.email, password: PASSWORD },
      });
      expect((await as(session.body.accessToken).list()).status).toBe(200);
      const forAdmin = await me(session.body.accessToken);
      expect([forAdmin.status, forAdmin.body.error.details]).toEqual([
        429,
        expect.objectContaining({ scope: 'global', value: 0 }),
      ]);
      const readable = await as(app.admin.accessToken).get(id);
      expect((await as(app.admin.accessToken).remove(id)).status).toBe(204);
      for (const answer of told)
        expect([answer.status, ...rateLimit(answer)]).toEqual([200, null, null, null]);
      for (const { status, headers, body } of refused) {
        expect([status, headers.get('ratelimit-limit'), headers.get('ratelimit-policy')]).toEqual([
          429,
          null,
          null,
        ]);
        expect(headers.get('ratelimit-remaining')).toBe('0');
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(body.error.details).toEqual({
          limit: 'requests_per_hour',
          scope: 'global',
          resetsAt: expect.any(String),
        });
      }
      expect(readable.body.requestsPerHour).toBe(0);
      expect((await me(account.accessToken)).status).toBe(200);
    });

    it('keeps a flood of malformed logins from locking anybody out', async () => {
      const account = await app.register();
      const admin = as(app.admin.accessToken);
      const { id } = (await admin.post({ scope: 'global', requestsPerHour: 100 })).body;
      const logIn = (body: object) => app.call('POST', '/api/v1/auth/login', { credential: null, body });
      for (let sent = 0; sent < 25; sent += 1) expect((await logIn({ email: 1 })).status).toBe(400);
      expect((await logIn({ email: account.email, password: PASSWORD })).status).toBe(200);
      expect((await admin.get(id)).body.windows.requestsPerHour).toMatchObject({ used: 0 });
      await admin.remove(id);
    });
  });

  it.each([
    [{}, 'requestsPerMinute'],
    [{ requestsPerHour: -1 }, 'requestsPerHour'],
    [{ requestsPerHour: 1.5 }, 'requestsPerHour'],
    [{ requestsPerHour: '5' }, 'requestsPerHour'],
    [{ concurrency: 1e13 }, 'concurrency'],
    [{ scope: 'project', concurrency: 1 }, 'scope'],
    [{ scopeId: undefined, concurrency: 1 }, 'scopeId'],
    [{ scope: 'user', concurrency: 1 }, 'scopeId'],
    [{ concurrency: 1, isDefault: true }, 'isDefault'],
    [{ concurrency: 1, running: 0 }, 'running'],
  ])('refuses %j and names the field', async (values, param) => {
    const { keyId } = app.admin;
    const answer = await as(app.admin.accessToken).post(ofKey({ keyId } as Account, values));
    expect([answer.status, answer.body.error.param]).toEqual([400, param]);
  });

  it('comes with a key, together with its budget', async () => {
    const account = await app.register();
    const made = await app.call<{ id: string; key: string }>('POST', '/api/v1/keys', {
      credential: account.accessToken,
      body: {
        name: 'bounded',
        limits: { requestsPerHour: 2, concurrency: 1 },
        budget: { period: 'total', limitUsd: '0.5', mode: 'hard' },
      },
    });
    expect(made.status).toBe(201);
    const [limits, budgets] = [
      await as(account.accessToken).list(`?scopeId=${made.body.id}`),
      await app.call<{ data: object[] }>('GET', `/api/v1/budgets?scopeId=${made.body.id}`, {
        credential: account.accessToken,
      }),
    ];
    expect(limits.body.data).toMatchObject([{ requestsPerHour: 2, concurrency: 1, managedBy: 'owner' }]);
    expect(budgets.body.data).toMatchObject([{ period: 'total', limitUsd: '0.5', mode: 'hard' }]);
    const statuses = [await ask(made.body.key), await me(made.body.key), await me(made.body.key)];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    const failed = await app.call<Failure>('POST', '/api/v1/keys', {
      credential: account.accessToken,
      body: { name: 'bad', budget: { period: 'total', limitUsd: '9999999999999', mode: 'hard' } },
    });
    expect(failed.status).toBe(400);
    const keys = await app.call<{ data: { name: string }[] }>('GET', '/api/v1/keys', {
      credential: account.accessToken,
    });
    expect(keys.body.data.map(({ name }) => name)).not.toContain('bad');
  });
});

describe('limits by default', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ RATE_LIMIT_USER_PER_HOUR: '6', RATE_LIMIT_GLOBAL_PER_HOUR: '1000' });
  });

  afterAll(async () => {
    await app.close();
  });

  it('hold for every user, are seen, and give way to what an administrator sets', async () => {
    const account = await app.register();
    const list = async () =>
      (await app.call<{ data: Limit[] }>('GET', `${ROUTE}?scopeId=${account.userId}`)).body.data[0];
    expect(await list()).toMatchObject({ requestsPerHour: 6, isDefault: true });
    const me = () => app.call('GET', '/api/v1/auth/me', { credential: account.accessToken });
    let answer = await me();
    while (answer.status === 200) answer = await me();
    expect([answer.status, (await list())?.windows.requestsPerHour]).toEqual([
      429,
      expect.objectContaining({ used: 6, remaining: 0 }),
    ]);
    const removed = await app.call('DELETE', `${ROUTE}/${(await list())?.id}`);
    expect(removed.status).toBe(409);
    const set = { scope: 'user', scopeId: account.userId, requestsPerHour: 8 };
    expect((await app.call('POST', ROUTE, { body: set })).status).toBe(201);
    expect([(await me()).status, (await me()).status, (await me()).status]).toEqual([200, 200, 429]);
  });
});
