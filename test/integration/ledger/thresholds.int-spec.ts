import { Client } from 'pg';
import type { RequestContext } from '../../../src/common/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import {
  aBudget,
  aCaller,
  aCommand,
  aContext,
  ADMIN,
  anAttempt,
  bootNode,
  type Caller,
  CENT,
  kill,
  type LedgerNode,
  reap,
} from './ledger-node';

interface Threshold {
  readonly percent: number;
  readonly spent: string;
  readonly limit: string;
  readonly start: string;
}

describe('Thresholds of budgets', () => {
  let database: TestDatabase;
  let nodes: LedgerNode[];
  let caller: Caller;
  let nowMs: number | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    const now = (): Date => (nowMs === undefined ? new Date() : new Date(nowMs));
    nodes = await Promise.all([1, 2, 3, 4].map(() => bootNode(database.url, { now })));
  });

  afterAll(async () => {
    for (const node of nodes) await node.close();
    await database.drop();
  });

  beforeEach(async () => {
    nowMs = undefined;
    caller = await aCaller(nodeOf(0));
  });

  const nodeOf = (index: number): LedgerNode => nodes[index % nodes.length] as LedgerNode;

  async function passedOf(budgetId: string): Promise<Threshold[]> {
    return await nodeOf(0).database.query(
      `select percent, spent_pico::text as spent, limit_pico::text as "limit",
         to_char(period_start at time zone 'UTC', 'YYYY-MM-DD') as start
       from budget_thresholds where budget_id = $1 order by id`,
      [budgetId],
    );
  }

  const percents = async (budgetId: string): Promise<number[]> =>
    (await passedOf(budgetId)).map(({ percent }) => percent);

  async function spend(cents: bigint, node = nodeOf(0), ctx = aContext(caller)): Promise<RequestContext> {
    const amount = cents * CENT;
    const hold = await node.ledger.admit(ctx, aCommand({ worst: amount, minimum: 0n, estimate: amount }));
    await node.ledger.settle(ctx, hold, [anAttempt({ costPicoUsd: amount })]);
    return ctx;
  }

  it('are written once each under concurrent settlements of four processes', async () => {
    const id = await aBudget(nodeOf(0), { scopeId: caller.userId, limitPicoUsd: 100n * CENT, mode: 'soft' });
    const total = await aBudget(nodeOf(0), {
      scope: 'key',
      scopeId: caller.keyId,
      limitPicoUsd: 60n * CENT,
      mode: 'soft',
    });
    await Promise.all(Array.from({ length: 120 }, (_, i) => spend(1n, nodeOf(i))));
    for (const [budget, cents] of [
      [id, 100],
      [total, 60],
    ] as const) {
      const passed = await passedOf(budget);
      expect(passed.map(({ percent }) => percent)).toEqual([50, 80, 100]);
      for (const { percent, spent, limit } of passed) {
        expect(limit).toBe(String(BigInt(cents) * CENT));
        expect(BigInt(spent) * 100n).toBeGreaterThanOrEqual(BigInt(limit) * BigInt(percent));
      }
    }
  });

  it('are passed at the very amount, not one pico-USD before', async () => {
    const id = await aBudget(nodeOf(0), { scopeId: caller.userId, limitPicoUsd: 101n, mode: 'soft' });
    const pay = async (pico: bigint): Promise<void> => {
      const ctx = aContext(caller);
      const hold = await nodeOf(0).ledger.admit(ctx, aCommand({ worst: 0n }));
      await nodeOf(0).ledger.settle(ctx, hold, [anAttempt({ costPicoUsd: pico })]);
    };
    await pay(50n);
    await expect(percents(id)).resolves.toEqual([]);
    await pay(1n);
    await expect(percents(id)).resolves.toEqual([50]);
    await pay(50n);
    await expect(percents(id)).resolves.toEqual([50, 80, 100]);
    await pay(1000n);
    await expect(percents(id)).resolves.toEqual([50, 80, 100]);
  });

  it('begin anew with the next period at midnight in UTC, and late bookings count in the old one', async () => {
    nowMs = Date.parse('2030-05-31T23:59:59.999Z');
    const options = { scopeId: caller.userId, limitPicoUsd: 10n * CENT, mode: 'soft' } as const;
    const day = await aBudget(nodeOf(0), { ...options, period: 'day' });
    const total = await aBudget(nodeOf(0), { ...options, period: 'total', limitPicoUsd: 18n * CENT });
    const late = aContext(caller);
    const hold = await nodeOf(0).ledger.admit(late, aCommand({ worst: CENT }));
    await spend(5n, nodeOf(1));
    nowMs = Date.parse('2030-06-01T00:00:00.000Z');
    await spend(8n, nodeOf(2));
    await nodeOf(0).ledger.settle(late, hold, [anAttempt({ costPicoUsd: 3n * CENT })]);
    const passed = (await passedOf(day)).map(({ percent, start }) => [start, percent]);
    expect(passed).toEqual([
      ['2030-05-31', 50],
      ['2030-06-01', 50],
      ['2030-06-01', 80],
      ['2030-05-31', 80],
    ]);
    await expect(percents(total)).resolves.toEqual([50, 80]);
  });

  it('are armed again by a higher limit, passed by a lower one, and never repeated for the same', async () => {
    const node = nodeOf(0);
    const id = await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 10n * CENT, mode: 'soft' });
    await spend(9n);
    await expect(percents(id)).resolves.toEqual([50, 80]);
    const setLimit = (cents: bigint) => node.budgets.update(ADMIN, id, { limitPicoUsd: cents * CENT });
    // 80 % of eleven is still passed: nothing to tell.
    await setLimit(11n);
    await setLimit(20n);
    await expect(percents(id)).resolves.toEqual([50, 80]);
    await spend(1n);
    await expect(percents(id)).resolves.toEqual([50, 80, 50]);
    await setLimit(10n);
    await expect(percents(id)).resolves.toEqual([50, 80, 50, 100]);
    await setLimit(20n);
    await setLimit(10n);
    await expect(percents(id)).resolves.toEqual([50, 80, 50, 100]);
  });

  it('count what was spent before the budget was made', async () => {
    await spend(9n);
    const id = await aBudget(nodeOf(0), { scopeId: caller.userId, limitPicoUsd: 10n * CENT, mode: 'soft' });
    await expect(percents(id)).resolves.toEqual([50, 80]);
    await spend(1n);
    await expect(percents(id)).resolves.toEqual([50, 80, 100]);
  });

  it('are passed by the first spent amount of a budget of nothing', async () => {
    const id = await aBudget(nodeOf(0), { scopeId: caller.userId, limitPicoUsd: 0n, mode: 'soft' });
    await spend(0n);
    await expect(percents(id)).resolves.toEqual([]);
    await spend(1n);
    await expect(percents(id)).resolves.toEqual([50, 80, 100]);
  });

  it('are written by whatever books: attempts on the way, deaths, and the truth that comes late', async () => {
    const [node, other] = [nodeOf(0), nodeOf(1)];
    const id = await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 100n * CENT, mode: 'soft' });
    const ctx = aContext(caller);
    const hold = await node.ledger.admit(ctx, aCommand({ worst: 30n * CENT }));
    const next = aCommand({ worst: 30n * CENT }, 2);
    await node.ledger.advance(ctx, hold, [anAttempt({ costPicoUsd: 50n * CENT })], next);
    await expect(percents(id)).resolves.toEqual([50]);
    await kill(other, node.processId);
    await reap(other);
    await expect(percents(id)).resolves.toEqual([50, 80]);
    // The truth is less than the bound, and then the rest is spent: nothing is told twice.
    await node.ledger.settle(ctx, hold, [anAttempt({ attempt: 2, costPicoUsd: 5n * CENT })]);
    await node.lease.beat();
    await spend(44n);
    await expect(percents(id)).resolves.toEqual([50, 80]);
    await spend(1n);
    await expect(percents(id)).resolves.toEqual([50, 80, 100]);
  });

  it('ring the bell of whoever publishes them, and only then', async () => {
    const id = await aBudget(nodeOf(0), { scopeId: caller.userId, limitPicoUsd: 10n * CENT, mode: 'soft' });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const rings: string[] = [];
    client.on('notification', ({ channel }) => rings.push(channel));
    await client.query('listen lattice_thresholds');
    try {
      await spend(1n);
      await spend(4n);
      await eventually(() => Promise.resolve(rings.length > 0 || undefined));
      // What was sent before this answer came before it.
      await client.query('select 1');
      expect(rings).toEqual(['lattice_thresholds']);
      await expect(percents(id)).resolves.toEqual([50]);
    } finally {
      await client.end();
    }
  });
});
