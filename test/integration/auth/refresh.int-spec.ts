import { fromApiId } from '../../../src/common/index';
import { AppLogger } from '../../../src/observability/index';
import { type Account, type Answer, type AuthApp, bootAuth, PASSWORD } from './auth-app';

const REFRESH = '/api/v1/auth/refresh';
const ME = '/api/v1/auth/me';

describe('refresh tokens', () => {
  let auth: AuthApp & { url: string };
  let other: AuthApp;

  beforeAll(async () => {
    auth = await bootAuth();
    other = await bootAuth({}, auth.url);
  });

  afterAll(async () => {
    await other.close();
    await auth.close();
  });

  afterEach(() => jest.restoreAllMocks());

  function refresh(refreshToken: unknown, node: AuthApp = auth): Promise<Answer> {
    return node.call('POST', REFRESH, { body: { refreshToken } });
  }

  async function statusOf(accessToken: unknown): Promise<number> {
    return (await auth.call('GET', ME, { credential: accessToken as string })).status;
  }

  /** As if every exchange of this account had happened so much earlier. */
  function ago(account: Account, seconds: number): Promise<unknown> {
    return auth.database.query(
      `update refresh_tokens set used_at = used_at - $2 * interval '1 second' where user_id = $1`,
      [fromApiId('usr', account.userId), seconds],
    );
  }

  it('gives everybody who exchanges one token at the same time the same successor, on every node', async () => {
    const { refreshToken, userId } = await auth.register();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => refresh(refreshToken, index % 2 ? other : auth)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.refreshToken)).size).toBe(1);
    expect(answers[0]?.body.refreshToken).not.toBe(refreshToken);
    for (const { body } of answers) expect(await statusOf(body.accessToken)).toBe(200);
    const [{ count }] = await auth.database.query<[{ count: string }]>(
      'select count(*) from refresh_tokens where user_id = $1',
      [fromApiId('usr', userId)],
    );
    expect(count).toBe('2');
  });

  it('gives the successor once more when the answer was lost, up to ten seconds later', async () => {
    const account = await auth.register();
    const first = await refresh(account.refreshToken);
    await ago(account, 9);
    const second = await refresh(account.refreshToken, other);
    expect(second.status).toBe(200);
    expect(second.body.refreshToken).toBe(first.body.refreshToken);
    expect((await refresh(second.body.refreshToken)).status).toBe(200);
  });

  it('takes a later use for theft: the whole session ends, its access tokens too, and it is logged', async () => {
    const logged = jest.spyOn(auth.app.get(AppLogger), 'event');
    const account = await auth.register();
    const thief = await refresh(account.refreshToken);
    const next = await refresh(thief.body.refreshToken);
    const elsewhere = await auth.call('POST', '/api/v1/auth/login', {
      body: { email: account.email, password: PASSWORD },
    });
    await ago(account, 10.5);
    expect(await statusOf(next.body.accessToken)).toBe(200);

    const reuse = await refresh(account.refreshToken);
    expect(reuse).toMatchObject({ status: 401, body: { error: { code: 'INVALID_REFRESH_TOKEN' } } });
    expect(reuse.headers['www-authenticate']).toBe('Bearer');
    for (const token of [account.accessToken, thief.body.accessToken, next.body.accessToken]) {
      expect(await statusOf(token)).toBe(401);
    }
    expect((await refresh(next.body.refreshToken)).status).toBe(401);
    expect(await statusOf(elsewhere.body.accessToken)).toBe(200);
    expect((await refresh(elsewhere.body.refreshToken)).status).toBe(200);
    const events = logged.mock.calls.filter(([event]) => event === 'security');
    expect(events).toEqual([
      ['security', expect.objectContaining({ userId: fromApiId('usr', account.userId) })],
    ]);
    expect(JSON.stringify(events)).not.toContain(account.refreshToken);
  });

  it('ends the session once when a used token comes back many times at the same time', async () => {
    const account = await auth.register();
    const { body } = await refresh(account.refreshToken);
    await ago(account, 60);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => refresh(account.refreshToken, index % 2 ? other : auth)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await statusOf(body.accessToken)).toBe(401);
  });

  it('stores no token and nothing that a token could be read from', async () => {
    const account = await auth.register();
    const { body } = await refresh(account.refreshToken);
    const rows = JSON.stringify(await auth.database.query('select * from refresh_tokens'));
    for (const token of [account.refreshToken, body.refreshToken as string]) {
      expect(rows).not.toContain(token);
      expect(rows).not.toContain(token.slice(4));
    }
  });

  it('gives the same successor across a change of the secret', async () => {
    const account = await auth.register();
    const first = await refresh(account.refreshToken);
    const changed = await bootAuth(
      {
        LATTICE_SECRET_KEY: 'another-secret-for-tests-0123456789',
        LATTICE_PREVIOUS_SECRET_KEYS: 'a-secret-for-tests-only-0123456789',
      },
      auth.url,
    );
    try {
      const second = await refresh(account.refreshToken, changed);
      expect(second.body.refreshToken).toBe(first.body.refreshToken);
      const next = await refresh(second.body.refreshToken, changed);
      expect(next.status).toBe(200);
      const kept = await changed.call('GET', ME, { credential: account.accessToken });
      expect(kept.status).toBe(200);
    } finally {
      await changed.close();
    }
  });

  it('prolongs the session with every exchange', async () => {
    const account = await auth.register();
    const userId = fromApiId('usr', account.userId);
    await auth.database.query(
      `update login_sessions set expires_at = now() + interval '1 minute' where user_id = $1`,
      [userId],
    );
    await refresh(account.refreshToken);
    const [session] = await auth.database.query<{ days: number }[]>(
      `select extract(epoch from expires_at - now())::float8 / 86400 as days from login_sessions where user_id = $1`,
      [userId],
    );
    expect(session?.days).toBeGreaterThan(6.9);
  });
});
