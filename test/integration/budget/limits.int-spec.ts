import { LimitPresence } from '../../../src/budget/limit-presence';
import { loadConfig } from '../../../src/config/index';
import { Notifications } from '../../../src/database/index';
import { ConflictError, ForbiddenError, NotFoundError } from '../../../src/errors/index';
import { LimitRepository } from '../../../src/ledger/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import {
  aCaller,
  aCommand,
  aContext,
  ADMIN,
  bootNode,
  type LedgerNode,
  aPerson,
} from '../ledger/ledger-node';

const NOON = Date.parse('2028-02-28T12:30:10Z');

describe(LimitRepository.name, () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let nowMs = NOON;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url, { now: () => new Date(nowMs) });
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  beforeEach(() => {
    nowMs = NOON;
  });

  it('shows how far the current windows are used up, and a window that has passed as empty', async () => {
    const caller = await aCaller(node);
    const { id } = await node.limits.create(aPerson(caller), {
      scope: 'key',
      scopeId: caller.keyId,
      requestsPerMinute: 3,
      requestsPerHour: 10,
      tokensPerMinute: 1000,
      concurrency: 2,
    });
    await node.ledger.admit(aContext(caller), aCommand({ tokens: 100 }));
    await node.ledger.countRequest(caller);
    const minuteEnd = new Date('2028-02-28T12:31:00Z');
    const hourEnd = new Date('2028-02-28T13:00:00Z');
    const hour = { used: 2, remaining: 8, resetsAt: hourEnd };
    expect(await node.limits.get(aPerson(caller), id)).toMatchObject({
      running: 1,
      windows: {
        requestsPerMinute: { used: 2, remaining: 1, resetsAt: minuteEnd },
        requestsPerHour: hour,
        tokensPerMinute: { used: 100, remaining: 900, resetsAt: minuteEnd },
        tokensPerHour: undefined,
      },
    });
    nowMs = minuteEnd.getTime();
    expect((await node.limits.get(ADMIN, id)).windows).toMatchObject({
      requestsPerMinute: { used: 0, remaining: 3, resetsAt: new Date('2028-02-28T12:32:00Z') },
      requestsPerHour: hour,
    });
  });

  it('is set by administrators, and by operators for their own keys', async () => {
    const [caller, other] = [await aCaller(node), await aCaller(node)];
    const ctx = aPerson(caller);
    const own = await node.limits.create(ctx, { scope: 'key', scopeId: caller.keyId, concurrency: 2 });
    expect(own.managedBy).toBe('owner');
    const ofUser = { scope: 'user', scopeId: caller.userId, concurrency: 2 } as const;
    await expect(node.limits.create(ctx, ofUser)).rejects.toBeInstanceOf(ForbiddenError);
    const foreign = { scope: 'key', scopeId: other.keyId, concurrency: 2 } as const;
    await expect(node.limits.create(ctx, foreign)).rejects.toBeInstanceOf(NotFoundError);
    await expect(node.limits.update(aContext(caller), own.id, { concurrency: 9 })).rejects.toBeInstanceOf(
      ForbiddenError,
    );
    await node.limits.update(ADMIN, own.id, { concurrency: 1 });
    await expect(node.limits.update(ctx, own.id, { concurrency: 9 })).rejects.toBeInstanceOf(ForbiddenError);
    await expect(node.limits.remove(ctx, own.id)).rejects.toBeInstanceOf(ForbiddenError);
  });

  it('is heard of by every process when it comes and goes', async () => {
    const notifications = node.module.get(Notifications);
    let heard = 0;
    const stop = notifications.on('lattice_limits', () => {
      heard += 1;
    });
    const presence = new LimitPresence(loadConfig({ LATTICE_ENV: 'test' }), node.database, notifications);
    presence.onModuleInit();
    await node.database.query('delete from limits');
    const other = await bootNode(database.url);
    const caller = await aCaller(other);
    await eventually(async () => ((await presence.isAny()) ? undefined : true));
    const before = heard;
    const { id } = await other.limits.create(ADMIN, {
      scope: 'user',
      scopeId: caller.userId,
      concurrency: 1,
    });
    await eventually(async () => (heard === before + 1 ? true : undefined));
    expect(await presence.isAny()).toBe(true);
    await other.limits.remove(ADMIN, id);
    await eventually(async () => ((await presence.isAny()) ? undefined : true));
    stop();
    await other.close();
  });

  it('takes the place of a default, keeps its windows, and gives it back', async () => {
    await node.database.query('select ledger_set_default_limits(20, null)');
    const caller = await aCaller(node);
    const scope = { scope: 'user', scopeId: caller.userId } as const;
    const listed = async () => await node.limits.list(aPerson(caller), { limit: 9 });
    expect(await listed()).toMatchObject([
      { ...scope, requestsPerHour: 20, isDefault: true, managedBy: 'admin' },
    ]);
    await node.ledger.countRequest(caller);
    const created = await node.limits.create(ADMIN, { ...scope, requestsPerHour: 50 });
    expect(created).toMatchObject({
      isDefault: false,
      windows: { requestsPerHour: { used: 1, remaining: 49 } },
    });
    await node.limits.remove(ADMIN, created.id);
    const [restored] = await listed();
    expect(restored).toMatchObject({ requestsPerHour: 20, isDefault: true });
    await expect(node.limits.remove(ADMIN, restored?.id ?? '')).rejects.toBeInstanceOf(ConflictError);
    const changed = await node.limits.update(ADMIN, restored?.id ?? '', { requestsPerHour: 7 });
    expect(changed).toMatchObject({ requestsPerHour: 7, isDefault: false });
    await node.database.query('select ledger_set_default_limits(null, null)');
    expect(await listed()).toMatchObject([{ requestsPerHour: 7 }]);
  });
});
