import { ThresholdCleanup } from '../../../src/budget/threshold-cleanup';
import { ThresholdPublisher } from '../../../src/budget/threshold-publisher';
import { toApiId } from '../../../src/common/index';
import { Notifications } from '../../../src/database/index';
import { Outbox } from '../../../src/events/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import {
  aBudget,
  aCaller,
  aCommand,
  aContext,
  anAttempt,
  bootNode,
  CENT,
  countOf,
  type LedgerNode,
  spend,
} from '../ledger/ledger-node';

interface EventRow {
  readonly type: string;
  readonly resource: string;
  readonly owner_id: string | null;
  readonly data: Record<string, unknown>;
}

describe(ThresholdPublisher.name, () => {
  let database: TestDatabase;
  let node: LedgerNode;

  beforeEach(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url);
  });

  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  const publisher = (outbox = new Outbox(), notifications = node.module.get(Notifications)) =>
    new ThresholdPublisher(node.database, outbox, notifications);

  const events = async () =>
    await node.database.query<EventRow[]>(
      'select type, resource, owner_id, data from events order by position',
    );

  it('makes an event of each threshold, for whom the budget concerns', async () => {
    const caller = await aCaller(node);
    const ofUser = await aBudget(node, { scopeId: caller.userId, period: 'day', limitPicoUsd: 10n * CENT });
    const ofKey = await aBudget(node, {
      scope: 'key',
      scopeId: caller.keyId,
      period: 'total',
      limitPicoUsd: 100n * CENT,
      mode: 'soft',
    });
    const ofAll = await aBudget(node, { scope: 'global', period: 'total', limitPicoUsd: 10n * CENT });
    await spend(node, caller, 5n * CENT);
    await publisher().publish();
    expect(await events()).toEqual([
      {
        type: 'budget.threshold',
        resource: toApiId('bud', ofUser),
        owner_id: caller.userId,
        data: {
          budgetId: toApiId('bud', ofUser),
          scope: 'user',
          scopeId: toApiId('usr', caller.userId),
          period: 'day',
          periodStart: expect.stringMatching(/T00:00:00\.000Z$/),
          percent: 50,
          spentUsd: '0.05',
          limitUsd: '0.1',
          mode: 'hard',
          passedAt: expect.any(String),
          resetsAt: expect.stringMatching(/T00:00:00\.000Z$/),
        },
      },
      expect.objectContaining({
        resource: toApiId('bud', ofAll),
        owner_id: null,
        data: expect.objectContaining({ scope: 'global', scopeId: null, resetsAt: null }),
      }),
    ]);
    await spend(node, caller, 5n * CENT);
    await node.budgets.update(
      { ...aContext(caller), principal: { userId: caller.userId, role: 'admin' } },
      ofKey,
      {
        limitPicoUsd: 20n * CENT,
      },
    );
    await publisher().publish();
    const percents = (await events()).map(({ resource, owner_id, data }) => [
      resource,
      owner_id,
      data.percent,
    ]);
    expect(percents.slice(2)).toEqual([
      [toApiId('bud', ofUser), caller.userId, 80],
      [toApiId('bud', ofUser), caller.userId, 100],
      [toApiId('bud', ofAll), null, 80],
      [toApiId('bud', ofAll), null, 100],
      [toApiId('bud', ofKey), caller.userId, 50],
    ]);
  });

  it('publishes each exactly once, however many processes publish', async () => {
    const callers = await Promise.all(Array.from({ length: 40 }, () => aCaller(node)));
    for (const { userId } of callers) await aBudget(node, { scopeId: userId, limitPicoUsd: CENT });
    await Promise.all(callers.map((caller) => spend(node, caller, CENT)));
    const publishers = Array.from({ length: 4 }, () => publisher());
    const counts = await Promise.all(publishers.map((each) => each.publish()));
    const late = await publisher().publish();
    expect(counts.reduce((sum, count) => sum + count, late)).toBe(120);
    const [row] = await node.database.query<{ all: string; different: string }[]>(
      `select count(*) as all, count(distinct (resource, data->>'percent')) as different from events`,
    );
    expect(row).toEqual({ all: '120', different: '120' });
  });

  it('publishes again what could not be appended', async () => {
    const caller = await aCaller(node);
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: CENT });
    await spend(node, caller, CENT);
    const outbox = new Outbox();
    jest.spyOn(outbox, 'append').mockImplementationOnce(async (added, executor) => {
      await new Outbox().append(added, executor);
      throw new Error('lost');
    });
    const broken = publisher(outbox);
    await expect(broken.publish()).rejects.toThrow('lost');
    expect(await events()).toEqual([]);
    await expect(broken.publish()).resolves.toBe(3);
    expect(await countOf(node, 'budget_thresholds where published_at is null')).toBe(0);
  });

  it('is woken by the ledger, and looks by itself when a word of it was lost', async () => {
    const caller = await aCaller(node);
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: CENT });
    const deaf = { on: () => () => undefined, onReconnect: () => undefined } as unknown as Notifications;
    const polling = publisher(undefined, deaf);
    const look = jest.spyOn(globalThis, 'setInterval');
    polling.onApplicationBootstrap();
    const [[tick, intervalMs] = []] = look.mock.calls;
    look.mockRestore();
    await spend(node, caller, CENT);
    expect(intervalMs).toBeLessThanOrEqual(10_000);
    await eventually(async () => {
      tick?.();
      return (await events()).length === 3 ? true : undefined;
    });
    await polling.onApplicationShutdown();

    const heard: string[] = [];
    const notifications = node.module.get(Notifications);
    notifications.on('lattice_thresholds', (payload) => heard.push(payload));
    const other = await aCaller(node);
    await aBudget(node, { scopeId: other.userId, limitPicoUsd: CENT });
    await spend(node, other, CENT);
    await eventually(async () => (heard.length > 0 ? true : undefined));
  });
});

describe('The table of thresholds', () => {
  let database: TestDatabase;
  let node: LedgerNode;

  beforeEach(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url);
  });

  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  it('loses what was published long ago, once its period is over', async () => {
    await node.database.query(`
      insert into budget_thresholds (budget_id, scope, scope_id, period, period_start, percent, spent_pico, limit_pico,
        passed_at, published_at)
      select gen_random_uuid(), 'user', gen_random_uuid(), period, period_start, percent, 1, 1, now(), published_at
      from (values
        (1, 'day', now() - interval '40 days', now() - interval '40 days'),
        (2, 'day', now() - interval '40 days', null),
        (3, 'day', now() - interval '40 days', now() - interval '20 days'),
        (4, 'month', date_trunc('month', now()), now() - interval '31 days'),
        (5, 'total', '-infinity', now() - interval '80 days'),
        (6, 'total', '-infinity', now() - interval '100 days')
      ) v (percent, period, period_start, published_at)`);
    const cleanup = new ThresholdCleanup(node.database);
    await expect(cleanup.run()).resolves.toBe(2);
    await expect(cleanup.run()).resolves.toBe(0);
    const left = await node.database.query<{ percent: number }[]>(
      'select percent from budget_thresholds order by percent',
    );
    expect(left.map(({ percent }) => percent)).toEqual([2, 3, 4, 5]);
  });

  it('takes 30 a day of one scope, however often its limit or its budget changes', async () => {
    const caller = await aCaller(node);
    const scope = { scope: 'key', scopeId: caller.keyId } as const;
    const ctx = aContext(caller);
    const hold = await node.ledger.admit(ctx, aCommand({ worst: 10n * CENT }));
    await node.ledger.settle(ctx, hold, [anAttempt({ costPicoUsd: 10n * CENT })]);
    const id = await aBudget(node, { ...scope, period: 'total', limitPicoUsd: CENT });
    const admin = { ...ctx, principal: { userId: caller.userId, role: 'admin' } } as const;
    const ofScope = () => countOf(node, 'budget_thresholds where scope_id = $1', [caller.keyId]);
    for (let round = 1n; round <= 7n; round += 1n) {
      await node.budgets.update(admin, id, { limitPicoUsd: 1000n * CENT + round });
      await node.budgets.update(admin, id, { limitPicoUsd: CENT + round });
    }
    expect(await ofScope()).toBe(24);
    await node.budgets.remove(admin, id);
    for (let round = 0; round < 4; round += 1) {
      await node.budgets.remove(
        admin,
        await aBudget(node, { ...scope, period: 'total', limitPicoUsd: CENT }),
      );
    }
    expect(await ofScope()).toBe(30);
    const other = await aCaller(node);
    await aBudget(node, { scopeId: other.userId, limitPicoUsd: CENT });
    const theirs = aContext(other);
    const held = await node.ledger.admit(theirs, aCommand({ worst: CENT }));
    await node.ledger.settle(theirs, held, [anAttempt({ costPicoUsd: CENT })]);
    expect(await countOf(node, 'budget_thresholds where scope_id = $1', [other.userId])).toBe(3);
    await node.database.query(`update budget_thresholds set passed_at = passed_at - interval '1 day'`);
    await aBudget(node, { ...scope, period: 'total', limitPicoUsd: CENT });
    expect(await ofScope()).toBe(33);
  });
});
