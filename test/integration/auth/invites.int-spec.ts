import { fromApiId } from '../../../src/common/index';
import { SetupTokenService } from '../../../src/auth/index';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';
import { untilSomeoneWaits } from '../../support/database/lock-waits';
import { type Account, type Answer, type AuthApp, bootAuth, PASSWORD } from './auth-app';

const INVITES = '/api/v1/users/invites';
const REGISTER = '/api/v1/auth/register';
const ADMIN_ENV = { LATTICE_ADMIN_EMAIL: 'root@example.com', LATTICE_ADMIN_PASSWORD: PASSWORD };

interface Invite {
  id: string;
  token: string;
  email: string | null;
  role: string;
  state: string;
}

describe('who may register', () => {
  const apps: AuthApp[] = [];

  afterEach(async () => {
    jest.restoreAllMocks();
    for (const app of apps.splice(0)) await app.close();
  });

  async function boot(...args: Parameters<typeof bootAuth>): ReturnType<typeof bootAuth> {
    const app = await bootAuth(...args);
    apps.unshift(app);
    return app;
  }

  async function bootWithAdmin(mode: string): Promise<{ auth: AuthApp & { url: string }; admin: Account }> {
    const auth = await boot({ AUTH_REGISTRATION: mode, ...ADMIN_ENV });
    const login = await auth.call('POST', '/api/v1/auth/login', {
      body: { email: ADMIN_ENV.LATTICE_ADMIN_EMAIL, password: PASSWORD },
    });
    return { auth, admin: login.body as unknown as Account };
  }

  async function invite(auth: AuthApp, admin: Account, body: object = {}): Promise<Invite> {
    const answer = await auth.call('POST', INVITES, { body, credential: admin.accessToken });
    expect(answer.status).toBe(201);
    return answer.body as unknown as Invite;
  }

  function register(auth: AuthApp, email: string, more: object = {}): Promise<Answer> {
    return auth.call('POST', REGISTER, { body: { email, password: PASSWORD, name: 'Ada', ...more } });
  }

  /** A second administrator, and how the first one deals with that one. */
  async function withMaker(): Promise<{
    auth: AuthApp;
    admin: Account;
    maker: Account;
    change: (body: object) => Promise<unknown>;
  }> {
    const { auth, admin } = await bootWithAdmin('open');
    const maker = await auth.register();
    const change = (body: object): Promise<unknown> =>
      auth.call('PATCH', `/api/v1/users/${maker.userId}`, { body, credential: admin.accessToken });
    await change({ role: 'admin' });
    return { auth, admin, maker, change };
  }

  /** What happens while another transaction has changed the maker and is not through yet. */
  async function whileChanged<T>(auth: AuthApp, maker: Account, work: () => Promise<T>): Promise<T> {
    const runner = auth.database.createQueryRunner();
    await runner.startTransaction();
    try {
      await runner.query('update users set disabled_at = now() where id = $1', [
        fromApiId('usr', maker.userId),
      ]);
      const result = work();
      await untilSomeoneWaits(auth.database);
      await runner.commitTransaction();
      return await result;
    } finally {
      await runner.release();
    }
  }

  function refusal({ status, body }: Answer): unknown {
    const { requestId: _requestId, ...rest } = body.error as Record<string, unknown>;
    return { status, ...rest };
  }

  it('invites once: shown once, kept as a digest, for the role and the address it names', async () => {
    const { auth, admin } = await bootWithAdmin('invite');
    const created = await invite(auth, admin, {
      email: 'Grace@Example.com',
      role: 'viewer',
      expiresInHours: 2,
    });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^inv_[0-9a-f]{32}$/),
      token: expect.stringMatching(/^lli_[\w-]{43}$/),
      email: 'grace@example.com',
      role: 'viewer',
      state: 'open',
    });
    const rows = JSON.stringify(await auth.database.query('select * from invites'));
    expect(rows).not.toContain(created.token);

    const inviteToken = created.token;
    expect((await register(auth, 'eve@example.com', { inviteToken })).status).toBe(400);
    const accepted = await register(auth, 'grace@example.com', { inviteToken });
    expect(accepted).toMatchObject({ status: 201, body: { user: { role: 'viewer' } } });
    expect((await register(auth, 'grace2@example.com', { inviteToken })).status).toBe(400);
    const listed = await auth.call('GET', INVITES, { credential: admin.accessToken });
    const { token: _token, ...shown } = created;
    expect(listed.body).toEqual({ data: [{ ...shown, state: 'used' }], nextCursor: null });
  });

  it('lets one of many who use an invite at the same time in', async () => {
    const { auth, admin } = await bootWithAdmin('invite');
    const node = await boot({ AUTH_REGISTRATION: 'invite' }, auth.url);
    const { token: inviteToken } = await invite(auth, admin);
    // Hashing would let them in two by two.
    jest.spyOn(PasswordHasher.prototype, 'hash').mockResolvedValue('none');
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        register(index % 2 ? node : auth, `user${index}@example.com`, { inviteToken }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(15);
  });

  it.each<[string, object | undefined, object | undefined]>([
    ['demoted', { role: 'operator' }, { role: 'admin' }],
    ['disabled', { isDisabled: true }, { isDisabled: false }],
    ['deleted', undefined, undefined],
  ])('ends with its maker, who is %s, and does not come back', async (_how, end, restore) => {
    const { auth, admin, maker, change } = await withMaker();
    const [used, open, own] = [
      await invite(auth, maker, { role: 'viewer' }),
      await invite(auth, maker, { role: 'admin' }),
      await invite(auth, admin, { role: 'viewer' }),
    ];
    expect((await register(auth, 'used@example.com', { inviteToken: used.token })).status).toBe(201);
    if (end) await change(end);
    else await auth.call('DELETE', `/api/v1/users/${maker.userId}`, { credential: admin.accessToken });
    const refused = await register(auth, 'eve@example.com', { inviteToken: open.token });
    expect(refused).toMatchObject({ status: 400, body: { error: { code: 'REGISTRATION_FAILED' } } });
    if (restore) await change(restore);
    expect((await register(auth, 'eve@example.com', { inviteToken: open.token })).status).toBe(400);
    const { body } = await auth.call('GET', INVITES, { credential: admin.accessToken });
    const states = (body.data as Invite[]).map(({ id, state }) => [id, state]);
    expect(states).toEqual([
      [own.id, 'open'],
      [open.id, 'revoked'],
      [used.id, 'used'],
    ]);
    expect((await register(auth, 'ada@example.com', { inviteToken: own.token })).status).toBe(201);
  });

  it.each(["role = 'viewer'", 'disabled_at = now()'])(
    'is worth nothing once its maker has %s, however that came about',
    async (change) => {
      const { auth, maker } = await withMaker();
      const { token: inviteToken } = await invite(auth, maker, { role: 'admin' });
      const id = fromApiId('usr', maker.userId);
      await auth.database.query(`update users set ${change} where id = $1`, [id]);
      expect((await register(auth, 'eve@example.com', { inviteToken })).status).toBe(400);
    },
  );

  it('waits for who disables its maker at the same time', async () => {
    const { auth, maker } = await withMaker();
    const { token: inviteToken } = await invite(auth, maker, { role: 'admin' });
    const answer = await whileChanged(auth, maker, () => register(auth, 'eve@example.com', { inviteToken }));
    expect(answer.status).toBe(400);
  });

  it('is not made by somebody who is disabled at the same time', async () => {
    const { auth, maker } = await withMaker();
    const answer = await whileChanged(auth, maker, () =>
      auth.call('POST', INVITES, { body: { role: 'admin' }, credential: maker.accessToken }),
    );
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
    const [row] = await auth.database.query<{ count: string }[]>('select count(*) from invites');
    expect(row?.count).toBe('0');
  });

  it('does not use an invite up for an address that is taken', async () => {
    const { auth, admin } = await bootWithAdmin('open');
    const { token: inviteToken } = await invite(auth, admin, { role: 'viewer' });
    expect((await register(auth, 'root@example.com', { inviteToken })).status).toBe(400);
    const accepted = await register(auth, 'ada@example.com', { inviteToken });
    expect(accepted).toMatchObject({ status: 201, body: { user: { role: 'viewer' } } });
  });

  it('refuses whatever the reason with one answer and one hash', async () => {
    const { auth: byInvite, admin } = await bootWithAdmin('invite');
    const { auth: closed, admin: closedAdmin } = await bootWithAdmin('closed');
    const { auth: open } = await bootWithAdmin('open');
    const production = await boot({ LATTICE_ENV: 'production' });
    const [used, revoked, expired, personal] = [
      await invite(byInvite, admin),
      await invite(byInvite, admin),
      await invite(byInvite, admin),
      await invite(byInvite, admin, { email: 'grace@example.com' }),
    ];
    await register(byInvite, 'first@example.com', { inviteToken: used.token });
    await byInvite.call('DELETE', `${INVITES}/${revoked.id}`, { credential: admin.accessToken });
    await byInvite.database.query(`update invites set expires_at = now() - interval '1 s' where id = $1`, [
      fromApiId('inv', expired.id),
    ]);
    const useless = await invite(closed, closedAdmin);
    const cases: [string, AuthApp, object][] = [
      ['taken', open, { email: 'root@example.com' }],
      ['closed', closed, {}],
      ['closed, with an invite', closed, { inviteToken: useless.token }],
      ['no invite', byInvite, {}],
      ['taken and no invite', byInvite, { email: 'root@example.com' }],
      ['a wrong invite', byInvite, { inviteToken: 'lli_wrong' }],
      ['a wrong invite where none is needed', open, { inviteToken: 'lli_wrong' }],
      ['a used invite', byInvite, { inviteToken: used.token }],
      ['a revoked invite', byInvite, { inviteToken: revoked.token }],
      ['an expired invite', byInvite, { inviteToken: expired.token }],
      ["somebody else's invite", byInvite, { inviteToken: personal.token }],
      ['the setup token is missing', production, {}],
      ['an invite instead of the setup token', production, { inviteToken: used.token }],
    ];
    const hashed = jest.spyOn(PasswordHasher.prototype, 'hash');
    const verified = jest.spyOn(PasswordHasher.prototype, 'verify');
    for (const [name, auth, more] of cases) {
      hashed.mockClear();
      const answer = await register(auth, 'new@example.com', more);
      expect([name, refusal(answer)]).toEqual([
        name,
        {
          status: 400,
          code: 'REGISTRATION_FAILED',
          type: 'invalid_request_error',
          param: null,
          message: expect.any(String),
        },
      ]);
      expect([name, answer.headers['content-length']]).toEqual([
        name,
        (await register(closed, 'new@example.com')).headers['content-length'],
      ]);
      expect([name, hashed.mock.calls.length]).toEqual([name, 2]);
    }
    expect(verified).not.toHaveBeenCalled();
  });

  it.each(['closed', 'invite'])('lets the first account in although registration is %s', async (mode) => {
    const auth = await boot({ AUTH_REGISTRATION: mode, LATTICE_ENV: 'production' });
    const setupToken = await auth.app.get(SetupTokenService).setupToken();
    expect((await register(auth, 'ada@example.com')).status).toBe(400);
    const first = await register(auth, 'ada@example.com', { setupToken });
    expect(first).toMatchObject({ status: 201, body: { user: { role: 'admin' } } });
    expect((await register(auth, 'bob@example.com', { setupToken })).status).toBe(400);
  });

  it('revokes an invite once, audits both acts and never the token', async () => {
    const { auth, admin } = await bootWithAdmin('invite');
    const { id, token } = await invite(auth, admin, { role: 'operator' });
    const revoke = (): Promise<Answer> =>
      auth.call('DELETE', `${INVITES}/${id}`, { credential: admin.accessToken });
    expect(await revoke()).toMatchObject({ status: 204, body: {} });
    expect(await revoke()).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } });
    const entries = await auth.database.query(
      'select action, before, after from audit_entries where resource_id = $1 order by id',
      [id],
    );
    const shown = { email: null, role: 'operator', expiresAt: expect.any(String) };
    expect(entries).toEqual([
      { action: 'invite.create', before: null, after: shown },
      { action: 'invite.revoke', before: shown, after: null },
    ]);
    expect(JSON.stringify(entries)).not.toContain(token);
  });

  it('is for administrators only, and bounds what is asked', async () => {
    const { auth, admin } = await bootWithAdmin('open');
    const user = await auth.register();
    for (const [method, url] of [
      ['POST', INVITES],
      ['GET', INVITES],
      ['DELETE', `${INVITES}/inv_${'0'.repeat(32)}`],
    ] as const) {
      const answer = await auth.call(method, url, { body: {}, credential: user.accessToken });
      expect([method, answer.status]).toEqual([method, 403]);
    }
    for (const [param, body] of [
      ['email', { email: 'a@b' }],
      ['role', { role: 'root' }],
      ['expiresInHours', { expiresInHours: 0 }],
      ['expiresInHours', { expiresInHours: 1e9 }],
      ['token', { token: 'mine' }],
    ] as const) {
      const answer = await auth.call('POST', INVITES, { body, credential: admin.accessToken });
      expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
    }
  });
});
