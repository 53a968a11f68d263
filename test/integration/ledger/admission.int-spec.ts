import { newId } from '../../../src/common/index';
import {
  ConflictError,
  ForbiddenError,
  ServiceUnavailableError,
  UnauthenticatedError,
} from '../../../src/errors/index';
import {
  BudgetExceededError,
  ConcurrencyLimitError,
  LedgerService,
  type NewLimit,
  RequestLimitError,
  TokenLimitError,
} from '../../../src/ledger/index';
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
  type LedgerNode,
  tryAdmit,
} from './ledger-node';

describe(`${LedgerService.name} admission`, () => {
  let database: TestDatabase;
  let nodes: LedgerNode[];
  let node: LedgerNode;
  let caller: Caller;

  beforeAll(async () => {
    database = await createTestDatabase();
    nodes = [];
    for (let i = 0; i < 4; i += 1) nodes.push(await bootNode(database.url));
    node = nodes[0] as LedgerNode;
  });

  afterAll(async () => {
    for (const each of nodes) await each.close();
    await database.drop();
  });

  beforeEach(async () => {
    caller = await aCaller(node);
  });

  afterEach(async () => {
    await expect(node.reconciliation.reconcile()).resolves.toEqual([]);
    for (const table of ['budgets', 'limits', 'holds', 'usage_lines']) {
      await node.database.query(`delete from ${table}`);
    }
  });

  it('admits exactly 50 of 1,000 concurrent ten-cent calls against five dollars, from four processes', async () => {
    await aBudget(node, { scopeId: caller.userId });
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => tryAdmit(nodes[i % 4] as LedgerNode, aContext(caller))),
    );
    const refused = answers.filter((answer) => answer instanceof Error);
    expect(refused).toHaveLength(950);
    expect(refused.every((error) => error instanceof BudgetExceededError)).toBe(true);
  });

  it('takes up again what settled requests did not use', async () => {
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 20n * CENT });
    const contexts = [aContext(caller), aContext(caller)];
    for (const ctx of contexts) {
      const hold = await node.ledger.admit(ctx, aCommand());
      await node.ledger.settle(ctx, hold, [anAttempt()]);
    }
    await expect(tryAdmit(node, aContext(caller))).resolves.toMatchObject({ heldPicoUsd: 10n * CENT });
    await expect(tryAdmit(node, aContext(caller))).resolves.toBeInstanceOf(BudgetExceededError);
  });

  it('holds what is left when that is less than the worst case, and refuses below the minimum', async () => {
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 15n * CENT });
    const command = aCommand({ worst: 10n * CENT, minimum: 2n * CENT, estimate: 1n * CENT });
    const holds = [
      await tryAdmit(node, aContext(caller), command),
      await tryAdmit(node, aContext(caller), command),
    ];
    expect(holds).toMatchObject([
      { heldPicoUsd: 10n * CENT, isHard: true },
      { heldPicoUsd: 5n * CENT, isHard: true },
    ]);
    await expect(tryAdmit(node, aContext(caller), command)).resolves.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      status: 402,
      type: 'insufficient_quota',
      details: { scope: 'user', period: 'month', limitUsd: '0.15', spentUsd: '0', heldUsd: '0.15' },
    });
  });

  it.each(['user', 'key', 'project', 'run', 'global'] as const)(
    'obeys a hard budget of the scope %s',
    async (scope) => {
      const work = { projectId: newId(), runId: newId() };
      const ids = {
        user: caller.userId,
        key: caller.keyId,
        project: work.projectId,
        run: work.runId,
        global: undefined,
      };
      await aBudget(node, { scope, scopeId: ids[scope], limitPicoUsd: 10n * CENT, period: 'total' });
      await expect(tryAdmit(node, aContext(caller, work))).resolves.toMatchObject({ isHard: true });
      const error = await tryAdmit(node, aContext(caller, work));
      expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED', details: { scope, resetsAt: null } });
      const other = await aCaller(node);
      const answer = await tryAdmit(node, aContext(other));
      expect(answer instanceof BudgetExceededError).toBe(scope === 'global');
    },
  );

  it('tells the amounts of the global budget to administrators only', async () => {
    await aBudget(node, { scope: 'global', limitPicoUsd: 0n });
    const ctx = aContext(caller);
    const asAdmin = { ...ctx, requestId: newId(), principal: { ...ctx.principal, role: 'admin' as const } };
    const [toUser, toAdmin] = [await tryAdmit(node, ctx), await tryAdmit(node, asAdmin)];
    expect(toUser).toMatchObject({ details: { scope: 'global' } });
    expect(toUser).not.toHaveProperty('details.limitUsd');
    expect(toAdmin).toHaveProperty('details.limitUsd', '0');
  });

  it('holds the estimate under a soft budget, warns when it is exceeded, and never refuses', async () => {
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 5n * CENT, mode: 'soft', period: 'day' });
    const command = aCommand({ worst: 100n * CENT, estimate: 3n * CENT });
    const first = await node.ledger.admit(aContext(caller), command);
    const second = await node.ledger.admit(aContext(caller), command);
    expect(first).toMatchObject({ heldPicoUsd: 3n * CENT, isHard: false, warnings: [] });
    expect(second.warnings).toEqual(['The soft daily budget of the user is exceeded']);
  });

  it('costs no counter row without budgets and limits', async () => {
    const before = await countOf(node, 'budget_periods');
    await expect(node.ledger.admit(aContext(caller), aCommand({ estimate: 1n }))).resolves.toMatchObject({
      heldPicoUsd: 1n,
      isHard: false,
      warnings: [],
    });
    expect(await countOf(node, 'budget_periods')).toBe(before);
    expect(await countOf(node, 'limit_counters')).toBe(0);
  });

  const LIMITS: [keyof NewLimit, number, new (message: string) => Error, string][] = [
    ['requestsPerMinute', 3, RequestLimitError, 'requests_per_minute'],
    ['requestsPerHour', 3, RequestLimitError, 'requests_per_hour'],
    ['tokensPerMinute', 350, TokenLimitError, 'tokens_per_minute'],
    ['tokensPerHour', 350, TokenLimitError, 'tokens_per_hour'],
    ['concurrency', 3, ConcurrencyLimitError, 'concurrency'],
  ];

  it.each(LIMITS)(
    'admits exactly what %s allows, from four processes',
    async (field, value, error, limit) => {
      await aLimit(node, { scopeId: caller.userId, [field]: value });
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) => tryAdmit(nodes[i % 4] as LedgerNode, aContext(caller))),
      );
      const refused = answers.filter((answer) => answer instanceof Error);
      expect(refused).toHaveLength(37);
      expect(refused.every((each) => each instanceof error)).toBe(true);
      expect(refused[0]).toMatchObject({ status: 429, details: { limit, scope: 'user', value } });
      expect((refused[0] as RequestLimitError).retryAfterMs).toBeGreaterThan(0);
    },
  );

  it('frees the slot of a settled request', async () => {
    await aLimit(node, { scope: 'key', scopeId: caller.keyId, concurrency: 1 });
    const ctx = aContext(caller);
    const hold = await node.ledger.admit(ctx, aCommand());
    await expect(tryAdmit(node, aContext(caller))).resolves.toBeInstanceOf(ConcurrencyLimitError);
    await node.ledger.settle(ctx, hold, []);
    await expect(tryAdmit(node, aContext(caller))).resolves.toHaveProperty('heldPicoUsd');
  });

  it('corrects counted tokens to the real ones when a request is settled', async () => {
    await aLimit(node, { scope: 'global', tokensPerHour: 200 });
    const ctx = aContext(caller);
    const hold = await node.ledger.admit(ctx, aCommand({ tokens: 150 }));
    await expect(tryAdmit(node, aContext(caller), aCommand({ tokens: 51 }))).resolves.toBeInstanceOf(
      TokenLimitError,
    );
    await node.ledger.settle(ctx, hold, [anAttempt({ usage: { promptTokens: 40, completionTokens: 9 } })]);
    await expect(tryAdmit(node, aContext(caller), aCommand({ tokens: 151 }))).resolves.toHaveProperty(
      'heldPicoUsd',
    );
  });

  it('says that waiting does not help a request that alone is larger than the limit', async () => {
    await aLimit(node, { scopeId: caller.userId, tokensPerMinute: 50 });
    const error = await tryAdmit(node, aContext(caller), aCommand({ tokens: 51 }));
    expect(error).toMatchObject({
      details: { limit: 'tokens_per_minute', resetsAt: null },
      retryAfterMs: undefined,
    });
  });

  const INACTIVE: [string, string, new (message: string) => Error][] = [
    ['a revoked key', 'update api_keys set revoked_at = now() where id = $1', UnauthenticatedError],
    [
      'an expired key',
      `update api_keys set expires_at = now() - interval '1 s' where id = $1`,
      UnauthenticatedError,
    ],
    ['a deleted key', 'delete from api_keys where id = $1', UnauthenticatedError],
    [
      'a disabled user',
      'update users set disabled_at = now() where id = (select user_id from api_keys where id = $1)',
      ForbiddenError,
    ],
    [
      'a deleted user',
      'delete from users where id = (select user_id from api_keys where id = $1)',
      UnauthenticatedError,
    ],
  ];

  it.each(INACTIVE)('refuses %s without touching any counter', async (_, sql, error) => {
    await aBudget(node, { scopeId: caller.userId });
    await aLimit(node, { scopeId: caller.userId, requestsPerMinute: 5 });
    await node.database.query(sql, [caller.keyId]);
    await expect(tryAdmit(node, aContext(caller))).resolves.toBeInstanceOf(error);
    expect(await countOf(node, 'limit_counters where minute_requests > 0')).toBe(0);
  });

  it('refuses a key that belongs to another user', async () => {
    const other = await aCaller(node);
    const ctx = aContext({ userId: caller.userId, keyId: other.keyId });
    await expect(tryAdmit(node, ctx)).resolves.toBeInstanceOf(UnauthenticatedError);
  });

  it('keeps the decision of an admitted request and none of a refused one', async () => {
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 10n * CENT });
    const decisions = [newId(), newId()];
    for (const id of decisions) {
      await tryAdmit(node, aContext(caller), {
        ...aCommand(),
        decision: { id, record: { chosen: 'a\0b', deep: [1] } },
      });
    }
    const rows: unknown = await node.database.query(
      'select id, user_id, record from decisions where id = any($1)',
      [decisions],
    );
    expect(rows).toEqual([{ id: decisions[0], user_id: caller.userId, record: { chosen: 'ab', deep: [1] } }]);
  });

  it('lets one bad request of a batch fail alone', async () => {
    const bad = { ...aContext(caller), work: { projectId: 'no-uuid' } };
    const answers = await Promise.all([
      tryAdmit(node, aContext(caller)),
      tryAdmit(node, bad),
      tryAdmit(node, aContext(caller)),
    ]);
    expect(answers.map((answer) => answer instanceof Error)).toEqual([false, true, false]);
  });

  it('refuses a request that is open already, in this process and in another', async () => {
    const ctx = aContext(caller);
    await node.ledger.admit(ctx, aCommand());
    await expect(tryAdmit(node, ctx)).resolves.toBeInstanceOf(ConflictError);
    await expect(tryAdmit(nodes[1] as LedgerNode, ctx)).resolves.toBeInstanceOf(ConflictError);
    expect(await countOf(node, 'holds where request_id = $1', [ctx.requestId])).toBe(1);
  });

  it('admits the others when one of a batch finds its budget exhausted', async () => {
    const rich = await aCaller(node);
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 10n * CENT });
    await aBudget(node, { scopeId: rich.userId });
    const answers = await Promise.all(
      [caller, rich, caller, rich, caller].map((each) => tryAdmit(node, aContext(each))),
    );
    expect(answers.filter((answer) => answer instanceof Error)).toHaveLength(2);
  });

  it('counts what is spent and held already when a budget is created', async () => {
    const settled = aContext(caller);
    await node.ledger.settle(settled, await node.ledger.admit(settled, aCommand()), [anAttempt()]);
    const open = aContext(caller);
    const hold = await node.ledger.admit(open, aCommand({ estimate: 3n * CENT }));
    await aLimit(node, { scopeId: caller.userId, concurrency: 1 });
    await aBudget(node, { scope: 'key', scopeId: caller.keyId, limitPicoUsd: 16n * CENT });
    const [budget] = await node.budgets.list(ADMIN, { limit: 10 });
    expect(budget).toMatchObject({ spentPicoUsd: 4n * CENT, heldPicoUsd: 3n * CENT });
    await expect(tryAdmit(node, aContext(caller))).resolves.toBeInstanceOf(ConcurrencyLimitError);
    await node.ledger.settle(open, hold, [anAttempt()]);
    await expect(tryAdmit(node, aContext(caller), aCommand({ minimum: CENT }))).resolves.toMatchObject({
      heldPicoUsd: 8n * CENT,
    });
  });

  it('answers 503 when PostgreSQL is away', async () => {
    const lonely = await bootNode(database.url);
    await lonely.pool.end();
    await expect(tryAdmit(lonely, aContext(caller))).resolves.toBeInstanceOf(ServiceUnavailableError);
    Object.assign(lonely.pool, { end: () => Promise.resolve() });
    await lonely.close();
  });
});

describe(`${LedgerService.name} over time`, () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let now = new Date('2026-01-31T23:59:58Z');

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url, { now: () => now });
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  it('opens new windows and periods by itself, and leaves a hold in the period that admitted it', async () => {
    const caller = await aCaller(node);
    for (const period of ['day', 'month', 'total'] as const) {
      await node.database.query(`select ledger_create_budget($1, 'user', $2, $3, $4, 'hard', 'admin', $5)`, [
        newId(),
        caller.userId,
        period,
        String(period === 'total' ? 30n * CENT : 10n * CENT),
        now,
      ]);
    }
    await aLimit(node, { scopeId: caller.userId, requestsPerMinute: 1, tokensPerHour: 150 });
    const ctx = aContext(caller);
    const hold = await node.ledger.admit(ctx, aCommand());
    const small = aCommand({ tokens: 10 });
    await expect(tryAdmit(node, aContext(caller), small)).resolves.toBeInstanceOf(RequestLimitError);

    now = new Date('2026-02-01T00:00:01Z');
    await expect(tryAdmit(node, aContext(caller))).resolves.toMatchObject({ heldPicoUsd: 10n * CENT });
    await node.ledger.settle(ctx, hold, [anAttempt({ usage: { promptTokens: 140, completionTokens: 0 } })]);
    now = new Date('2026-02-01T00:01:01Z');
    // The tokens of January's request do not count against February's first hour: 100 of 150 are used.
    await expect(tryAdmit(node, aContext(caller), aCommand({ tokens: 50 }))).resolves.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      details: { period: 'month', resetsAt: '2026-03-01T00:00:00.000Z' },
    });
    const periods: unknown = await node.database.query(
      `select b.period, p.period_start, p.spent_pico, p.held_pico from budget_periods p
       join budgets b on b.id = p.budget_id order by 1, 2`,
    );
    const inCents = (cents: bigint): string => String(cents * CENT);
    expect(periods).toEqual([
      { period: 'day', period_start: new Date('2026-01-31'), spent_pico: inCents(4n), held_pico: '0' },
      { period: 'day', period_start: new Date('2026-02-01'), spent_pico: '0', held_pico: inCents(10n) },
      { period: 'month', period_start: new Date('2026-01-01'), spent_pico: inCents(4n), held_pico: '0' },
      { period: 'month', period_start: new Date('2026-02-01'), spent_pico: '0', held_pico: inCents(10n) },
      { period: 'total', period_start: new Date(0), spent_pico: inCents(4n), held_pico: inCents(10n) },
    ]);
    await expect(node.reconciliation.reconcile()).resolves.toEqual([]);
  });
});
