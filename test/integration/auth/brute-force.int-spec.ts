import { AttemptLimiter } from '../../../src/auth/index';
import { AttemptsRepository } from '../../../src/auth/brute-force/attempts.repository';
import { PasswordHasher } from '../../../src/auth/credentials/password.hasher';
import { type Answer, type AuthApp, bootAuth, PASSWORD } from './auth-app';

const LOGIN = '/api/v1/auth/login';

describe('attempts to log in', () => {
  let auth: AuthApp & { url: string };
  let other: AuthApp;

  beforeAll(async () => {
    auth = await bootAuth();
    other = await bootAuth({}, auth.url);
  });

  beforeEach(() => auth.database.query('delete from attempt_windows'));

  afterEach(() => jest.restoreAllMocks());

  afterAll(async () => {
    await other.close();
    await auth.close();
  });

  function login(email: string, from: string, password = 'a guess', node: AuthApp = auth): Promise<Answer> {
    return node.call('POST', LOGIN, { body: { email, password }, from });
  }

  /** Attempts that were tried by now, as far as the database knows. */
  async function spend(email: string, from: string, count: number): Promise<number[]> {
    const answers = await Promise.all(
      Array.from({ length: count }, (_, index) => login(email, from, 'a guess', index % 2 ? other : auth)),
    );
    return answers.map(({ status }) => status);
  }

  /** Makes the hashing free: these tests count attempts. */
  function hashNothing(): jest.SpyInstance {
    return jest.spyOn(PasswordHasher.prototype, 'verify').mockResolvedValue(false);
  }

  async function attemptsOn(kind: string): Promise<number[]> {
    const rows = await auth.database.query<{ attempts: number }[]>(
      `select attempts from attempt_windows where bucket like $1 || ':%'`,
      [kind],
    );
    return rows.map(({ attempts }) => attempts);
  }

  /** As if strangers had made nearly as many attempts on every account as there may be. */
  function fillAccounts(left = 1): Promise<unknown> {
    return auth.database.query(
      `update attempt_windows set attempts = 1000 - $1 where bucket like 'account:%'`,
      [left],
    );
  }

  it('admits exactly ten of many that run at the same time on two nodes, and hashes no more than these', async () => {
    const verify = hashNothing();
    const { email } = await auth.register();
    const statuses = await spend(email, '192.0.2.1', 30);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
    expect(verify).toHaveBeenCalledTimes(10);
  });

  it('answers alike whether or not the account exists, and says until when', async () => {
    hashNothing();
    const { email } = await auth.register();
    const refusals: unknown[] = [];
    for (const name of [email, 'nobody@example.com']) {
      expect(await spend(name, '192.0.2.1', 10)).toEqual(Array.from({ length: 10 }, () => 401));
      const { status, headers, body } = await login(name, '192.0.2.1');
      const { requestId: _requestId, retryAfterMs, ...rest } = body.error as Record<string, unknown>;
      expect(headers['retry-after']).toMatch(/^\d+$/);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(900);
      expect(retryAfterMs).toBeGreaterThan(0);
      refusals.push({ status, ...rest });
    }
    expect(refusals[0]).toMatchObject({ status: 429, code: 'TOO_MANY_ATTEMPTS', type: 'rate_limit_error' });
    expect(refusals[1]).toEqual(refusals[0]);
  });

  it('locks nobody out of other addresses or other accounts, nor for longer than the window', async () => {
    const [victim, neighbour] = [await auth.register(), await auth.register()];
    await spend(victim.email, '192.0.2.1', 20);
    expect((await login(victim.email, '192.0.2.1', PASSWORD)).status).toBe(429);
    expect((await login(victim.email, '192.0.2.2', PASSWORD)).status).toBe(200);
    expect((await login(neighbour.email, '192.0.2.1', PASSWORD)).status).toBe(200);
    await auth.database.query(`update attempt_windows set ends_at = now() - interval '1 s'`);
    expect((await login(victim.email, '192.0.2.1', PASSWORD)).status).toBe(200);
  });

  it('bounds what one address tries on many accounts', async () => {
    hashNothing();
    const statuses: number[] = [];
    for (let account = 0; account < 13; account += 1) {
      statuses.push(...(await spend(`user-${account}@example.org`, '2001:db8::1', 8)));
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    expect((await login('one-more@example.org', '2001:db8::2')).status).toBe(429);
    expect((await login('one-more@example.org', '2001:db8:0:1::2')).status).toBe(401);
  });

  it('bounds what many addresses try on one account; what is refused to one of them costs the account nothing', async () => {
    hashNothing();
    const { email } = await auth.register();
    expect(await spend(email, '192.0.2.0', 60)).toContain(429);
    const statuses: number[] = [];
    for (let address = 1; address < 11; address += 1) {
      statuses.push(...(await spend(email, `192.0.2.${address}`, 10)));
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    expect(await attemptsOn('account')).toEqual([110]);
    await fillAccounts();
    expect(await spend(email, '198.51.100.1', 1)).toEqual([401]);
    expect((await login(email, '198.51.100.1')).status).toBe(429);
    expect((await login(email, '198.51.100.2')).status).toBe(429);
  });

  it('locks nobody out who logged in from there lately, however many strangers guess', async () => {
    const [victim, neighbour] = [await auth.register(), await auth.register()];
    for (const { email } of [victim, neighbour]) {
      expect((await login(email, '192.0.2.1', PASSWORD)).status).toBe(200);
      await spend(email, '198.51.100.1', 1);
    }
    await fillAccounts(0);
    expect((await login(victim.email, '198.51.100.2', PASSWORD)).status).toBe(429);
    expect((await login(victim.email, '192.0.2.1', PASSWORD)).status).toBe(200);
    // What is known to one account is a stranger to the other.
    expect((await login(neighbour.email, '192.0.2.1', PASSWORD)).status).toBe(200);
    expect((await login('nobody@example.com', '192.0.2.1')).status).toBe(401);
    // The bounds of one address hold for it too.
    await spend(victim.email, '192.0.2.1', 10);
    expect((await login(victim.email, '192.0.2.1', PASSWORD)).status).toBe(429);
    await auth.database.query(`delete from attempt_windows where bucket like 'pair:%'`);
    await auth.database.query(`update known_visitors set known_until = now() - interval '1 s'`);
    expect((await login(victim.email, '192.0.2.1', PASSWORD)).status).toBe(429);
  });

  it('knows the last twenty addresses of an account, which count nothing there', async () => {
    const { email } = await auth.register();
    jest.spyOn(PasswordHasher.prototype, 'verify').mockResolvedValue(true);
    for (let address = 1; address <= 22; address += 1) {
      expect((await login(email, `192.0.2.${address}`, PASSWORD)).status).toBe(200);
    }
    const known = await auth.database.query<{ left: number }[]>(
      `select extract(epoch from known_until - now())::float8 / 86400 as left from known_visitors k
       where account = (select account from known_visitors order by known_until desc limit 1)`,
    );
    expect(known).toHaveLength(20);
    for (const { left } of known) expect(left).toBeGreaterThan(29.9);
    hashNothing();
    await auth.database.query('delete from attempt_windows');
    expect(await spend(email, '192.0.2.22', 2)).toEqual([401, 401]);
    expect(await attemptsOn('account')).toEqual([]);
    expect(await spend(email, '192.0.2.1', 2)).toEqual([401, 401]);
    expect(await attemptsOn('account')).toEqual([2]);
  });

  it('clears the count of who succeeds, and takes only that attempt back elsewhere', async () => {
    const { email } = await auth.register();
    await spend(email, '192.0.2.1', 9);
    expect((await login(email, '192.0.2.1', PASSWORD)).status).toBe(200);
    const rows = await auth.database.query<{ bucket: string; attempts: number }[]>(
      'select bucket, attempts from attempt_windows order by bucket',
    );
    expect(rows.map(({ bucket, attempts }) => [bucket.split(':')[0], attempts])).toEqual([
      ['account', 9],
      ['address', 9],
      ['pair', 0],
    ]);
    expect((await spend(email, '192.0.2.1', 10)).filter((status) => status === 401)).toHaveLength(10);
  });

  it('counts no attempt that could not be judged', async () => {
    const { email } = await auth.register();
    jest.spyOn(PasswordHasher.prototype, 'verify').mockRejectedValue(new Error('no memory'));
    for (let round = 0; round < 12; round += 1) expect((await login(email, '192.0.2.1')).status).toBe(500);
    jest.restoreAllMocks();
    expect((await login(email, '192.0.2.1', PASSWORD)).status).toBe(200);
  });

  it('answers 503 while the database is away', async () => {
    const gone = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    jest.spyOn(auth.app.get(AttemptsRepository), 'count').mockRejectedValue(gone);
    const answer = await login('ada@example.com', '192.0.2.1');
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'SERVICE_UNAVAILABLE' } } });
  });

  it('leaves nothing behind of a flood that is refused', async () => {
    hashNothing();
    for (let account = 0; account < 10; account += 1)
      await spend(`user-${account}@example.org`, '192.0.2.1', 10);
    const count = async (): Promise<unknown> => auth.database.query('select count(*) from attempt_windows');
    const before = await count();
    for (let account = 10; account < 40; account += 1) {
      expect((await login(`user-${account}@example.org`, '192.0.2.1')).status).toBe(429);
    }
    expect(await count()).toEqual(before);
  });

  it('writes down neither addresses nor accounts', async () => {
    await login('ada@example.com', '192.0.2.77');
    const { email } = await auth.register();
    await login(email, '192.0.2.77', PASSWORD);
    const rows = JSON.stringify([
      await auth.database.query('select * from attempt_windows'),
      await auth.database.query('select * from known_visitors'),
    ]);
    expect(rows).not.toMatch(/ada|example|192\.0/);
  });

  describe(AttemptLimiter.name, () => {
    const isRefused = (node: AuthApp, address: string): boolean => {
      try {
        node.app.get(AttemptLimiter).check(address);
        return false;
      } catch {
        return true;
      }
    };

    function fail(node: AuthApp, address: string, count: number): void {
      for (let index = 0; index < count; index += 1) node.app.get(AttemptLimiter).countFailure(address);
    }

    it('counts together what several processes see of one address', async () => {
      const flush = (node: AuthApp): Promise<void> => node.app.get(AttemptLimiter).flush();
      fail(auth, '203.0.113.1', 60);
      fail(other, '203.0.113.1', 40);
      expect([isRefused(auth, '203.0.113.1'), isRefused(other, '203.0.113.1')]).toEqual([false, false]);
      await flush(auth);
      await flush(other);
      expect(isRefused(other, '203.0.113.1')).toBe(true);
      fail(auth, '203.0.113.1', 1);
      await flush(auth);
      expect(isRefused(auth, '203.0.113.1')).toBe(true);
      expect(isRefused(auth, '203.0.113.2')).toBe(false);
    });
  });
});
