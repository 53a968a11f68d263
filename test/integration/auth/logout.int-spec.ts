import { Authenticator } from '../../../src/auth/index';
import { CredentialCleanup } from '../../../src/auth/accounts/credential-cleanup';
import { fromApiId } from '../../../src/common/index';
import { eventually } from '../../support/eventually';
import { type Account, type Answer, type AuthApp, bootAuth, PASSWORD } from './auth-app';

const ME = '/api/v1/auth/me';
const LOGOUT = '/api/v1/auth/logout';
const CHANGE = '/api/v1/auth/password';
const NEW_PASSWORD = 'battery horse staple correct';

describe('the end of a session', () => {
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

  async function login(
    { email }: Account,
    password = PASSWORD,
  ): Promise<Record<string, string> & Answer['body']> {
    const { body } = await auth.call('POST', '/api/v1/auth/login', { body: { email, password } });
    return body as Record<string, string>;
  }

  async function statusOf(credential: unknown): Promise<number> {
    return (await auth.call('GET', ME, { credential: credential as string })).status;
  }

  async function canRefresh(refreshToken: unknown): Promise<boolean> {
    return (await auth.call('POST', '/api/v1/auth/refresh', { body: { refreshToken } })).status === 200;
  }

  /** As a metered route asks. */
  async function isKnown(node: AuthApp, credential: string): Promise<boolean> {
    return (await node.app.get(Authenticator).authenticateCached(credential)) !== undefined;
  }

  describe('by logout', () => {
    it('refuses every token of the session at once, and no other', async () => {
      const account = await auth.register();
      const second = await login(account);
      const answer = await auth.call('POST', LOGOUT, { credential: account.accessToken });
      expect(answer).toMatchObject({ status: 204, body: {} });
      expect(await statusOf(account.accessToken)).toBe(401);
      expect(await canRefresh(account.refreshToken)).toBe(false);
      expect(await statusOf(second.accessToken)).toBe(200);
      expect(await canRefresh(second.refreshToken)).toBe(true);
    });

    it('refuses the access token by its id, also where its session goes on', async () => {
      const account = await auth.register();
      await auth.call('POST', LOGOUT, { credential: account.accessToken });
      await auth.database.query('update login_sessions set revoked_at = null where user_id = $1', [
        fromApiId('usr', account.userId),
      ]);
      expect(await statusOf(account.accessToken)).toBe(401);
    });

    it('ends the session of a refresh token that is named, but only an own one', async () => {
      const [account, stranger] = [await auth.register(), await auth.register()];
      const second = await login(account);
      for (const refreshToken of [second.refreshToken, stranger.refreshToken, 'llr_unknown']) {
        const session = await login(account);
        const body = { refreshToken };
        const answer = await auth.call('POST', LOGOUT, { credential: session.accessToken, body });
        expect(answer.status).toBe(204);
      }
      expect(await statusOf(second.accessToken)).toBe(401);
      expect(await canRefresh(stranger.refreshToken)).toBe(true);
    });

    it('makes every process forget the principal that metered routes keep', async () => {
      const account = await auth.register();
      const second = await login(account);
      for (const node of [auth, other]) {
        expect(await isKnown(node, account.accessToken)).toBe(true);
        expect(await isKnown(node, second.accessToken as string)).toBe(true);
      }
      await auth.call('POST', LOGOUT, { credential: account.accessToken });
      expect(await isKnown(auth, account.accessToken)).toBe(false);
      await eventually(async () => ((await isKnown(other, account.accessToken)) ? undefined : true), 2000);
      expect(await isKnown(other, second.accessToken as string)).toBe(true);
    });

    it('makes a process that missed the notice look again once it hears again', async () => {
      const account = await auth.register();
      expect(await isKnown(other, account.accessToken)).toBe(true);
      await auth.database.query('update login_sessions set revoked_at = now() where user_id = $1', [
        fromApiId('usr', account.userId),
      ]);
      expect(await isKnown(other, account.accessToken)).toBe(true);
      await auth.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'lattice-listen'`,
      );
      // Sooner than the entry would end by itself.
      await eventually(async () => ((await isKnown(other, account.accessToken)) ? undefined : true), 8000);
    });

    it('is open to viewers, who may not write anything else', async () => {
      const account = await auth.register();
      await auth.database.query(`update users set role = 'viewer' where email = $1`, [account.email]);
      const credential = account.accessToken;
      expect((await auth.call('PATCH', ME, { credential, body: { name: 'Ada King' } })).status).toBe(403);
      expect((await auth.call('POST', '/api/v1/keys', { credential, body: { name: 'k' } })).status).toBe(403);
      expect((await auth.call('POST', LOGOUT, { credential })).status).toBe(204);
    });

    it('is nothing for an API key', async () => {
      const account = await auth.register();
      const { key } = await auth.createKey(account);
      expect((await auth.call('POST', LOGOUT, { credential: key })).status).toBe(403);
      expect(await statusOf(account.accessToken)).toBe(200);
    });

    it('refuses the refresh token null, naming it', async () => {
      const account = await auth.register();
      const body = { refreshToken: null };
      const answer = await auth.call('POST', LOGOUT, { credential: account.accessToken, body });
      expect(answer).toMatchObject({ status: 400, body: { error: { param: 'refreshToken' } } });
      expect(await statusOf(account.accessToken)).toBe(200);
    });

    it('needs a credential', async () => {
      const answer = await auth.call('POST', LOGOUT);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    });
  });

  describe('by a change of the password', () => {
    it('ends every other session; this one and the keys stay, and only the new password works', async () => {
      const account = await auth.register();
      const [second, { key }] = [await login(account), await auth.createKey(account)];
      const answer = await auth.call('POST', CHANGE, {
        credential: second.accessToken,
        body: { currentPassword: PASSWORD, newPassword: NEW_PASSWORD },
      });
      expect(answer).toMatchObject({ status: 204, body: {} });
      expect(await statusOf(account.accessToken)).toBe(401);
      expect(await canRefresh(account.refreshToken)).toBe(false);
      expect([await statusOf(second.accessToken), await statusOf(key)]).toEqual([200, 200]);
      expect(await canRefresh(second.refreshToken)).toBe(true);
      expect(await login(account)).toMatchObject({ error: { code: 'INVALID_CREDENTIALS' } });
      expect(await login(account, NEW_PASSWORD)).toMatchObject({ user: { id: account.userId } });
      const entries = await auth.database.query<{ before: unknown; after: unknown }[]>(
        `select before, after from audit_entries where action = 'user.password' and resource_id = $1`,
        [account.userId],
      );
      expect(entries).toEqual([{ before: null, after: null }]);
    });

    it('refuses a wrong current password and changes nothing', async () => {
      const account = await auth.register();
      const body = { currentPassword: 'not the password', newPassword: NEW_PASSWORD };
      const answer = await auth.call('POST', CHANGE, { credential: account.accessToken, body });
      expect(answer).toMatchObject({
        status: 400,
        body: { error: { code: 'WRONG_PASSWORD', param: 'currentPassword' } },
      });
      expect(await login(account)).toMatchObject({ user: { id: account.userId } });
    });

    it('lets one of several simultaneous changes win', async () => {
      const account = await auth.register();
      const answers = await Promise.all(
        ['first', 'second', 'third'].map((word) =>
          auth.call('POST', CHANGE, {
            credential: account.accessToken,
            body: { currentPassword: PASSWORD, newPassword: `${word} ${NEW_PASSWORD}` },
          }),
        ),
      );
      expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(2);
    });

    it('stops somebody who tries passwords with a stolen access token', async () => {
      const account = await auth.register();
      const attempt = (): Promise<Answer> =>
        auth.call('POST', CHANGE, {
          credential: account.accessToken,
          body: { currentPassword: 'a guess', newPassword: NEW_PASSWORD },
        });
      for (let round = 0; round < 10; round += 1) expect((await attempt()).status).toBe(400);
      expect(await attempt()).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_ATTEMPTS' } } });
    });
  });

  it('clears away in batches, waits for nobody, and leaves what is in use for later', async () => {
    await auth.database.query(
      `insert into attempt_windows select 'old:' || n, now() - interval '1 s', 1 from generate_series(1, 2500) n`,
    );
    const left = (): Promise<{ bucket: string }[]> =>
      auth.database.query(`select bucket from attempt_windows where bucket like 'old:%' order by bucket`);
    const runner = auth.database.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`select 1 from attempt_windows where bucket = 'old:7' for update`);
    await auth.app.get(CredentialCleanup).run();
    expect(await left()).toEqual([{ bucket: 'old:7' }]);
    await runner.rollbackTransaction();
    await runner.release();
    await auth.app.get(CredentialCleanup).run();
    expect(await left()).toEqual([]);
  });

  it('forgets what has expired, and only that', async () => {
    const [gone, here] = [await auth.register(), await auth.register()];
    for (const { accessToken } of [gone, here]) await auth.call('POST', LOGOUT, { credential: accessToken });
    const users = [gone, here].map(({ userId }) => fromApiId('usr', userId));
    await auth.database.query(
      `update login_sessions set expires_at = now() - interval '1 s' where user_id = $1`,
      [users[0]],
    );
    await auth.database.query(
      `insert into revoked_tokens values (gen_random_uuid(), now() - interval '1 s')`,
    );
    await auth.database.query(
      `insert into known_visitors values ('a', 'gone', now() - interval '1 s'), ('a', 'here', now() + interval '1 h')`,
    );
    const count = async (table: string, where: string): Promise<unknown> =>
      (await auth.database.query<{ count: string }[]>(`select count(*) from ${table} where ${where}`))[0]
        ?.count;
    const kept = await count('revoked_tokens', 'expires_at > now()');

    await auth.app.get(CredentialCleanup).run();

    expect(await count('login_sessions', `user_id = '${users[0]}'`)).toBe('0');
    expect(await count('refresh_tokens', `user_id = '${users[0]}'`)).toBe('0');
    expect(await count('login_sessions', `user_id = '${users[1]}'`)).toBe('1');
    expect(await count('revoked_tokens', 'true')).toBe(kept);
    expect(await count('known_visitors', `visitor = 'gone'`)).toBe('0');
    expect(await count('known_visitors', `visitor = 'here'`)).toBe('1');
    expect(await statusOf(here.accessToken)).toBe(401);
  });

  it('renames the caller and nobody else, and nothing but the name', async () => {
    const account = await auth.register();
    const answer = await auth.call('PATCH', ME, {
      credential: account.accessToken,
      body: { name: 'Ada King' },
    });
    expect(answer).toMatchObject({ status: 200, body: { id: account.userId, name: 'Ada King' } });
    const grab = await auth.call('PATCH', ME, {
      credential: account.accessToken,
      body: { name: 'Eve', role: 'admin' },
    });
    expect(grab).toMatchObject({ status: 400, body: { error: { param: 'role' } } });
    const me = await auth.call('GET', ME, { credential: account.accessToken });
    expect(me.body).toMatchObject({ name: 'Ada King', role: 'operator' });
  });
});
