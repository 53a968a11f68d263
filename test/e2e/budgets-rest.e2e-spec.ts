import { BUDGET_EXAMPLES } from '../../src/budget/dto/budget.request.dto';
import { LIMIT_EXAMPLES } from '../../src/budget/dto/limit.request.dto';
import { fromApiId, newId, parseUsd, toApiId } from '../../src/common/index';
import { GLOBAL_SCOPE_ID } from '../../src/ledger/index';
import { type Account, CHAT_MODEL, startApp, type TestApp } from '../support/app';
import { collection, type Failure } from '../support/collection';
import { eventually } from '../support/eventually';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const ROUTE = '/api/v1/budgets';

interface Budget {
  readonly id: string;
  readonly scope: string;
  readonly scopeId: string | null;
  readonly limitUsd: string;
  readonly spentUsd: string;
  readonly heldUsd: string;
  readonly remainingUsd: string;
  readonly percent: number;
  readonly resetsAt: string | null;
  readonly managedBy: string;
}

describe('/api/v1/budgets', () => {
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

  const as = (credential: string) => collection<Budget>(app, ROUTE, credential);

  const ask = (credential: string, more: object = {}) =>
    app.chat<Failure>(credential, { max_tokens: 50, ...more });

  const ofKey = ({ keyId }: Account, more: object = {}) => ({
    scope: 'key',
    scopeId: keyId,
    period: 'day',
    limitUsd: '1',
    mode: 'hard',
    ...more,
  });

  const audited = async (resourceId: string) =>
    await app.database.query<object[]>(
      'select action, before, after from audit_entries where resource_id = $1 order by id',
      [resourceId],
    );

  it('shows what was spent, to the last digit of the lines, and what is left', async () => {
    const account = await app.register();
    const created = await as(account.accessToken).post(ofKey(account, { period: 'month' }));
    expect(created).toMatchObject({
      status: 201,
      body: { spentUsd: '0', heldUsd: '0', remainingUsd: '1', percent: 0, managedBy: 'owner' },
    });
    await Promise.all([ask(account.key), ask(account.key), ask(account.key)]);
    const [{ spent }] = await app.database.query<[{ spent: string }]>(
      'select sum(cost_pico_usd)::text as spent from usage_lines where key_id = $1',
      [fromApiId('key', account.keyId)],
    );
    const { body } = await as(account.accessToken).get(created.body.id);
    expect(parseUsd(body.spentUsd)).toBe(BigInt(spent));
    expect(parseUsd(body.spentUsd)).toBeGreaterThan(0n);
    expect(parseUsd(body.remainingUsd)).toBe(parseUsd('1') - BigInt(spent));
    expect([body.heldUsd, body.resetsAt]).toEqual(['0', expect.stringMatching(/-01T00:00:00\.000Z$/)]);
  });

  it('shows what is held while a request runs', async () => {
    const account = await app.register();
    const { id } = (await as(app.admin.accessToken).post(ofKey(account))).body;
    await truth.script({ fault: { kind: 'stall', afterChunks: 1 } });
    const client = new AbortController();
    const answer = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: CHAT_MODEL,
        stream: true,
        max_tokens: 50,
        messages: [{ role: 'user', content: 'Hi' }],
      }),
      signal: client.signal,
    });
    expect(answer.status).toBe(200);
    const { body } = await as(account.accessToken).get(id);
    expect(parseUsd(body.heldUsd)).toBeGreaterThan(0n);
    expect(parseUsd(body.remainingUsd)).toBe(parseUsd('1') - parseUsd(body.heldUsd));
    client.abort();
    const after = await eventually(async () => {
      const read = (await as(account.accessToken).get(id)).body;
      return read.heldUsd === '0' ? read : undefined;
    });
    expect(parseUsd(after.spentUsd)).toBeGreaterThan(0n);
  });

  it('keeps a key to its hard budget, from the next request on', async () => {
    const account = await app.register();
    const { accessToken, key } = account;
    const { id } = (await as(accessToken).post(ofKey(account, { limitUsd: '0' }))).body;
    const refused = await ask(key);
    expect([refused.status, refused.headers.get('x-should-retry'), refused.body.error]).toEqual([
      429,
      'false',
      expect.objectContaining({
        code: 'BUDGET_EXCEEDED',
        details: {
          scope: 'key',
          period: 'day',
          resetsAt: expect.any(String),
          budgetId: id,
          limitUsd: '0',
          spentUsd: '0',
          heldUsd: '0',
        },
      }),
    ]);
    await as(accessToken).patch(id, { limitUsd: '1' });
    expect((await ask(key)).status).toBe(200);
    const lowered = await as(accessToken).patch(id, { limitUsd: '0.000000000001' });
    expect(lowered.body).toMatchObject({ remainingUsd: '0', percent: expect.any(Number) });
    expect(lowered.body.percent).toBeGreaterThan(100);
    expect((await ask(key)).status).toBe(429);
    await as(accessToken).patch(id, { mode: 'soft' });
    const warned = await ask(key);
    expect([warned.status, warned.headers.get('x-lattice-warnings')]).toEqual([
      200,
      expect.stringContaining('budget of the API key'),
    ]);
    expect((await as(accessToken).remove(id)).status).toBe(204);
    expect((await ask(key)).headers.get('x-lattice-warnings')).not.toContain('budget');
  });

  it.each([
    ['budgets', BUDGET_EXAMPLES.global.value],
    ['limits', LIMIT_EXAMPLES.global.value],
  ])('takes the first example of the documentation of %s as it stands', async (name, body) => {
    const credential = app.admin.accessToken;
    const made = await app.call<{ id: string }>('POST', `/api/v1/${name}`, { body, credential });
    expect(made.status).toBe(201);
    const removed = await app.call('DELETE', `/api/v1/${name}/${made.body.id}`, { credential });
    expect(removed.status).toBe(204);
  });

  it('writes every change into the audit log', async () => {
    const account = await app.register();
    const { id } = (await as(account.accessToken).post(ofKey(account))).body;
    await as(app.admin.accessToken).patch(id, { limitUsd: '0.5', mode: 'soft' });
    await as(app.admin.accessToken).remove(id);
    const first = {
      scope: 'key',
      scopeId: account.keyId,
      period: 'day',
      limitUsd: '1',
      mode: 'hard',
      managedBy: 'owner',
    };
    const second = { ...first, limitUsd: '0.5', mode: 'soft', managedBy: 'admin' };
    expect(await audited(id)).toEqual([
      { action: 'budget.create', before: null, after: first },
      { action: 'budget.update', before: first, after: second },
      { action: 'budget.delete', before: second, after: null },
    ]);
  });

  describe('who may', () => {
    it('is administrators for all, operators for their own keys, viewers for nothing', async () => {
      const [account, other, viewer] = [await app.register(), await app.register(), await app.register()];
      await app.database.query(`update users set role = 'viewer' where id = $1`, [
        fromApiId('usr', viewer.userId),
      ]);
      const admin = as(app.admin.accessToken);
      const user = { scope: 'user', scopeId: account.userId, period: 'total', limitUsd: '5', mode: 'soft' };
      const ofUser = (await admin.post(user)).body.id;
      const ofAll = (await admin.post({ scope: 'global', period: 'total', limitUsd: '5', mode: 'soft' })).body
        .id;
      const ofViewer = (await admin.post({ ...user, scopeId: viewer.userId })).body.id;
      const ofOwnKey = (await as(account.accessToken).post(ofKey(account))).body.id;
      const change = { limitUsd: '9' };
      const status = async (credential: string, id: string) => [
        (await as(credential).get(id)).status,
        (await as(credential).patch(id, change)).status,
        (await as(credential).remove(id)).status,
      ];
      expect(await status(account.accessToken, ofUser)).toEqual([200, 403, 403]);
      expect(await status(other.accessToken, ofUser)).toEqual([404, 404, 404]);
      expect(await status(other.accessToken, ofOwnKey)).toEqual([404, 404, 404]);
      expect(await status(account.accessToken, ofAll)).toEqual([404, 404, 404]);
      expect(await status(account.accessToken, toApiId('bud', newId()))).toEqual([404, 404, 404]);
      expect(await status(account.accessToken, 'bud_nonsense')).toEqual([404, 404, 404]);
      expect(await status(viewer.accessToken, ofViewer)).toEqual([200, 403, 403]);
      expect(await status(account.key, ofOwnKey)).toEqual([200, 403, 403]);
      expect((await as(viewer.accessToken).post(ofKey(viewer))).status).toBe(403);
      const ids = async (credential: string) => (await as(credential).list()).body.data.map(({ id }) => id);
      expect(await ids(account.accessToken)).toEqual([ofUser, ofOwnKey]);
      expect(await ids(viewer.accessToken)).toEqual([ofViewer]);
      expect(await ids(app.admin.accessToken)).toEqual(
        expect.arrayContaining([ofAll, ofUser, ofViewer, ofOwnKey]),
      );
      expect(await status(account.accessToken, ofOwnKey)).toEqual([200, 200, 204]);
      for (const id of [ofUser, ofAll, ofViewer])
        expect(await status(app.admin.accessToken, id)).toEqual([200, 200, 204]);
    });

    it('says what is missing or forbidden, of which field', async () => {
      const [account, other] = [await app.register(), await app.register()];
      const failure = async (credential: string, body: object) => {
        const answer = await as(credential).post(body);
        return [answer.status, answer.body.error.param];
      };
      const { accessToken } = account;
      expect(await failure(accessToken, ofKey(other))).toEqual([404, 'scopeId']);
      expect(await failure(accessToken, ofKey(account, { scopeId: toApiId('key', newId()) }))).toEqual([
        404,
        'scopeId',
      ]);
      expect(
        await failure(accessToken, { ...ofKey(account), scope: 'user', scopeId: account.userId }),
      ).toEqual([403, 'scope']);
      const run = { scope: 'run', period: 'total', limitUsd: '1', mode: 'hard' };
      const ofRun = { ...run, scopeId: toApiId('run', newId()) };
      expect((await as(app.admin.accessToken).post(ofRun)).status).toBe(201);
      expect(
        await failure(app.admin.key, { ...run, scope: 'user', scopeId: toApiId('usr', newId()) }),
      ).toEqual([404, 'scopeId']);
      for (const scopeId of [toApiId('run', GLOBAL_SCOPE_ID), undefined])
        expect(await failure(app.admin.accessToken, { ...run, scopeId })).toEqual([400, 'scopeId']);
      await as(accessToken).post(ofKey(account));
      expect((await as(accessToken).post(ofKey(account))).body.error.code).toBe('CONFLICT');
    });

    it('tells nobody but administrators what the installation’s budget is', async () => {
      const account = await app.register();
      const global = { scope: 'global', period: 'day', limitUsd: '0.000123', mode: 'hard' };
      const { id } = (await as(app.admin.accessToken).post(global)).body;
      const body = { max_tokens: 4000, messages: [{ role: 'user', content: 'word '.repeat(900) }] };
      const [refused, forAdmin] = [await ask(account.key, body), await ask(app.admin.key, body)];
      await as(app.admin.accessToken).patch(id, { limitUsd: '0', mode: 'soft' });
      const [warned, warnedAdmin] = [await ask(account.key), await ask(app.admin.key)];
      await as(app.admin.accessToken).remove(id);
      expect(refused.body.error).toMatchObject({ code: 'BUDGET_EXCEEDED' });
      expect(refused.body.error.details).toEqual({
        scope: 'global',
        period: 'day',
        resetsAt: expect.any(String),
      });
      expect(refused.text).not.toContain('0.000123');
      expect(forAdmin.body.error.details).toMatchObject({ budgetId: id, limitUsd: '0.000123' });
      expect([warned.status, warned.headers.get('x-lattice-warnings')]).toEqual([
        200,
        expect.not.stringContaining('budget'),
      ]);
      expect(warnedAdmin.headers.get('x-lattice-warnings')).toContain('budget of the installation');
    });
  });

  it('lists in pages, by scope, id and period, with cursors that are worth nothing to others', async () => {
    const account = await app.register();
    const mine = as(account.accessToken);
    for (const period of ['day', 'month', 'total']) await mine.post(ofKey(account, { period }));
    const first = (await mine.list('?limit=2')).body;
    expect(first.data.length).toBe(2);
    const second = (await mine.list(`?limit=2&cursor=${first.nextCursor}`)).body;
    expect([second.data.length, second.nextCursor]).toEqual([1, null]);
    const stolen = await as(app.admin.accessToken).list(`?limit=2&cursor=${first.nextCursor}`);
    expect([stolen.status, stolen.body.error.param]).toEqual([400, 'cursor']);
    const count = async (query: string) => (await mine.list(query)).body.data.length;
    expect(await count(`?scopeId=${account.keyId}`)).toBe(3);
    expect(await count(`?scope=key&period=month`)).toBe(1);
    expect(await count(`?scope=user&scopeId=${account.keyId}`)).toBe(0);
    expect(await count(`?scopeId=${app.admin.keyId}`)).toBe(0);
  });

  it.each([
    [{ limitUsd: 5 }, 'limitUsd'],
    [{ limitUsd: '-1' }, 'limitUsd'],
    [{ limitUsd: '1e3' }, 'limitUsd'],
    [{ limitUsd: '0.0000000000001' }, 'limitUsd'],
    [{ limitUsd: '1000000000000.1' }, 'limitUsd'],
    [{ limitUsd: null }, 'limitUsd'],
    [{ period: 'year' }, 'period'],
    [{ mode: 'medium' }, 'mode'],
    [{ scope: 'team' }, 'scope'],
    [{ scope: 'global' }, 'scopeId'],
    [{ scope: 'user' }, 'scopeId'],
    [{ scopeId: undefined }, 'scopeId'],
    [{ scopeId: 'key_1' }, 'scopeId'],
    [{ spentUsd: '0' }, 'spentUsd'],
    [{ managedBy: 'owner' }, 'managedBy'],
  ])('refuses %j and names the field', async (more, param) => {
    const { keyId } = app.admin;
    const answer = await as(app.admin.accessToken).post(ofKey({ keyId } as Account, more));
    expect([answer.status, answer.body.error.param]).toEqual([400, param]);
  });

  it('refuses a change of nothing, and of what stays', async () => {
    const account = await app.register();
    const { id } = (await as(account.accessToken).post(ofKey(account))).body;
    for (const body of [{}, { limitUsd: 'x' }, { mode: 'x' }, { period: 'day' }, { scope: 'global' }]) {
      expect((await as(account.accessToken).patch(id, body)).status).toBe(400);
    }
  });
});
