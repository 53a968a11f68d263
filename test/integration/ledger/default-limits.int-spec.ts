import { newId } from '../../../src/common/index';
import { LimitRepository, RequestLimitError } from '../../../src/ledger/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import {
  aCaller,
  aCommand,
  aContext,
  ADMIN,
  aLimit,
  bootNode,
  type Caller,
  countOf,
  type LedgerNode,
} from './ledger-node';

interface LimitRow {
  readonly id: string;
  readonly scope: string;
  readonly requests_per_hour: string | null;
  readonly is_default: boolean;
  readonly hour_requests: string;
}

describe('Default limits', () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let caller: Caller;

  beforeEach(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url);
    caller = await aCaller(node);
  });

  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  /** As a start of the service with these settings. */
  async function restart(userPerHour?: number, globalPerHour?: number): Promise<void> {
    await node.close();
    const env = {
      RATE_LIMIT_USER_PER_HOUR: userPerHour === undefined ? undefined : String(userPerHour),
      RATE_LIMIT_GLOBAL_PER_HOUR: globalPerHour === undefined ? undefined : String(globalPerHour),
    };
    node = await bootNode(database.url, { env });
  }

  async function limitsOf(scopeId?: string): Promise<LimitRow[]> {
    return await node.database.query(
      `select l.id, l.scope, l.requests_per_hour, l.is_default, c.hour_requests
       from limits l join limit_counters c on c.limit_id = l.id
       where l.scope_id = coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)`,
      [scopeId ?? null],
    );
  }

  const byDefault = (perHour: number) => ({ requests_per_hour: String(perHour), is_default: true });

  it('stand for users and for all, come with new users, and go with the setting', async () => {
    await expect(limitsOf(caller.userId)).resolves.toEqual([]);
    await restart(3, 1000);
    await expect(limitsOf(caller.userId)).resolves.toMatchObject([byDefault(3)]);
    await expect(limitsOf()).resolves.toMatchObject([byDefault(1000)]);
    const later = await aCaller(node);
    await expect(limitsOf(later.userId)).resolves.toMatchObject([byDefault(3)]);
    await node.database.query('delete from users where id = $1', [later.userId]);
    await expect(limitsOf(later.userId)).resolves.toEqual([]);
    await restart(5);
    await expect(limitsOf(caller.userId)).resolves.toMatchObject([byDefault(5)]);
    await expect(limitsOf()).resolves.toEqual([]);
    await restart();
    expect(await countOf(node, 'limits')).toBe(0);
    expect(await countOf(node, 'limit_counters')).toBe(0);
  });

  it('are enforced exactly, and keep their windows over a restart', async () => {
    await restart(3);
    await node.ledger.admit(aContext(caller), aCommand());
    await node.ledger.countRequest(caller);
    await restart(3);
    await expect(node.ledger.countRequest(caller)).resolves.toMatchObject({ limit: 3, remaining: 0 });
    await expect(node.ledger.countRequest(caller)).rejects.toBeInstanceOf(RequestLimitError);
    await expect(node.ledger.countRequest({ userId: newId() })).resolves.toBeUndefined();
  });

  it('are replaced as a whole by a limit that is set, which goes on from their windows', async () => {
    await restart(2);
    const ctx = aContext(caller);
    const hold = await node.ledger.admit(ctx, aCommand());
    await node.ledger.countRequest(caller);
    const id = await aLimit(node, { scopeId: caller.userId, requestsPerHour: 4, concurrency: 1 });
    const explicit = { id, requests_per_hour: '4', is_default: false, hour_requests: '2' };
    await expect(limitsOf(caller.userId)).resolves.toMatchObject([explicit]);
    await expect(node.ledger.admit(aContext(caller), aCommand())).rejects.toMatchObject({
      code: 'CONCURRENCY_LIMIT_EXCEEDED',
    });
    await expect(node.reconciliation.reconcile()).resolves.toEqual([]);
    await node.ledger.settle(ctx, hold, []);
    await expect(node.ledger.countRequest(caller)).resolves.toMatchObject({ limit: 4, remaining: 1 });
    await restart(9);
    await expect(limitsOf(caller.userId)).resolves.toMatchObject([{ id, is_default: false }]);
  });

  it('come back when the limit that replaced them is removed', async () => {
    await restart(2, 50);
    const ofUser = await aLimit(node, { scopeId: caller.userId, concurrency: 1 });
    const ofAll = await aLimit(node, { scope: 'global', requestsPerMinute: 1 });
    const ofKey = await aLimit(node, { scope: 'key', scopeId: caller.keyId, concurrency: 1 });
    await expect(limitsOf(caller.userId)).resolves.toMatchObject([{ is_default: false }]);
    for (const id of [ofUser, ofAll, ofKey]) await node.limits.remove(ADMIN, id);
    await expect(limitsOf(caller.userId)).resolves.toMatchObject([byDefault(2)]);
    await expect(limitsOf()).resolves.toMatchObject([byDefault(50)]);
    await expect(limitsOf(caller.keyId)).resolves.toEqual([]);
  });

  it(`make no conflict for ${LimitRepository.name}, but a second limit does`, async () => {
    await restart(2);
    await aLimit(node, { scopeId: caller.userId, requestsPerHour: 4 });
    await expect(aLimit(node, { scopeId: caller.userId, requestsPerHour: 5 })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('stand after starts and registrations at the same time', async () => {
    const url = database.url;
    const starting = [1, 2, 3].map(() => bootNode(url, { env: { RATE_LIMIT_USER_PER_HOUR: '7' } }));
    const callers = await Promise.all(Array.from({ length: 30 }, () => aCaller(node)));
    const others = await Promise.all(starting);
    for (const { userId } of callers) await expect(limitsOf(userId)).resolves.toMatchObject([byDefault(7)]);
    for (const other of others) await other.close();
  });
});
