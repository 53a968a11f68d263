import { JwtService } from '@nestjs/jwt';
import { ACCESS_TOKEN } from '../../../src/auth/credentials/access-token';
import { signOptions } from '../../../src/auth/credentials/signed-token';
import { API_KEY_PREFIX, newSecretToken } from '../../../src/auth/credentials/secret-token';
import { fromApiId, newId } from '../../../src/common/index';
import { AppConfig } from '../../../src/config/index';
import { type Account, type AuthApp, bootAuth } from './auth-app';

const ME = '/api/v1/auth/me';

describe('401', () => {
  let auth: AuthApp;
  let account: Account;

  beforeAll(async () => {
    auth = await bootAuth();
    account = await auth.register();
  });

  afterAll(() => auth.close());

  /** An access token of the account, but for what the test changes. */
  function token(payload: object = {}, options: object = {}): string {
    return new JwtService({}).sign(
      { token_type: 'access', sid: newId(), ...payload },
      {
        ...signOptions(auth.app.get(AppConfig).keys, ACCESS_TOKEN),
        subject: account.userId,
        jwtid: newId(),
        expiresIn: 60,
        ...options,
      },
    );
  }

  it.each<[string, () => string | undefined]>([
    ['no credential', () => undefined],
    ['an unknown key', () => newSecretToken(API_KEY_PREFIX)],
    ['a token of nobody', () => 'nonsense'],
    ['a token that has ended', () => token({}, { expiresIn: -60 })],
    ['a token of another audience', () => token({}, { audience: 'lattice-events' })],
    ['a token of a session that never was', () => token()],
    ['a refresh token', () => account.refreshToken],
  ])('says how to log in when there is %s', async (_name, credential) => {
    const answer = await auth.call('GET', ME, { credential: credential() });
    expect(answer).toMatchObject({ status: 401, body: { error: { type: 'authentication_error' } } });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it.each([
    ['login', { email: 'ada@example.com', password: 'a guess' }],
    ['refresh', { refreshToken: 'llr_unknown' }],
  ])('says so at %s as well', async (route, body) => {
    const answer = await auth.call('POST', `/api/v1/auth/${route}`, { body });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('takes no access token of a session that is another user’s', async () => {
    const stranger = await auth.register();
    const [session] = await auth.database.query<{ id: string }[]>(
      'select id from login_sessions where user_id = $1',
      [fromApiId('usr', stranger.userId)],
    );
    const forged = token({ sid: session?.id });
    expect((await auth.call('GET', ME, { credential: forged })).status).toBe(401);
    const own = token({ sid: session?.id }, { subject: stranger.userId });
    expect((await auth.call('GET', ME, { credential: own })).status).toBe(200);
  });
});
