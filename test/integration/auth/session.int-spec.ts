import { fromApiId } from '../../../src/common/index';
import { type AuthApp, bootAuth, PASSWORD } from './auth-app';

const LOGIN = '/api/v1/auth/login';
const REFRESH = '/api/v1/auth/refresh';
const ME = '/api/v1/auth/me';

describe('sessions', () => {
  let auth: AuthApp;

  beforeAll(async () => {
    auth = await bootAuth();
  });

  afterAll(() => auth.close());

  function disable(userId: string): Promise<unknown> {
    const uuid = fromApiId('usr', userId);
    return auth.database.query('update users set disabled_at = now() where id = $1', [uuid]);
  }

  it('logs in with the address in any case, and the token works', async () => {
    const { email, userId } = await auth.register();
    const answer = await auth.call('POST', LOGIN, {
      body: { email: email.toUpperCase(), password: PASSWORD },
    });
    expect(answer).toMatchObject({ status: 200, body: { user: { id: userId, email }, expiresIn: 1800 } });
    const me = await auth.call('GET', ME, { credential: answer.body.accessToken as string });
    expect(me).toMatchObject({ status: 200, body: answer.body.user });
  });

  it('gives one answer for a wrong password, an unknown address and a disabled account', async () => {
    const [known, disabled] = [await auth.register(), await auth.register()];
    await disable(disabled.userId);
    const attempts = [
      { email: known.email, password: 'not the password' },
      { email: 'nobody@example.com', password: PASSWORD },
      { email: disabled.email, password: PASSWORD },
    ];
    for (const body of attempts) {
      const answer = await auth.call('POST', LOGIN, { body });
      expect(answer).toMatchObject({
        status: 401,
        body: { error: { code: 'INVALID_CREDENTIALS', message: 'The email or the password is wrong.' } },
      });
    }
  });

  it('refuses the access token and the keys of a user who is disabled, at once', async () => {
    const account = await auth.register();
    const { key } = await auth.createKey(account);
    const statuses = async (): Promise<number[]> => [
      (await auth.call('GET', ME, { credential: account.accessToken })).status,
      (await auth.call('GET', ME, { credential: key })).status,
    ];
    await expect(statuses()).resolves.toEqual([200, 200]);
    await disable(account.userId);
    await expect(statuses()).resolves.toEqual([401, 401]);
  });

  it('keeps the tokens of one login in one family', async () => {
    const { email, refreshToken, userId } = await auth.register();
    await auth.call('POST', REFRESH, { body: { refreshToken } });
    await auth.call('POST', LOGIN, { body: { email, password: PASSWORD } });
    const families = await auth.database.query<{ count: string }[]>(
      'select count(*) from refresh_tokens where user_id = $1 group by family_id order by 1',
      [fromApiId('usr', userId)],
    );
    expect(families.map(({ count }) => count)).toEqual(['1', '2']);
  });

  it("refuses unknown, expired and disabled users' refresh tokens", async () => {
    const [expired, disabled] = [await auth.register(), await auth.register()];
    await auth.database.query(
      `update refresh_tokens set expires_at = now() - interval '1 s' where user_id = $1`,
      [fromApiId('usr', expired.userId)],
    );
    await disable(disabled.userId);
    for (const refreshToken of [
      'llr_unknown',
      expired.refreshToken,
      disabled.refreshToken,
      expired.accessToken,
    ]) {
      const { status } = await auth.call('POST', REFRESH, {
        body: { refreshToken: refreshToken.slice(0, 200) },
      });
      expect(status).toBe(401);
    }
  });

  it('does not take a refresh token for an access token', async () => {
    const { refreshToken } = await auth.register();
    await expect(auth.call('GET', ME, { credential: refreshToken })).resolves.toMatchObject({ status: 401 });
  });
});
