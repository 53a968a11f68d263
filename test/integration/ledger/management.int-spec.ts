import { newId, type RequestContext } from '../../../src/common/index';
import {
  ConflictError,
  ForbiddenError,
  NotFoundError,
  ServiceUnavailableError,
  toServiceUnavailable,
  ValidationError,
} from '../../../src/errors/index';
import { BudgetRepository, LimitRepository } from '../../../src/ledger/index';
import { inStillBooks } from '../../../src/ledger/still-books';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import {
  aBudget,
  aCaller,
  aCommand,
  aContext,
  ADMIN,
  aLimit,
  bootNode,
  type Caller,
  CENT,
  type LedgerNode,
  tryAdmit,
} from './ledger-node';

describe('Budgets and limits', () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let caller: Caller;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url);
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  beforeEach(async () => {
    caller = await aCaller(node);
  });

  const page = { limit: 50 };

  describe(BudgetRepository.name, () => {
    it('shows a budget with its counters and the end of its period', async () => {
      const budget = {
        scope: 'user',
        scopeId: caller.userId,
        period: 'day',
        limitPicoUsd: 5n,
        mode: 'soft',
      } as const;
      const created = await node.budgets.create(ADMIN, budget);
      expect(created).toMatchObject({ ...budget, spentPicoUsd: 0n, heldPicoUsd: 0n });
      expect(created.resetsAt?.toISOString()).toMatch(/T00:00:00\.000Z$/);
      const total = await node.budgets.create(ADMIN, { ...budget, period: 'total' });
      expect(total.resetsAt).toBeUndefined();
    });

    it('shows callers their own and those of their keys, administrators all', async () => {
      const other = await aCaller(node);
      const own = await aBudget(node, { scopeId: caller.userId });
      const ofKey = await aBudget(node, { scope: 'key', scopeId: caller.keyId });
      const foreign = await aBudget(node, { scopeId: other.userId });
      const ctx = aContext(caller);
      expect((await node.budgets.list(ctx, page)).map(({ id }) => id)).toEqual([own, ofKey]);
      expect((await node.budgets.list(ctx, { limit: 1, after: own })).map(({ id }) => id)).toEqual([ofKey]);
      const all = await node.budgets.list(ADMIN, page);
      expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining([own, ofKey, foreign]));
      await expect(node.budgets.get(ctx, foreign)).rejects.toBeInstanceOf(NotFoundError);
    });

    it('changes from the next admission on', async () => {
      const id = await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 0n });
      await expect(tryAdmit(node, aContext(caller))).resolves.toMatchObject({ code: 'BUDGET_EXCEEDED' });
      await node.budgets.update(ADMIN, id, { limitPicoUsd: 10n * CENT });
      await expect(tryAdmit(node, aContext(caller))).resolves.toMatchObject({ isHard: true });
      await expect(node.budgets.update(ADMIN, id, { mode: 'soft' })).resolves.toMatchObject({
        mode: 'soft',
        limitPicoUsd: 10n * CENT,
      });
      await expect(tryAdmit(node, aContext(caller))).resolves.toMatchObject({ isHard: false });
      await node.budgets.remove(ADMIN, id);
      await expect(node.budgets.remove(ADMIN, id)).rejects.toBeInstanceOf(NotFoundError);
    });

    it('settles a request whose budget was removed meanwhile', async () => {
      const id = await aBudget(node, { scopeId: caller.userId });
      const ctx = aContext(caller);
      const hold = await node.ledger.admit(ctx, aCommand());
      await node.budgets.remove(ADMIN, id);
      await node.ledger.settle(ctx, hold, []);
      const differences = await node.reconciliation.reconcile();
      expect(differences.filter(({ scopeId }) => scopeId === caller.userId)).toEqual([]);
    });

    it('refuses a second one for the same scope and period, a missing scope and a negative amount', async () => {
      await aBudget(node, { scopeId: caller.userId });
      await expect(aBudget(node, { scopeId: caller.userId })).rejects.toBeInstanceOf(ConflictError);
      await expect(aBudget(node, {})).rejects.toBeInstanceOf(ValidationError);
      await expect(aBudget(node, { scope: 'global', scopeId: newId() })).rejects.toBeInstanceOf(
        ValidationError,
      );
      const negative = { scopeId: newId(), limitPicoUsd: -1n };
      await expect(aBudget(node, negative)).rejects.toBeInstanceOf(ValidationError);
    });

    it('is changed by administrators only', async () => {
      const id = await aBudget(node, { scopeId: caller.userId });
      const ctx = aContext(caller);
      const budget = {
        scope: 'user',
        scopeId: caller.userId,
        period: 'day',
        limitPicoUsd: 5n,
        mode: 'soft',
      } as const;
      await expect(node.budgets.create(ctx, budget)).rejects.toBeInstanceOf(ForbiddenError);
      await expect(node.budgets.update(ctx, id, {})).rejects.toBeInstanceOf(ForbiddenError);
      await expect(node.budgets.remove(ctx, id)).rejects.toBeInstanceOf(ForbiddenError);
    });
  });

  describe(LimitRepository.name, () => {
    it('shows limits with what runs now, to those whom they concern', async () => {
      const id = await aLimit(node, { scopeId: caller.userId, requestsPerHour: 9, concurrency: 3 });
      await node.ledger.admit(aContext(caller), aCommand());
      const expected = {
        id,
        scope: 'user',
        scopeId: caller.userId,
        requestsPerHour: 9,
        concurrency: 3,
        running: 1,
      };
      await expect(node.limits.list(aContext(caller), page)).resolves.toMatchObject([expected]);
      await expect(node.limits.get(ADMIN, id)).resolves.toMatchObject(expected);
      const stranger = aContext(await aCaller(node));
      await expect(node.limits.get(stranger, id)).rejects.toBeInstanceOf(NotFoundError);
      await expect(node.limits.list(stranger, { limit: 5, after: newId(0) })).resolves.toEqual([]);
    });

    it('changes from the next admission on, and goes', async () => {
      const id = await aLimit(node, { scope: 'key', scopeId: caller.keyId, requestsPerMinute: 0 });
      await expect(tryAdmit(node, aContext(caller))).resolves.toMatchObject({
        code: 'REQUEST_LIMIT_EXCEEDED',
      });
      await expect(node.limits.update(ADMIN, id, { tokensPerHour: 1000 })).resolves.toMatchObject({
        requestsPerMinute: undefined,
        tokensPerHour: 1000,
      });
      await expect(tryAdmit(node, aContext(caller))).resolves.toHaveProperty('heldPicoUsd');
      await node.limits.remove(ADMIN, id);
      await expect(node.limits.remove(ADMIN, id)).rejects.toBeInstanceOf(NotFoundError);
    });

    it('refuses a second one for a scope, and one that limits nothing', async () => {
      await aLimit(node, { scopeId: caller.userId, concurrency: 1 });
      await expect(aLimit(node, { scopeId: caller.userId, concurrency: 2 })).rejects.toBeInstanceOf(
        ConflictError,
      );
      await expect(aLimit(node, { scopeId: newId() })).rejects.toBeInstanceOf(ValidationError);
      const ctx = aContext(caller);
      await expect(node.limits.create(ctx, { scope: 'user', concurrency: 1 })).rejects.toBeInstanceOf(
        ForbiddenError,
      );
    });
  });

  describe('asked for by an administrator’s key', () => {
    const asKey = (scopes?: readonly string[]): RequestContext => ({
      ...aContext(caller),
      principal: { ...caller, role: 'admin', scopes },
    });
    const values = { period: 'day', limitPicoUsd: 5n, mode: 'hard', requestsPerHour: 5 } as const;
    const both = ['budgets:*', 'limits:write'];

    it.each(['budgets', 'limits'] as const)(
      'never change what bounds it, as %s, unless its scopes name that and nothing bounds the key alone',
      async (table) => {
        const other = await aCaller(node);
        const bounds = [
          { ...values, scope: 'user', scopeId: caller.userId },
          { ...values, scope: 'global' },
        ] as const;
        const wrongScopes = [undefined, ['*:read'], [table === 'budgets' ? 'limits:*' : 'budgets:*']];
        const change = async (ctx: RequestContext, id: string) => {
          if (table === 'budgets') await node.budgets.update(ctx, id, { limitPicoUsd: 9n });
          else await node.limits.update(ctx, id, { requestsPerHour: 9 });
        };
        for (const bound of bounds) {
          for (const scopes of wrongScopes) {
            await expect(node[table].create(asKey(scopes), bound)).rejects.toBeInstanceOf(ForbiddenError);
          }
          const { id } = await node[table].create(asKey(both), bound);
          for (const scopes of wrongScopes) {
            await expect(change(asKey(scopes), id)).rejects.toBeInstanceOf(ForbiddenError);
            await expect(node[table].remove(asKey(scopes), id)).rejects.toBeInstanceOf(ForbiddenError);
          }
          await change(asKey(both), id);
          const own = { ...values, scope: 'key', scopeId: caller.keyId } as const;
          for (const kind of ['budgets', 'limits'] as const) {
            await expect(node[kind].create(asKey(both), own)).rejects.toBeInstanceOf(ForbiddenError);
            const bind = await node[kind].create(ADMIN, own);
            await expect(change(asKey(both), id)).rejects.toBeInstanceOf(ForbiddenError);
            await node[kind].remove(ADMIN, bind.id);
          }
          await node[table].remove(asKey(both), id);
        }
        const foreign = { ...values, scope: 'user', scopeId: other.userId } as const;
        const { id } = await node[table].create(asKey(), foreign);
        await change(asKey(), id);
      },
    );
  });

  it('let admissions wait no longer than they can when their creation takes long', async () => {
    const slow = node.database.transaction((manager) =>
      inStillBooks(manager, 'select pg_sleep($1)', [30], { limitMs: 50 }),
    );
    await expect(slow).rejects.toBeInstanceOf(ServiceUnavailableError);
    const lasting = node.database.createQueryRunner();
    await lasting.query('select pg_advisory_lock_shared(7600001)');
    const creation = aBudget(node, { scopeId: caller.userId });
    await expect(creation).rejects.toBeInstanceOf(ServiceUnavailableError);
    await lasting.query('select pg_advisory_unlock_shared(7600001)');
    await lasting.release();
  });

  it('let admissions wait no longer than they can for a process that stops before it commits', async () => {
    const stopped = node.database.createQueryRunner();
    await stopped.startTransaction();
    const limit = { scope: 'user', scopeId: caller.userId, concurrency: 1 } as const;
    const repository = node.module.get(LimitRepository);
    await repository.create(await repository.plan(ADMIN, limit, stopped.manager), stopped.manager);
    await expect(tryAdmit(node, aContext(caller))).resolves.toHaveProperty('heldPicoUsd');
    const failure = await stopped.commitTransaction().catch((error: unknown) => error);
    expect(toServiceUnavailable(failure)).toBeInstanceOf(ServiceUnavailableError);
    await stopped.release();
    expect(await node.limits.list(ADMIN, { ...page, scopeIds: [caller.userId] })).toEqual([]);
  });

  it('reports a counter that was tampered with', async () => {
    const id = await aBudget(node, { scopeId: caller.userId });
    const limit = await aLimit(node, { scopeId: caller.userId, concurrency: 4 });
    await node.database.query(
      'update budget_periods set spent_pico = 7, held_pico = 8 where budget_id = $1',
      [id],
    );
    await node.database.query('update limit_counters set running = 2 where limit_id = $1', [limit]);
    const differences = await node.reconciliation.reconcile();
    expect(differences.filter((each) => each.id === id || each.id === limit)).toMatchObject([
      { counter: 'spent', scope: 'user', scopeId: caller.userId, period: 'month', counted: 7n, actual: 0n },
      { counter: 'held', counted: 8n, actual: 0n },
      { counter: 'running', id: limit, counted: 2n, actual: 0n },
    ]);
  });
});
