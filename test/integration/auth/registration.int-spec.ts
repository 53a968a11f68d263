import { SetupTokenService, UsersRepository } from '../../../src/auth/index';
import { type AuthApp, bootAuth, PASSWORD } from './auth-app';

const REGISTER = '/api/v1/auth/register';
const PRODUCTION = { LATTICE_ENV: 'production' };

/** What a refusal says, without the id of the request. */
function refusal({ status, body }: { status: number; body: Record<string, unknown> }): unknown {
  const { requestId, ...rest } = body.error as Record<string, unknown>;
  expect(requestId).toMatch(/^req_/);
  return { status, ...rest };
}

function person(email: string, more: object = {}): { body: object } {
  return { body: { email, password: PASSWORD, name: 'Ada', ...more } };
}

describe('registration', () => {
  const apps: AuthApp[] = [];

  async function boot(...args: Parameters<typeof bootAuth>): ReturnType<typeof bootAuth> {
    const app = await bootAuth(...args);
    apps.unshift(app);
    return app;
  }

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  it('makes exactly one administrator of 50 simultaneous first registrations on two nodes', async () => {
    const one = await boot();
    const other = await boot({}, one.url);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? one : other).call('POST', REGISTER, person(`user${index}@example.com`)),
      ),
    );
    const roles = answers.map(({ body }) => (body.user as { role: string }).role);
    expect(roles.filter((role) => role === 'admin')).toHaveLength(1);
    expect(roles.filter((role) => role === 'operator')).toHaveLength(49);
  });

  it('lets only one of many transactions that overlap be the first', async () => {
    const one = await boot();
    const other = await boot({}, one.url);
    const added = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? one : other).app
          .get(UsersRepository)
          .add(
            { email: `user${index}@example.com`, name: 'Ada', passwordHash: 'none' },
            { roleOf: (isFirst) => (isFirst ? 'admin' : 'viewer') },
          ),
      ),
    );
    expect(added.filter((user) => user?.role === 'admin')).toHaveLength(1);
    expect(added.filter((user) => user?.role === 'viewer')).toHaveLength(49);
  });

  it('answers with the user and both tokens, lower-cases the address and stores no secret', async () => {
    const { call, database } = await boot({ TOKEN_EXPIRY_MINUTES: '7' });
    const answer = await call('POST', REGISTER, person('Ada@Example.COM'));
    expect(answer).toMatchObject({
      status: 201,
      body: {
        user: {
          id: expect.stringMatching(/^usr_[0-9a-f]{32}$/),
          email: 'ada@example.com',
          name: 'Ada',
          role: 'admin',
          createdAt: expect.any(String),
        },
        accessToken: expect.any(String),
        refreshToken: expect.any(String),
        expiresIn: 420,
      },
    });
    const rows = JSON.stringify([
      await database.query('select * from users'),
      await database.query('select * from refresh_tokens'),
    ]);
    expect(rows).not.toContain(PASSWORD);
    expect(rows).not.toContain(answer.body.refreshToken);
  });

  it('gives later users the configured role', async () => {
    const { register } = await boot({ AUTH_DEFAULT_ROLE: 'viewer' });
    expect((await register()).role).toBe('admin');
    expect((await register()).role).toBe('viewer');
  });

  it.each(['inviteToken', 'setupToken'])('refuses the %s null, naming it', async (param) => {
    const { call } = await boot();
    const answer = await call('POST', REGISTER, person('eve@example.com', { [param]: null }));
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED', param } } });
  });

  it('refuses a field that would set the role, naming it', async () => {
    const { call } = await boot();
    const answer = await call('POST', REGISTER, person('eve@example.com', { role: 'admin' }));
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'role' } } });
  });

  it('asks for the setup token in production, once, and refuses alike whatever the reason', async () => {
    const { app, call } = await boot(PRODUCTION);
    const setup = app.get(SetupTokenService);
    const setupToken = await setup.setupToken();
    expect(setupToken).toMatch(/^lls_/);

    const missing = await call('POST', REGISTER, person('ada@example.com'));
    const wrong = await call('POST', REGISTER, person('ada@example.com', { setupToken: `${setupToken}x` }));
    const accepted = await call('POST', REGISTER, person('ada@example.com', { setupToken }));
    const taken = await call('POST', REGISTER, person('ADA@example.com'));
    const next = await call('POST', REGISTER, person('bob@example.com', { setupToken }));

    expect(refusal(missing)).toMatchObject({ status: 400, code: 'REGISTRATION_FAILED' });
    expect(refusal(wrong)).toEqual(refusal(missing));
    expect(refusal(taken)).toEqual(refusal(missing));
    expect(accepted).toMatchObject({ status: 201, body: { user: { role: 'admin' } } });
    expect(next).toMatchObject({ status: 201, body: { user: { role: 'operator' } } });
    await expect(setup.setupToken()).resolves.toBeUndefined();
  });

  it('knows the same setup token on every node, and none outside production', async () => {
    const one = await boot(PRODUCTION);
    const other = await boot(PRODUCTION, one.url);
    const dev = await boot({}, one.url);
    const tokens = [one, other, dev].map(({ app }) => app.get(SetupTokenService).setupToken());
    const [first, second, third] = await Promise.all(tokens);
    expect(first).toBeDefined();
    expect(second).toBe(first);
    expect(third).toBeUndefined();
  });

  it('creates the configured administrator at boot, once, instead of a setup token', async () => {
    const env = { ...PRODUCTION, LATTICE_ADMIN_EMAIL: 'Root@Example.com', LATTICE_ADMIN_PASSWORD: PASSWORD };
    const one = await boot(env);
    const other = await boot({ ...env, LATTICE_ADMIN_PASSWORD: 'another password' }, one.url);
    await expect(one.app.get(SetupTokenService).setupToken()).resolves.toBeUndefined();
    const login = (password: string): ReturnType<AuthApp['call']> =>
      other.call('POST', '/api/v1/auth/login', { body: { email: 'root@example.com', password } });
    await expect(login(PASSWORD)).resolves.toMatchObject({ status: 200, body: { user: { role: 'admin' } } });
    await expect(login('another password')).resolves.toMatchObject({ status: 401 });
    const later = await other.register();
    expect(later.role).toBe('operator');
  });
});
