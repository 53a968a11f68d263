import { newId, type RequestContext } from '../../../src/common/index';
import { type Hold, type SettledAttempt } from '../../../src/ledger/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import {
  aBudget,
  aCaller,
  aCommand,
  aContext,
  ADMIN,
  aLimit,
  anAttempt,
  bootNode,
  type Caller,
  CENT,
  countOf,
  kill,
  type LedgerNode,
  reap,
} from './ledger-node';

/** A small generator, so that a failing run can be repeated from its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('The books', () => {
  let database: TestDatabase;
  let nodes: LedgerNode[];

  beforeAll(async () => {
    database = await createTestDatabase();
    nodes = [await bootNode(database.url), await bootNode(database.url), await bootNode(database.url)];
  });

  afterAll(async () => {
    for (const node of nodes) await node.close();
    await database.drop();
  });

  const nodeOf = (index: number): LedgerNode => nodes[index % nodes.length] as LedgerNode;

  it('equal the sum of their lines after any interleaving of processes, retries, repeats and deaths', async () => {
    const seed = Date.now() % 1_000_000;
    const random = randomOf(seed);
    const first = nodeOf(0);
    const callers = await Promise.all([1, 2, 3, 4].map(() => aCaller(first)));
    const projectId = newId();
    await scatterRules(first, callers, projectId);

    const truth = new Map<string, bigint>();
    const oneRequest = async (index: number): Promise<void> => {
      const node = nodeOf(random(3));
      const ctx = aContext(callers[index % 4] as Caller, random(2) ? { projectId } : undefined);
      const command = aCommand({ worst: BigInt(1 + random(9)) * CENT, minimum: CENT, tokens: random(50) });
      const hold = await node.ledger.admit(ctx, command).catch(() => undefined);
      if (!hold) return;
      await runAttempts({ node, ctx, hold, truth, random });
    };
    const deaths = async (): Promise<void> => {
      for (let i = 0; i < 5; i += 1) {
        await kill(first, nodeOf(random(3)).processId);
        await reap(nodeOf(random(3)));
        for (const node of nodes) await node.lease.beat();
      }
    };
    await Promise.all([...Array.from({ length: 400 }, (_, i) => oneRequest(i)), deaths()]);

    const context = { seed };
    expect({ ...context, differences: await first.reconciliation.reconcile() }).toEqual({
      ...context,
      differences: [],
    });
    const lines = (await first.database.query(
      'select request_id, attempt, cost_pico_usd, outcome from usage_lines where user_id = any($1)',
      [callers.map(({ userId }) => userId)],
    )) as { request_id: string; attempt: number; cost_pico_usd: string; outcome: string }[];
    // Nothing was sent for the cancelled ones, but their process seemed dead before it could say so.
    expect(lines.filter(({ outcome }) => outcome === 'crashed')).toEqual([]);
    const unsent = lines.filter(({ outcome }) => outcome === 'cancelled');
    expect(unsent.filter((line) => line.cost_pico_usd !== '0')).toEqual([]);
    const told = lines.filter(({ outcome }) => outcome !== 'cancelled');
    const booked = new Map(
      told.map((line) => [`${line.request_id}/${line.attempt}`, BigInt(line.cost_pico_usd)]),
    );
    expect({ ...context, booked }).toEqual({ ...context, booked: truth });
    expect(await countOf(first, 'holds')).toBe(0);
    expect(await countOf(first, 'limit_counters where running <> 0')).toBe(0);
    expect(await deadlocks(first)).toBe(0);
  });

  it('never let a hard budget be passed while it is contended', async () => {
    const first = nodeOf(0);
    const caller = await aCaller(first);
    const cap = 100n * CENT;
    const id = await aBudget(first, { scopeId: caller.userId, limitPicoUsd: cap });
    let isDone = false;
    const samples: bigint[] = [];
    const watch = async (): Promise<void> => {
      while (!isDone) {
        const { spentPicoUsd, heldPicoUsd } = await first.budgets.get(ADMIN, id);
        samples.push(spentPicoUsd + heldPicoUsd);
      }
    };
    const watching = watch();
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const ctx = aContext(caller);
        const node = nodeOf(i);
        const hold = await node.ledger.admit(ctx, aCommand({ minimum: CENT })).catch(() => undefined);
        if (hold) await node.ledger.settle(ctx, hold, [anAttempt({ costPicoUsd: hold.heldPicoUsd / 2n })]);
      }),
    );
    isDone = true;
    await watching;
    expect(samples.filter((sum) => sum > cap)).toEqual([]);
    await expect(first.reconciliation.reconcile()).resolves.toEqual([]);
  });
});

/** Overlapping scopes, so that one request takes several locks and different requests take them in different company. */
async function scatterRules(node: LedgerNode, callers: readonly Caller[], projectId: string): Promise<void> {
  const plenty = 100_000n * CENT;
  await aBudget(node, { scope: 'project', scopeId: projectId, limitPicoUsd: plenty, mode: 'soft' });
  for (const caller of callers) {
    await aBudget(node, { scope: 'key', scopeId: caller.keyId, limitPicoUsd: 300n * CENT });
    await aBudget(node, { scope: 'user', scopeId: caller.userId, limitPicoUsd: plenty, period: 'day' });
    await aLimit(node, { scope: 'user', scopeId: caller.userId, concurrency: 60, tokensPerHour: 1_000_000 });
  }
  await aBudget(node, { scope: 'global', limitPicoUsd: plenty, period: 'total' });
  await aLimit(node, { scope: 'global', requestsPerHour: 100_000 });
}

interface Run {
  readonly node: LedgerNode;
  readonly ctx: RequestContext;
  readonly hold: Hold;
  readonly truth: Map<string, bigint>;
  readonly random: (below: number) => number;
}

/** One to three attempts, the last settled once or twice; what the provider would say goes into `truth`. */
async function runAttempts({ node, ctx, hold, truth, random }: Run): Promise<void> {
  let current = hold;
  const finish = (attempt: number): SettledAttempt => {
    const costPicoUsd = BigInt(random(2 ** 31));
    truth.set(`${ctx.requestId}/${attempt}`, costPicoUsd);
    return anAttempt({
      attempt,
      costPicoUsd,
      usage: { promptTokens: random(90), completionTokens: random(90) },
    });
  };
  const attempts = 1 + random(3);
  for (let attempt = 1; attempt < attempts; attempt += 1) {
    const next = aCommand({ worst: 3n * CENT, minimum: CENT }, attempt + 1);
    const advanced = await node.ledger.advance(ctx, current, [finish(attempt)], next).catch(() => undefined);
    if (!advanced) return;
    current = advanced;
  }
  const lines = random(10) === 0 ? [] : [finish(attempts)];
  await node.ledger.settle(ctx, current, lines);
  if (random(4) === 0) await node.ledger.settle(ctx, current, lines);
}

async function deadlocks(node: LedgerNode): Promise<number> {
  const [row] = (await node.database.query(
    'select deadlocks::int as deadlocks from pg_stat_database where datname = current_database()',
  )) as { deadlocks: number }[];
  return row?.deadlocks ?? -1;
}
