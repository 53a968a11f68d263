import { BackgroundTasks } from '../../../src/observability/index';
import { type Account, type Answer, type AuthApp, bootAuth } from './auth-app';

const KEYS = '/api/v1/keys';
const ME = '/api/v1/auth/me';

interface Page {
  data: { id: string; name: string; lastUsedAt: string | null; expiresAt: string | null }[];
  nextCursor: string | null;
}

describe('API keys', () => {
  let auth: AuthApp;
  let admin: Account;

  beforeAll(async () => {
    auth = await bootAuth();
    admin = await auth.register();
  });

  afterAll(() => auth.close());

  async function list({ accessToken }: Account, query = ''): Promise<Page> {
    return (await auth.call('GET', `${KEYS}${query}`, { credential: accessToken })).body as unknown as Page;
  }

  function get({ accessToken }: Account, id: string): Promise<Answer> {
    return auth.call('GET', `${KEYS}/${id}`, { credential: accessToken });
  }

  function revoke({ accessToken }: Account, id: string): Promise<{ status: number }> {
    return auth.call('DELETE', `${KEYS}/${id}`, { credential: accessToken });
  }

  it('shows the key once, stores its digest only, and the key acts for its owner', async () => {
    const owner = await auth.register();
    const answer = await auth.call('POST', KEYS, { body: { name: 'laptop' }, credential: owner.accessToken });
    const { key, ...shown } = answer.body as { key: string; prefix: string };
    expect(answer.status).toBe(201);
    expect(key).toMatch(/^llk_[\w-]{43}$/);
    expect(shown).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      userId: owner.userId,
      name: 'laptop',
      prefix: key.slice(0, 10),
      state: 'active',
      scopes: null,
      allowedModels: null,
      cache: false,
      limits: null,
      budget: null,
      createdAt: expect.any(String),
      expiresAt: null,
      previousKeyUntil: null,
      revokedAt: null,
      lastUsedAt: null,
    });
    await expect(list(owner)).resolves.toEqual({ data: [shown], nextCursor: null });
    const rows = JSON.stringify(await auth.database.query('select * from api_keys'));
    expect(rows).not.toContain(key);
    const me = await auth.call('GET', ME, { credential: key });
    expect(me).toMatchObject({ status: 200, body: { id: owner.userId } });
  });

  it('refuses a revoked key at once and lists it on demand only', async () => {
    const owner = await auth.register();
    const { id, key } = await auth.createKey(owner);
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 200 });
    await expect(revoke(owner, id)).resolves.toMatchObject({ status: 204, body: {} });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 401 });
    await expect(list(owner)).resolves.toEqual({ data: [], nextCursor: null });
    const revoked = { id, state: 'revoked', revokedAt: expect.any(String) };
    await expect(list(owner, '?includeRevoked=true')).resolves.toMatchObject({ data: [revoked] });
    await expect(get(owner, id)).resolves.toMatchObject({ status: 200, body: revoked });
  });

  it('lets a key be revoked again, and changed no more', async () => {
    const owner = await auth.register();
    const { id } = await auth.createKey(owner);
    await revoke(owner, id);
    const { body } = await get(owner, id);
    await expect(revoke(owner, id)).resolves.toMatchObject({ status: 204 });
    await expect(get(owner, id)).resolves.toMatchObject({ body });
    for (const [method, path] of [
      ['PATCH', ''],
      ['POST', '/rotate'],
    ] as const) {
      const answer = await auth.call(method, `${KEYS}/${id}${path}`, {
        body: {},
        credential: owner.accessToken,
      });
      expect(answer).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
    }
  });

  it('refuses a key after its end', async () => {
    const owner = await auth.register();
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { key, id } = await auth.createKey(owner, { name: 'short', expiresAt });
    expect((await list(owner)).data[0]).toMatchObject({ id, expiresAt, state: 'active' });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 200 });
    await auth.database.query(`update api_keys set expires_at = now() - interval '1 s' where name = 'short'`);
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 401 });
    await expect(get(owner, id)).resolves.toMatchObject({ body: { state: 'expired' } });
  });

  it('refuses an expiry that has passed, naming the field', async () => {
    const body = { name: 'late', expiresAt: '2020-01-01T00:00:00Z' };
    const answer = await auth.call('POST', KEYS, { body, credential: admin.accessToken });
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'expiresAt' } } });
  });

  it("shows and revokes nobody else's keys; a foreign key looks like a missing one", async () => {
    const [owner, other] = [await auth.register(), await auth.register()];
    const { id, key } = await auth.createKey(owner);
    await expect(list(other)).resolves.toEqual({ data: [], nextCursor: null });
    const answers = new Set<string>();
    for (const [method, path] of [
      ['GET', ''],
      ['PATCH', ''],
      ['POST', '/rotate'],
      ['DELETE', ''],
    ] as const) {
      for (const asked of [id, `key_${'0'.repeat(32)}`, '42']) {
        const options = { body: method === 'GET' ? undefined : {}, credential: other.accessToken };
        const { status, body } = await auth.call(method, `${KEYS}/${asked}${path}`, options);
        answers.add(JSON.stringify({ status, ...(body.error as object), requestId: undefined }));
      }
    }
    expect([...answers].map((answer) => JSON.parse(answer) as unknown)).toEqual([
      expect.objectContaining({ status: 404, code: 'NOT_FOUND', message: 'There is no such API key.' }),
    ]);
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 200 });
  });

  it('lets an administrator revoke any key', async () => {
    const owner = await auth.register();
    const { id, key } = await auth.createKey(owner);
    await expect(revoke(admin, id)).resolves.toMatchObject({ status: 204 });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 401 });
  });

  it("shows an administrator anybody's keys, and nobody else", async () => {
    const [owner, other] = [await auth.register(), await auth.register()];
    const { id } = await auth.createKey(owner);
    await expect(list(admin, `?userId=${owner.userId}`)).resolves.toMatchObject({ data: [{ id }] });
    const all = await list(admin, '?all=true&limit=200');
    expect(all.data.map((key) => key.id)).toContain(id);
    expect((await list(admin)).data.map((key) => key.id)).not.toContain(id);
    await expect(get(admin, id)).resolves.toMatchObject({ status: 200, body: { userId: owner.userId } });
    await expect(list(owner, `?userId=${owner.userId}`)).resolves.toMatchObject({ data: [{ id }] });
    for (const query of ['?all=true', `?userId=${owner.userId}`]) {
      const answer = await auth.call('GET', `${KEYS}${query}`, { credential: other.accessToken });
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
    }
  });

  it("lets an administrator narrow anybody's key, but not take it over", async () => {
    const owner = await auth.register();
    const { id, key } = await auth.createKey(owner);
    const changed = await auth.call('PATCH', `${KEYS}/${id}`, {
      body: { scopes: ['usage:read'] },
      credential: admin.accessToken,
    });
    expect(changed).toMatchObject({ status: 200, body: { scopes: ['usage:read'] } });
    const rotated = await auth.call('POST', `${KEYS}/${id}/rotate`, { credential: admin.accessToken });
    expect(rotated).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 403 });
  });

  it('pages through all keys, newest first, without gap or repetition', async () => {
    const owner = await auth.register();
    for (let index = 1; index <= 5; index += 1) await auth.createKey(owner, { name: `key ${index}` });
    const names: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await list(owner, `?limit=2${cursor && `&cursor=${cursor}`}`);
      names.push(page.data.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    expect(names).toEqual([['key 5', 'key 4'], ['key 3', 'key 2'], ['key 1']]);
  });

  it('refuses a cursor that is none and a limit out of bounds', async () => {
    for (const [query, param] of [
      ['?cursor=abc', 'cursor'],
      ['?limit=500', 'limit'],
      ['?all=1', 'all'],
      ['?userId=nobody', 'userId'],
      [`?userId=${admin.userId}&all=true`, 'all'],
    ] as const) {
      const answer = await auth.call('GET', `${KEYS}${query}`, { credential: admin.accessToken });
      expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
    }
  });

  it("takes one list's cursor neither from another caller nor for another list", async () => {
    const owner = await auth.register();
    for (const name of ['one', 'two']) await auth.createKey(owner, { name });
    const { nextCursor } = await list(owner, '?limit=1');
    for (const [who, query] of [
      [admin, ''],
      [owner, '&includeRevoked=true'],
    ] as const) {
      const answer = await auth.call('GET', `${KEYS}?cursor=${nextCursor}${query}`, {
        credential: who.accessToken,
      });
      expect(answer).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
    }
  });

  it('notes the last use behind the request, at most once a minute', async () => {
    const owner = await auth.register();
    const { key } = await auth.createKey(owner);
    await auth.call('GET', ME, { credential: key });
    await drained();
    const [first] = (await list(owner)).data;
    expect(Math.abs(Date.parse(first?.lastUsedAt ?? '') - Date.now())).toBeLessThan(10_000);
    await auth.call('GET', ME, { credential: key });
    await drained();
    expect((await list(owner)).data).toEqual([first]);
  });

  it('lets viewers look and create nothing', async () => {
    const viewer = await auth.register();
    await auth.database.query(`update users set role = 'viewer' where email = $1`, [viewer.email]);
    await expect(list(viewer)).resolves.toEqual({ data: [], nextCursor: null });
    const answer = await auth.call('POST', KEYS, { body: { name: 'k' }, credential: viewer.accessToken });
    expect(answer).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', details: { permission: 'keys:write' } } },
    });
  });

  async function drained(): Promise<void> {
    const background = auth.app.get(BackgroundTasks);
    while (background.count > 0) await new Promise(setImmediate);
  }
});
