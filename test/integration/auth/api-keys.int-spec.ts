import { BackgroundTasks } from '../../../src/observability/index';
import { type Account, type AuthApp, bootAuth } from './auth-app';

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
      name: 'laptop',
      prefix: key.slice(0, 10),
      createdAt: expect.any(String),
      expiresAt: null,
      lastUsedAt: null,
    });
    await expect(list(owner)).resolves.toEqual({ data: [shown], nextCursor: null });
    const rows = JSON.stringify(await auth.database.query('select * from api_keys'));
    expect(rows).not.toContain(key);
    const me = await auth.call('GET', ME, { credential: key });
    expect(me).toMatchObject({ status: 200, body: { id: owner.userId } });
  });

  it('refuses a revoked key at once and lists it no more', async () => {
    const owner = await auth.register();
    const { id, key } = await auth.createKey(owner);
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 200 });
    await expect(revoke(owner, id)).resolves.toEqual({ status: 204, body: {} });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 401 });
    await expect(list(owner)).resolves.toEqual({ data: [], nextCursor: null });
    await expect(revoke(owner, id)).resolves.toMatchObject({ status: 404 });
  });

  it('refuses a key after its end', async () => {
    const owner = await auth.register();
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { key, id } = await auth.createKey(owner, { name: 'short', expiresAt });
    expect((await list(owner)).data[0]).toMatchObject({ id, expiresAt });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 200 });
    await auth.database.query(`update api_keys set expires_at = now() - interval '1 s' where name = 'short'`);
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 401 });
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
    const foreign = await auth.call('DELETE', `${KEYS}/${id}`, { credential: other.accessToken });
    const missing = await auth.call('DELETE', `${KEYS}/key_${'0'.repeat(32)}`, {
      credential: other.accessToken,
    });
    const malformed = await auth.call('DELETE', `${KEYS}/42`, { credential: other.accessToken });
    for (const { status, body } of [foreign, missing, malformed]) {
      expect({ status, body }).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } });
    }
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 200 });
  });

  it('lets an administrator revoke any key', async () => {
    const owner = await auth.register();
    const { id, key } = await auth.createKey(owner);
    await expect(revoke(admin, id)).resolves.toMatchObject({ status: 204 });
    await expect(auth.call('GET', ME, { credential: key })).resolves.toMatchObject({ status: 401 });
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
    ] as const) {
      const answer = await auth.call('GET', `${KEYS}${query}`, { credential: admin.accessToken });
      expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
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
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
  });

  async function drained(): Promise<void> {
    const background = auth.app.get(BackgroundTasks);
    while (background.count > 0) await new Promise(setImmediate);
  }
});
