import { Authenticator, LastAdministratorError } from '../../../src/auth/index';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';
import { UsersService } from '../../../src/auth/users/users.service';
import { fromApiId, type RequestContext } from '../../../src/common/index';
import { untilSomeoneWaits } from '../../support/database/lock-waits';
import { eventually } from '../../support/eventually';
import { aContext } from '../../support/factories';
import { type Account, type Answer, type AuthApp, bootAuth, PASSWORD } from './auth-app';

const USERS = '/api/v1/users';
const ME = '/api/v1/auth/me';

interface Page {
  data: { id: string; email: string; isDisabled: boolean }[];
  nextCursor: string | null;
}

describe('administration of users', () => {
  let auth: AuthApp & { url: string };
  const others: AuthApp[] = [];
  let admin: Account;

  beforeEach(async () => {
    auth = await bootAuth();
    admin = await auth.register();
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    for (const node of others.splice(0)) await node.close();
    await auth.close();
  });

  async function secondNode(): Promise<AuthApp> {
    const node = await bootAuth({}, auth.url);
    others.push(node);
    return node;
  }

  function patch(id: string, body: object, by: Account = admin, node: AuthApp = auth): Promise<Answer> {
    return node.call('PATCH', `${USERS}/${id}`, { body, credential: by.accessToken });
  }

  function remove(id: string, by: Account = admin, node: AuthApp = auth): Promise<Answer> {
    return node.call('DELETE', `${USERS}/${id}`, { credential: by.accessToken });
  }

  async function list(query = '', by: Account = admin): Promise<Page> {
    return (await auth.call('GET', `${USERS}${query}`, { credential: by.accessToken }))
      .body as unknown as Page;
  }

  async function statusOf(credential: string): Promise<number> {
    return (await auth.call('GET', ME, { credential })).status;
  }

  async function audited(resource: string): Promise<unknown[]> {
    return auth.database.query(
      'select action, actor_id, before, after from audit_entries where resource_id = $1 order by id',
      [resource],
    );
  }

  async function makeAdmin(account: Account): Promise<Account> {
    expect((await patch(account.userId, { role: 'admin' })).status).toBe(200);
    return account;
  }

  it('is for administrators only', async () => {
    const user = await auth.register();
    for (const [method, url, body] of [
      ['GET', USERS],
      ['GET', `${USERS}/${admin.userId}`],
      ['PATCH', `${USERS}/${user.userId}`, { role: 'admin' }],
      ['DELETE', `${USERS}/${admin.userId}`],
    ] as const) {
      const answer = await auth.call(method, url, { body, credential: user.accessToken });
      expect([method, answer.status]).toEqual([method, 403]);
      expect((await auth.call(method, url, { body })).status).toBe(401);
    }
  });

  it('lists by role, state and part of the address, and pages without gap or repetition', async () => {
    const [viewer, disabled, operator] = [
      await auth.register(),
      await auth.register(),
      await auth.register(),
    ];
    await patch(viewer.userId, { role: 'viewer' });
    await patch(disabled.userId, { isDisabled: true });
    const ids = async (query: string): Promise<string[]> => (await list(query)).data.map(({ id }) => id);
    expect(await ids('')).toEqual([operator, disabled, viewer, admin].map(({ userId }) => userId));
    expect(await ids('?role=viewer')).toEqual([viewer.userId]);
    expect(await ids('?state=disabled')).toEqual([disabled.userId]);
    expect(await ids('?state=active&role=operator')).toEqual([operator.userId]);
    expect(await ids(`?email=${operator.email.toUpperCase()}`)).toEqual([operator.userId]);
    expect(await ids('?email=%25')).toEqual([]);
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await list(`?limit=3${cursor && `&cursor=${cursor}`}`);
      pages.push(page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(pages).toEqual([[operator, disabled, viewer].map(({ userId }) => userId), [admin.userId]]);
  });

  it('shows no password, and says 404 of what is no user', async () => {
    const answer = await auth.call('GET', `${USERS}/${admin.userId}`, { credential: admin.accessToken });
    expect(answer.body).toEqual({
      id: admin.userId,
      email: admin.email,
      name: 'Ada',
      role: 'admin',
      createdAt: expect.any(String),
      isDisabled: false,
      disabledAt: null,
    });
    for (const id of [`usr_${'0'.repeat(32)}`, '42', `key_${'0'.repeat(32)}`]) {
      const url = `${USERS}/${id}`;
      const credential = admin.accessToken;
      expect((await auth.call('GET', url, { credential })).status).toBe(404);
      expect((await auth.call('PATCH', url, { credential, body: { name: 'x' } })).status).toBe(404);
      expect((await auth.call('DELETE', url, { credential })).status).toBe(404);
    }
  });

  it('changes name and role, audited with what was before, and the role counts at once', async () => {
    const user = await auth.register();
    const answer = await patch(user.userId, { name: 'Grace', role: 'viewer' });
    expect(answer).toMatchObject({ status: 200, body: { name: 'Grace', role: 'viewer', isDisabled: false } });
    const entries = await audited(user.userId);
    expect(entries).toEqual([
      expect.objectContaining({ action: 'user.register', actor_id: fromApiId('usr', user.userId) }),
      {
        action: 'user.update',
        actor_id: fromApiId('usr', admin.userId),
        before: { email: user.email, name: 'Ada', role: 'operator', isDisabled: false },
        after: { email: user.email, name: 'Grace', role: 'viewer', isDisabled: false },
      },
    ]);
    const create = await auth.call('POST', '/api/v1/keys', {
      credential: user.accessToken,
      body: { name: 'k' },
    });
    expect(create.status).toBe(403);
  });

  it('does and audits nothing when nothing changes', async () => {
    const answer = await patch(admin.userId, { role: 'admin', isDisabled: false });
    expect(answer.status).toBe(200);
    expect(await audited(admin.userId)).toHaveLength(1);
  });

  it.each<[string, object]>([
    ['email', { email: 'other@example.com' }],
    ['passwordHash', { passwordHash: 'x' }],
    ['createdAt', { createdAt: '2020-01-01T00:00:00Z' }],
    ['role', { role: 'root' }],
    ['role', { role: null }],
    ['isDisabled', { isDisabled: 'yes' }],
    ['name', { name: '' }],
  ])('refuses to set %s in %j', async (param, body) => {
    const answer = await patch(admin.userId, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
  });

  it('ends sessions, tokens and keys of who is disabled, in every process, and brings none back', async () => {
    const other = await secondNode();
    const user = await auth.register();
    const { key } = await auth.createKey(user);
    const isKnown = async (node: AuthApp): Promise<boolean> =>
      (await node.app.get(Authenticator).authenticateCached(key)) !== undefined;
    expect([await isKnown(auth), await isKnown(other)]).toEqual([true, true]);

    expect((await patch(user.userId, { isDisabled: true })).body).toMatchObject({ isDisabled: true });
    expect([await statusOf(user.accessToken), await statusOf(key)]).toEqual([401, 401]);
    expect(await isKnown(auth)).toBe(false);
    await eventually(async () => ((await isKnown(other)) ? undefined : true), 2000);

    expect((await patch(user.userId, { isDisabled: false })).body).toMatchObject({
      isDisabled: false,
      disabledAt: null,
    });
    expect([await statusOf(user.accessToken), await statusOf(key)]).toEqual([401, 401]);
    const refresh = await auth.call('POST', '/api/v1/auth/refresh', {
      body: { refreshToken: user.refreshToken },
    });
    expect(refresh.status).toBe(401);
    const login = await auth.call('POST', '/api/v1/auth/login', {
      body: { email: user.email, password: PASSWORD },
    });
    expect(login.status).toBe(200);
  });

  it('lets no login that is under way slip through while a user is disabled', async () => {
    const other = await secondNode();
    const user = await auth.register();
    // Hashing would keep the logins apart from the act.
    jest.spyOn(PasswordHasher.prototype, 'verify').mockResolvedValue(true);
    const logins: Answer[] = [];
    for (let round = 0; round < 4; round += 1) {
      // Those that are refused count as failures.
      await auth.database.query('delete from attempt_windows');
      const [disabled, ...answers] = await Promise.all([
        patch(user.userId, { isDisabled: true }),
        ...Array.from({ length: 6 }, () =>
          other.call('POST', '/api/v1/auth/login', { body: { email: user.email, password: PASSWORD } }),
        ),
      ]);
      expect(disabled.status).toBe(200);
      await patch(user.userId, { isDisabled: false });
      logins.push(...answers);
    }
    expect(logins.filter(({ status }) => ![200, 401].includes(status))).toEqual([]);
    for (const { status, body } of logins) {
      if (status === 200) expect(await statusOf(body.accessToken as string)).toBe(401);
    }
  });

  it.each(['disable', 'delete'])('to %s waits for a key that is being made, and ends it too', async (act) => {
    const user = await auth.register();
    const userId = fromApiId('usr', user.userId);
    const runner = auth.database.createQueryRunner();
    await runner.startTransaction();
    await runner.query('select 1 from users where id = $1 and disabled_at is null for share', [userId]);
    const ending = act === 'disable' ? patch(user.userId, { isDisabled: true }) : remove(user.userId);
    await untilSomeoneWaits(auth.database, { words: 'FOR NO KEY UPDATE' });
    await runner.query(
      `insert into api_keys (id, user_id, name, prefix, key_hash) values (gen_random_uuid(), $1, 'k', 'p', 'h')`,
      [userId],
    );
    await runner.commitTransaction();
    await runner.release();
    expect((await ending).status).toBe(act === 'disable' ? 200 : 204);
    const alive = await auth.database.query('select 1 from api_keys where revoked_at is null');
    expect(alive).toEqual([]);
  });

  it('leaves no key to who is disabled while keys are made', async () => {
    const other = await secondNode();
    const users = await Promise.all(Array.from({ length: 6 }, () => auth.register()));
    const answers = await Promise.all(
      users.flatMap((user) => [
        ...Array.from({ length: 4 }, (_, index) =>
          (index % 2 ? auth : other).call('POST', '/api/v1/keys', {
            body: { name: 'k' },
            credential: user.accessToken,
          }),
        ),
        patch(user.userId, { isDisabled: true }),
      ]),
    );
    expect(answers.filter(({ status }) => ![200, 201, 401].includes(status))).toEqual([]);
    const alive = await auth.database.query('select 1 from api_keys where revoked_at is null');
    expect(alive).toEqual([]);
  });

  it('deletes while a session that has ended is cleared away', async () => {
    const user = await auth.register();
    await auth.call('POST', '/api/v1/auth/logout', { credential: user.accessToken });
    const ended = 'select id from login_sessions where revoked_at is not null';
    const runner = auth.database.createQueryRunner();
    await runner.startTransaction();
    await runner.query(`${ended} for update`);
    const removing = remove(user.userId);
    await untilSomeoneWaits(auth.database);
    await runner.query(`delete from login_sessions where id in (${ended})`);
    await runner.commitTransaction();
    await runner.release();
    expect((await removing).status).toBe(204);
  });

  it('deletes with sessions and keys and keeps the books and the audit log', async () => {
    const user = await auth.register();
    const { key } = await auth.createKey(user);
    const userId = fromApiId('usr', user.userId);
    await auth.database.query(
      `insert into decisions (id, request_id, user_id, created_at, record)
       values (gen_random_uuid(), gen_random_uuid(), $1, now(), '{}')`,
      [userId],
    );
    expect(await remove(user.userId)).toMatchObject({ status: 204, body: {} });
    expect([await statusOf(user.accessToken), await statusOf(key)]).toEqual([401, 401]);
    expect((await list()).data.map(({ id }) => id)).toEqual([admin.userId]);
    const decisions = await auth.database.query('select 1 from decisions where user_id = $1', [userId]);
    expect(decisions).toHaveLength(1);
    expect(await audited(user.userId)).toContainEqual({
      action: 'user.delete',
      actor_id: fromApiId('usr', admin.userId),
      before: { email: user.email, name: 'Ada', role: 'operator', isDisabled: false },
      after: null,
    });
    expect((await remove(user.userId)).status).toBe(404);
  });

  it('survives a refresh and a deletion at the same time', async () => {
    const other = await secondNode();
    const users = await Promise.all(Array.from({ length: 4 }, () => auth.register()));
    const answers = await Promise.all(
      users.flatMap((user) => [
        remove(user.userId),
        other.call('POST', '/api/v1/auth/refresh', { body: { refreshToken: user.refreshToken } }),
        other.call('POST', '/api/v1/auth/logout', { credential: user.accessToken }),
      ]),
    );
    expect(answers.filter(({ status }) => ![200, 204, 401].includes(status))).toEqual([]);
    expect((await list()).data).toHaveLength(1);
  });

  it('lets nobody change the own role', async () => {
    await makeAdmin(await auth.register());
    const answer = await patch(admin.userId, { role: 'viewer' });
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
    const me = await auth.call('GET', ME, { credential: admin.accessToken });
    expect(me.body).toMatchObject({ role: 'admin' });
  });

  it('keeps the last active administrator', async () => {
    const conflict = { status: 409, body: { error: { code: 'LAST_ADMINISTRATOR' } } };
    expect(await patch(admin.userId, { isDisabled: true })).toMatchObject(conflict);
    expect(await remove(admin.userId)).toMatchObject(conflict);
    const second = await makeAdmin(await auth.register());
    await patch(second.userId, { isDisabled: true });
    expect(await remove(admin.userId)).toMatchObject(conflict);
    expect(await statusOf(admin.accessToken)).toBe(200);
    expect((await remove(second.userId)).status).toBe(204);
  });

  it.each<[string, (users: UsersService, ctx: RequestContext, id: string) => Promise<unknown>]>([
    ['demote', (users, ctx, id) => users.update(ctx, id, { role: 'operator' })],
    ['disable', (users, ctx, id) => users.update(ctx, id, { isDisabled: true })],
    ['delete', (users, ctx, id) => users.remove(ctx, id)],
  ])('keeps one administrator when several %s each other at the same time', async (_act, act) => {
    const other = await secondNode();
    const rivals = [admin, ...(await Promise.all(Array.from({ length: 5 }, () => auth.register())))];
    await auth.database.query(`update users set role = 'admin'`);
    // All of them have passed the guard already.
    const acts = rivals.flatMap((by, index) => {
      const next = rivals[(index + 1) % rivals.length] ?? admin;
      const node = index % 2 ? other : auth;
      return act(node.app.get(UsersService), contextOf(by), next.userId);
    });
    const refused = (await Promise.allSettled(acts)).filter(({ status }) => status === 'rejected');
    expect(refused).toEqual([{ status: 'rejected', reason: expect.any(LastAdministratorError) }]);
    const [row] = await auth.database.query<{ count: string }[]>(
      `select count(*) from users where role = 'admin' and disabled_at is null`,
    );
    expect(row?.count).toBe('1');
  });
});

function contextOf({ userId }: Account): RequestContext {
  return aContext({ principal: { userId: fromApiId('usr', userId) ?? '', role: 'admin' } });
}
