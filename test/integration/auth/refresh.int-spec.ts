import { LoginSessionsRepository } from '../../../src/auth/accounts/login-sessions.repository';
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
    await auth.register();
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

  function audited({ userId }: Account): Promise<unknown[]> {
    return auth.database.query(
      `select request_id, actor_role, resource_id, before, after from audit_entries
       where action = 'session.revoke_reused' and actor_id = $1`,
      [fromApiId('usr', userId)],
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

  it('leads a tab that comes late to the token that the others have got to', async () => {
    const account = await auth.register();
    const second = await refresh(account.refreshToken);
    await ago(account, 4);
    const third = await refresh(second.body.refreshToken);
    const newest = await refresh(third.body.refreshToken, other);
    await ago(account, 4);
    const late = await refresh(account.refreshToken);
    expect(late).toMatchObject({ status: 200, body: { refreshToken: newest.body.refreshToken } });
    await ago(account, 11);
    expect((await refresh(late.body.refreshToken)).status).toBe(200);
  });

  it('asks the database nothing for what is no refresh token', async () => {
    const asked = jest.spyOn(auth.app.get(LoginSessionsRepository), 'lock');
    const { accessToken, refreshToken } = await auth.register();
    for (const text of ['x', accessToken.slice(0, 200), `${refreshToken}x`, refreshToken.slice(0, -1)]) {
      expect(await refresh(text)).toMatchObject({
        status: 401,
        body: { error: { code: 'INVALID_REFRESH_TOKEN' } },
      });
    }
    expect(asked).not.toHaveBeenCalled();
    expect((await refresh(`llr_${'x'.repeat(43)}`)).status).toBe(401);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('exchanges sixty times a minute in one session, and goes on after it', async () => {
    const [account, neighbour] = [await auth.register(), await auth.register()];
    const userId = fromApiId('usr', account.userId);
    let token: unknown = account.refreshToken;
    for (let count = 0; count < 60; count += 1) {
      const { status, body } = await refresh(token, count % 2 ? other : auth);
      expect([count, status]).toEqual([count, 200]);
      token = body.refreshToken;
    }
    const refused = await refresh(token);
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'RATE_LIMITED' } } });
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect((await refresh(neighbour.refreshToken)).status).toBe(200);
    const [{ count }] = await auth.database.query<[{ count: string }]>(
      'select count(*) from refresh_tokens where user_id = $1',
      [userId],
    );
    expect(count).toBe('61');
    await auth.database.query(
      `update login_sessions set exchanges_since = exchanges_since - interval '1 minute' where user_id = $1`,
      [userId],
    );
    const [next, again] = [await refresh(token), await refresh(token)];
    expect([next.status, again.status]).toEqual([200, 200]);
    expect((await refresh(next.body.refreshToken)).status).toBe(200);
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
    expect(await audited(account)).toEqual([
      {
        request_id: expect.any(String),
        actor_role: 'operator',
        resource_id: expect.stringMatching(/^ses_[0-9a-f]{32}$/),
        before: null,
        after: null,
      },
    ]);
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
    expect(await audited(account)).toHaveLength(1);
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
