import type { QueryRunner } from 'typeorm';
import { fromApiId } from '../../../src/common/index';
import { untilSomeoneWaits } from '../../support/database/lock-waits';
import { type Account, type Answer, type AuthApp, bootAuth } from './auth-app';

const KEYS = '/api/v1/keys';

/** Whoever is let in by the guard, and is then held up by another transaction. */
describe('a caller who ends between the guard and the transaction', () => {
  let auth: AuthApp;
  let admin: Account;
  let owner: Account;
  let manager: { id: string; key: string };
  let other: QueryRunner;

  beforeAll(async () => {
    auth = await bootAuth();
    admin = await auth.register();
  });

  beforeEach(async () => {
    owner = await auth.register();
    manager = await auth.createKey(owner, { name: 'manager', scopes: ['keys:*'] });
    other = auth.database.createQueryRunner();
    await other.startTransaction();
  });

  afterEach(async () => {
    if (other.isTransactionActive) await other.rollbackTransaction();
    await other.release();
  });

  afterAll(() => auth.close());

  const uuid = (prefix: 'key' | 'usr', id: string): string => fromApiId(prefix, id) ?? '';

  /** The change is made, but not to be seen by the guard yet; it commits when the call waits for it. */
  async function during(sql: string, id: string, call: () => Promise<Answer>): Promise<Answer> {
    await other.query(sql, [id]);
    const answer = call();
    await untilSomeoneWaits(auth.database);
    await other.commitTransaction();
    return answer;
  }

  const create = (credential: string): Promise<Answer> =>
    auth.call('POST', KEYS, { body: { name: 'late', scopes: ['keys:read'] }, credential });
  const rotate = (id: string, credential: string): Promise<Answer> =>
    auth.call('POST', `${KEYS}/${id}/rotate`, { body: {}, credential });
  const keysOf = async (account: Account): Promise<number> => {
    const rows = await auth.database.query<unknown[]>('select 1 from api_keys where user_id = $1', [
      uuid('usr', account.userId),
    ]);
    return rows.length;
  };

  it.each([
    ['was revoked', 'update api_keys set revoked_at = now() where id = $1'],
    ['has expired', `update api_keys set expires_at = now() - interval '1 s' where id = $1`],
    ['was rotated', `update api_keys set key_hash = repeat('0', 64) where id = $1`],
  ])('makes no key with one that %s', async (_name, sql) => {
    const answer = await during(sql, uuid('key', manager.id), () => create(manager.key));
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHENTICATED' } } });
    expect(await keysOf(owner)).toBe(1);
  });

  it('gives no other key a secret with one that was revoked', async () => {
    const victim = await auth.createKey(owner, { name: 'victim', scopes: ['keys:read'] });
    const revoke = 'update api_keys set revoked_at = now() where id = $1';
    const answer = await during(revoke, uuid('key', manager.id), () => rotate(victim.id, manager.key));
    expect(answer.status).toBe(401);
    expect((await auth.call('GET', KEYS, { credential: victim.key })).status).toBe(200);
  });

  it('makes no key, and rotates none, for a user who was disabled', async () => {
    const disable = 'update users set disabled_at = now() where id = $1';
    const ownerId = uuid('usr', owner.userId);
    expect((await during(disable, ownerId, () => create(owner.accessToken))).status).toBe(401);
    expect(await keysOf(owner)).toBe(1);
    await auth.database.query('update users set disabled_at = null where id = $1', [ownerId]);
    await other.startTransaction();
    const rotated = await during(disable, ownerId, () => rotate(manager.id, owner.accessToken));
    expect(rotated.status).toBe(401);
  });

  it('rotates itself once, however many ask at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => rotate(manager.id, manager.key)));
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, 401, 401, 401]);
  });

  it('lets two keys that act on each other both have their turn', async () => {
    const second = await auth.createKey(owner, { name: 'second', scopes: ['keys:*'] });
    const rename = (id: string, credential: string): Promise<Answer> =>
      auth.call('PATCH', `${KEYS}/${id}`, { body: { name: `n${Math.random()}` }, credential });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 ? rename(second.id, manager.key) : rename(manager.id, second.key),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('lets an administrator disable a user whose keys are busy', async () => {
    const rename = (): Promise<Answer> =>
      auth.call('PATCH', `${KEYS}/${manager.id}`, {
        body: { name: `n${Math.random()}` },
        credential: manager.key,
      });
    const disable = auth.call('PATCH', `/api/v1/users/${owner.userId}`, {
      body: { isDisabled: true },
      credential: admin.accessToken,
    });
    const answers = await Promise.all([...Array.from({ length: 10 }, rename), disable]);
    for (const { status } of answers) expect([200, 401]).toContain(status);
    expect(answers.at(-1)?.status).toBe(200);
  });
});
