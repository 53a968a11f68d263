import type { Logger } from 'typeorm';
import { BudgetsService } from '../../../src/budget/budgets.service';
import { KeyAllowancesService } from '../../../src/budget/key-allowances.service';
import type { LimitPresence } from '../../../src/budget/limit-presence';
import { LimitsService } from '../../../src/budget/limits.service';
import { Cursors, KeyAllowanceHost } from '../../../src/auth/index';
import { newId, toApiId } from '../../../src/common/index';
import { AuditSink } from '../../../src/errors/index';
import { BudgetRepository, LimitRepository } from '../../../src/ledger/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import {
  aBudget,
  aCaller,
  ADMIN,
  aLimit,
  bootNode,
  type Caller,
  countOf,
  type LedgerNode,
} from '../ledger/ledger-node';

describe('changes of budgets and limits', () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let caller: Caller;
  let budgets: BudgetsService;
  let limits: LimitsService;
  let allowances: KeyAllowancesService;
  const presence = { forget: jest.fn() };

  beforeAll(async () => {
    database = await createTestDatabase();
    // Long enough that the opponent below has its part of the deadlock before PostgreSQL looks for one.
    const url = new URL(database.url);
    url.searchParams.set('options', '--deadlock_timeout=3000');
    node = await bootNode(url.href);
    const { module } = node;
    const others = [module.get(AuditSink), module.get(Cursors)] as const;
    const known = presence as unknown as LimitPresence;
    budgets = new BudgetsService(node.database, module.get(BudgetRepository), ...others);
    limits = new LimitsService(node.database, module.get(LimitRepository), ...others, known);
    allowances = new KeyAllowancesService(new KeyAllowanceHost(), budgets, limits, known);
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  beforeEach(async () => {
    presence.forget.mockClear();
    caller = await aCaller(node);
  });

  /** What is sent to PostgreSQL meanwhile. */
  async function statementsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
    const statements: string[] = [];
    const before = node.database.logger;
    const logQuery = (sql: string) => statements.push(sql);
    node.database.logger = { logQuery } as unknown as Logger;
    await work().finally(() => {
      node.database.logger = before;
    });
    return statements;
  }

  const ofKey = () => ({ scope: 'key', scopeId: toApiId('key', caller.keyId) }) as const;
  const budgetOf = { period: 'day', mode: 'hard', limitUsd: '1.5' } as const;

  describe('while the books stand still', () => {
    const following = (statements: readonly string[]) =>
      statements.slice(statements.findIndex((sql) => sql.includes('ledger_create_')) + 1);

    it('send nothing more than the commit', async () => {
      const made = [
        await statementsOf(() => budgets.create(ADMIN, { ...ofKey(), ...budgetOf })),
        await statementsOf(() => limits.create(ADMIN, { ...ofKey(), concurrency: 0 })),
      ];
      for (const statements of made) expect(following(statements)[0]).toBe('COMMIT');
    });

    it('send only what sets the other one of a key that gets both', async () => {
      const both = { limits: { concurrency: 1 }, budget: budgetOf };
      const statements = await statementsOf(() =>
        node.database.transaction((manager) => allowances.set(ADMIN, caller.keyId, both, manager)),
      );
      expect(following(statements)).toEqual([
        expect.stringContaining('set_config'),
        expect.stringContaining('ledger_create_budget'),
        'COMMIT',
      ]);
    });
  });

  it('keep a key’s limits and budget in the transaction that makes it', async () => {
    const made = node.database.transaction(async (manager) => {
      await allowances.set(ADMIN, caller.keyId, { limits: { concurrency: 1 }, budget: budgetOf }, manager);
      throw new Error('not made');
    });
    await expect(made).rejects.toThrow('not made');
    expect((await allowances.list(ADMIN, [caller.keyId])).size).toBe(0);
    const committed = await node.database.transaction((manager) =>
      allowances.set(ADMIN, caller.keyId, { limits: { concurrency: 0 }, budget: budgetOf }, manager),
    );
    expect(presence.forget).not.toHaveBeenCalled();
    committed();
    expect(presence.forget).toHaveBeenCalledTimes(1);
    const kept = await allowances.list(ADMIN, [caller.keyId]);
    expect(kept.get(caller.keyId)).toMatchObject({ limits: { concurrency: 0 }, budget: budgetOf });
  });

  it.each([
    ['budgets', 'budget_periods where budget_id', 'bud'],
    ['limits', 'limit_counters where limit_id', 'lim'],
  ] as const)(
    'remove from %s although PostgreSQL ends a deadlock at their cost',
    async (table, counters, prefix) => {
      const id =
        table === 'budgets'
          ? await aBudget(node, { scopeId: caller.userId })
          : await aLimit(node, { scopeId: caller.userId, concurrency: 1 });
      const opponent = node.database.createQueryRunner();
      await opponent.startTransaction();
      await opponent.query(`set local deadlock_timeout = '60s'`);
      await opponent.query(`select 1 from ${counters} = $1 for update`, [id]);
      const services = { budgets, limits };
      const removal = services[table].remove(ADMIN, toApiId(prefix, id));
      removal.catch(() => undefined);
      const waiting = `pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      while ((await node.pool.query(`select 1 from ${waiting}`)).rowCount === 0);
      await opponent.query(`select 1 from ${table} where id = $1 for update`, [id]);
      await opponent.rollbackTransaction();
      await opponent.release();
      await removal;
      expect(await countOf(node, `${table} where id = $1`, [id])).toBe(0);
    },
  );

  it('answer with the state that they leave', async () => {
    const { id } = await budgets.create(ADMIN, { ...ofKey(), ...budgetOf });
    await expect(budgets.update(ADMIN, id, { mode: 'soft' })).resolves.toMatchObject({
      id,
      limitUsd: '1.5',
      mode: 'soft',
      managedBy: 'admin',
    });
    await expect(budgets.remove(ADMIN, toApiId('bud', newId()))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
