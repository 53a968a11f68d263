import { newId, type RequestContext } from '../../../src/common/index';
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from '../../../src/errors/index';
import { type Budget, BudgetRepository, type NewBudget } from '../../../src/ledger/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import {
  aCaller,
  aCommand,
  aContext,
  ADMIN,
  anAttempt,
  bootNode,
  type Caller,
  CENT,
  type LedgerNode,
  tryAdmit,
  aPerson,
  spend,
} from '../ledger/ledger-node';

const FEBRUARY = Date.parse('2028-02-28T23:59:00Z');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe(BudgetRepository.name, () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let nowMs = FEBRUARY;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url, { now: () => new Date(nowMs) });
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  beforeEach(() => {
    nowMs = FEBRUARY;
  });

  const budgetOf = (caller: Caller, more: Partial<NewBudget> = {}): NewBudget => ({
    scope: 'key',
    scopeId: caller.keyId,
    period: 'day',
    limitPicoUsd: 100n * CENT,
    mode: 'hard',
    ...more,
  });

  const figures = ({ spentPicoUsd, heldPicoUsd, resetsAt }: Budget) => [
    spentPicoUsd,
    heldPicoUsd,
    resetsAt?.toISOString(),
  ];

  describe('the current period', () => {
    it('ends at midnight UTC without a job, also over a leap day and a month', async () => {
      const caller = await aCaller(node);
      const day = await node.budgets.create(ADMIN, budgetOf(caller));
      const month = await node.budgets.create(ADMIN, budgetOf(caller, { period: 'month' }));
      const total = await node.budgets.create(ADMIN, budgetOf(caller, { period: 'total' }));
      const read = async () =>
        await Promise.all(
          [day, month, total].map(async ({ id }) => figures(await node.budgets.get(ADMIN, id))),
        );

      await spend(node, caller, 3n * CENT);
      await node.ledger.admit(aContext(caller), aCommand({ worst: 2n * CENT }));
      const [march, leapDay] = ['2028-03-01T00:00:00.000Z', '2028-02-29T00:00:00.000Z'];
      expect(await read()).toEqual([
        [3n * CENT, 2n * CENT, leapDay],
        [3n * CENT, 2n * CENT, march],
        [3n * CENT, 2n * CENT, undefined],
      ]);

      nowMs = FEBRUARY + MINUTE;
      expect(await read()).toEqual([
        [0n, 0n, march],
        [3n * CENT, 2n * CENT, march],
        [3n * CENT, 2n * CENT, undefined],
      ]);
      await spend(node, caller, CENT);

      nowMs = FEBRUARY + MINUTE + DAY;
      expect(await read()).toEqual([
        [0n, 0n, '2028-03-02T00:00:00.000Z'],
        [0n, 0n, '2028-04-01T00:00:00.000Z'],
        [4n * CENT, 2n * CENT, undefined],
      ]);
      const admitted = await tryAdmit(node, aContext(caller), aCommand({ worst: 96n * CENT }));
      expect(admitted).toMatchObject({ code: 'BUDGET_EXCEEDED', details: { period: 'total' } });
    });

    it('counts what was spent in it before the budget was made', async () => {
      const caller = await aCaller(node);
      await spend(node, caller, 7n * CENT);
      nowMs += MINUTE;
      await spend(node, caller, 5n * CENT);
      const created = await node.budgets.create(ADMIN, budgetOf(caller));
      expect(created.spentPicoUsd).toBe(5n * CENT);
    });

    it('refuses what is beyond a limit that was lowered below what is spent', async () => {
      const caller = await aCaller(node);
      const { id } = await node.budgets.create(ADMIN, budgetOf(caller));
      await spend(node, caller, 30n * CENT);
      const lowered = await node.budgets.update(ADMIN, id, { limitPicoUsd: 10n * CENT });
      expect(lowered).toMatchObject({ limitPicoUsd: 10n * CENT, spentPicoUsd: 30n * CENT });
      const refused = await tryAdmit(node, aContext(caller), aCommand({ worst: 1n }));
      expect(refused).toMatchObject({ code: 'BUDGET_EXCEEDED' });
    });
  });

  describe('who may', () => {
    it('lets operators set, change and remove the budgets of their own keys', async () => {
      const caller = await aCaller(node);
      const ctx = aPerson(caller);
      const { id, managedBy } = await node.budgets.create(ctx, budgetOf(caller));
      expect(managedBy).toBe('owner');
      await expect(node.budgets.update(ctx, id, { mode: 'soft' })).resolves.toMatchObject({ mode: 'soft' });
      await node.budgets.remove(ctx, id);
      await expect(node.budgets.get(ADMIN, id)).rejects.toBeInstanceOf(NotFoundError);
    });

    it('keeps an owner from loosening what an administrator set or changed', async () => {
      const caller = await aCaller(node);
      const ctx = aPerson(caller);
      const [first, second] = [
        await node.budgets.create(ADMIN, budgetOf(caller)),
        await node.budgets.create(ctx, budgetOf(caller, { period: 'month' })),
      ];
      await node.budgets.update(ADMIN, second.id, { limitPicoUsd: CENT });
      for (const { id } of [first, second]) {
        expect(await node.budgets.get(ctx, id)).toMatchObject({ managedBy: 'admin' });
        await expect(node.budgets.update(ctx, id, { limitPicoUsd: 0n })).rejects.toBeInstanceOf(
          ForbiddenError,
        );
        await expect(node.budgets.remove(ctx, id)).rejects.toBeInstanceOf(ForbiddenError);
      }
    });

    it('keeps a key from its own budgets, whoever owns it', async () => {
      const caller = await aCaller(node);
      const { id } = await node.budgets.create(aPerson(caller), budgetOf(caller));
      const asAdmin = { ...aContext(caller), principal: { ...caller, role: 'admin' } } as RequestContext;
      for (const ctx of [aContext(caller), asAdmin]) {
        await expect(node.budgets.update(ctx, id, { mode: 'soft' })).rejects.toBeInstanceOf(ForbiddenError);
        await expect(node.budgets.remove(ctx, id)).rejects.toBeInstanceOf(ForbiddenError);
        const other = budgetOf(caller, { period: 'total' });
        await expect(node.budgets.create(ctx, other)).rejects.toBeInstanceOf(ForbiddenError);
      }
    });

    it.each(['global', 'user'] as const)('keeps operators from setting one for a %s', async (scope) => {
      const caller = await aCaller(node);
      const scopeId = scope === 'global' ? undefined : caller.userId;
      await expect(
        node.budgets.create(aPerson(caller), budgetOf(caller, { scope, scopeId })),
      ).rejects.toBeInstanceOf(ForbiddenError);
    });

    it('lets operators set those of their own projects and runs, and of no others', async () => {
      const [caller, other] = [await aCaller(node), await aCaller(node)];
      const [project, run] = [newId(), newId()];
      const insert = (sql: string, ...values: string[]): Promise<unknown> => node.database.query(sql, values);
      await insert(
        `insert into projects (id, user_id, name, requirements) values ($1, $2, 'p', 'p')`,
        project,
        caller.userId,
      );
      await insert(
        `insert into project_runs (id, project_id, user_id, plan_id, number, tasks_total) values ($1, $2, $3, $1, 1, 0)`,
        run,
        project,
        caller.userId,
      );
      for (const [scope, scopeId] of [
        ['project', project],
        ['run', run],
      ] as const) {
        const wanted = budgetOf(caller, { scope, scopeId });
        await expect(node.budgets.create(aPerson(other), wanted)).rejects.toBeInstanceOf(NotFoundError);
        const { id } = await node.budgets.create(aPerson(caller), wanted);
        expect(await node.budgets.get(aPerson(caller), id)).toMatchObject({ scope, managedBy: 'owner' });
        await expect(node.budgets.get(aPerson(other), id)).rejects.toBeInstanceOf(NotFoundError);
        await node.budgets.remove(aPerson(caller), id);
      }
    });

    it('hides foreign and global ones, so that they can neither be read nor changed', async () => {
      const [caller, other] = [await aCaller(node), await aCaller(node)];
      const ctx = aPerson(caller);
      const hidden = [
        await node.budgets.create(aPerson(other), budgetOf(other)),
        await node.budgets.create(ADMIN, budgetOf(other, { scope: 'user', scopeId: other.userId })),
        await node.budgets.create(
          ADMIN,
          budgetOf(other, { scope: 'global', scopeId: undefined, mode: 'soft' }),
        ),
        await node.budgets.create(ADMIN, budgetOf(other, { scope: 'project', scopeId: caller.userId })),
      ];
      for (const { id } of hidden) {
        await expect(node.budgets.get(ctx, id)).rejects.toBeInstanceOf(NotFoundError);
        await expect(node.budgets.update(ctx, id, { mode: 'soft' })).rejects.toBeInstanceOf(NotFoundError);
        await expect(node.budgets.remove(ctx, id)).rejects.toBeInstanceOf(NotFoundError);
      }
      expect(await node.budgets.list(ctx, { limit: 10 })).toEqual([]);
      await expect(node.budgets.create(ctx, budgetOf(other))).rejects.toBeInstanceOf(NotFoundError);
      await node.budgets.remove(ADMIN, hidden[2]?.id ?? '');
    });

    it('needs a user or a key that exists', async () => {
      const caller = await aCaller(node);
      await node.database.query('update api_keys set revoked_at = now() where id = $1', [caller.keyId]);
      for (const scope of ['user', 'key'] as const) {
        await expect(
          node.budgets.create(ADMIN, budgetOf(caller, { scope, scopeId: newId() })),
        ).rejects.toMatchObject({ code: 'NOT_FOUND', param: 'scopeId' });
      }
      await expect(node.budgets.create(ADMIN, budgetOf(caller))).rejects.toBeInstanceOf(NotFoundError);
    });
  });

  it('takes amounts from nothing to a million million US dollars', async () => {
    const caller = await aCaller(node);
    const most = 10n ** 24n;
    const { id } = await node.budgets.create(ADMIN, budgetOf(caller, { limitPicoUsd: most }));
    for (const limitPicoUsd of [most + 1n, -1n]) {
      await expect(node.budgets.update(ADMIN, id, { limitPicoUsd })).rejects.toBeInstanceOf(ValidationError);
    }
    await expect(node.budgets.update(ADMIN, id, { limitPicoUsd: 0n })).resolves.toMatchObject({
      limitPicoUsd: 0n,
    });
  });

  it('is one per scope and period', async () => {
    const caller = await aCaller(node);
    const attempts = Array.from({ length: 5 }, () => node.budgets.create(ADMIN, budgetOf(caller)));
    const results = await Promise.allSettled(attempts);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => reason as unknown)).toEqual(
      Array.from({ length: 4 }, () => expect.any(ConflictError)),
    );
  });

  it('goes with the user or the key that it is set on, as limits do, and the books still agree', async () => {
    const caller = await aCaller(node);
    const ofUser = { scope: 'user', scopeId: caller.userId } as const;
    await node.budgets.create(ADMIN, budgetOf(caller));
    await node.budgets.create(ADMIN, budgetOf(caller, ofUser));
    await node.limits.create(ADMIN, { ...ofUser, concurrency: 5 });
    await node.limits.create(ADMIN, { scope: 'key', scopeId: caller.keyId, concurrency: 5 });
    const ctx = aContext(caller);
    const hold = await node.ledger.admit(ctx, aCommand());
    await node.database.query('delete from users where id = $1', [caller.userId]);
    const scopeIds = [caller.userId, caller.keyId];
    expect(await node.budgets.list(ADMIN, { scopeIds, limit: 9 })).toEqual([]);
    expect(await node.limits.list(ADMIN, { scopeIds, limit: 9 })).toEqual([]);
    await node.ledger.settle(ctx, hold, [anAttempt()]);
    expect(await node.reconciliation.reconcile()).toEqual([]);
  });

  it('changes nothing when the transaction around it fails', async () => {
    const caller = await aCaller(node);
    const { id } = await node.budgets.create(ADMIN, budgetOf(caller));
    const failing = node.database.transaction(async (manager) => {
      await node.budgets.update(ADMIN, id, { limitPicoUsd: 0n }, manager);
      await node.budgets.create(ADMIN, budgetOf(caller, { period: 'total' }), manager);
      throw new Error('audit failed');
    });
    await expect(failing).rejects.toThrow('audit failed');
    const found = await node.budgets.list(ADMIN, { limit: 9, scopeIds: [caller.keyId] });
    expect(found).toMatchObject([{ id, limitPicoUsd: 100n * CENT }]);
  });

  it('lists by scope, scope id and period, page by page', async () => {
    const caller = await aCaller(node);
    const made: string[] = [];
    for (const period of ['day', 'month', 'total'] as const) {
      made.push((await node.budgets.create(ADMIN, budgetOf(caller, { period }))).id);
    }
    const scopeIds = [caller.keyId];
    const ids = async (query: object) =>
      (await node.budgets.list(ADMIN, { limit: 10, scopeIds, ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(made);
    expect(await ids({ limit: 1, after: made[0] })).toEqual([made[1]]);
    expect(await ids({ period: 'total' })).toEqual([made[2]]);
    expect(await ids({ scope: 'user' })).toEqual([]);
  });
});
