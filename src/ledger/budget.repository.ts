import { Inject, Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import {
  type BudgetMode,
  type BudgetPeriod,
  MAX_BUDGET_PICO_USD,
  newId,
  type PicoUsd,
  type RequestContext,
} from '../common/index';
import { NotFoundError, ValidationError } from '../errors/index';
import { type BudgetScope, GLOBAL_SCOPE_ID } from './ledger.scopes';
import { LEDGER_NOW } from './ledger.store';
import {
  assertMayChange,
  assertMaySet,
  assertScopeExists,
  isVisible,
  type ManagedBy,
  managerOf,
  scopeIdOf,
  viewerOf,
} from './scope-visibility';
import { inStillBooks } from './still-books';

export interface NewBudget {
  readonly scope: BudgetScope;
  /** UUID; undefined for the global scope only. */
  readonly scopeId?: string;
  readonly period: BudgetPeriod;
  readonly limitPicoUsd: PicoUsd;
  readonly mode: BudgetMode;
}

/** One that nothing stands in the way of. */
export interface PlannedBudget extends NewBudget {
  readonly id: string;
  readonly managedBy: ManagedBy;
}

/** A budget with the counters of its current period. */
export interface Budget extends PlannedBudget {
  readonly spentPicoUsd: PicoUsd;
  readonly heldPicoUsd: PicoUsd;
  /** Start of the next period; undefined for a total budget. */
  readonly resetsAt?: Date;
  readonly createdAt: Date;
}

export interface BudgetChange {
  readonly limitPicoUsd?: PicoUsd;
  readonly mode?: BudgetMode;
}

export interface BudgetQuery {
  readonly scope?: BudgetScope;
  /** UUIDs. */
  readonly scopeIds?: readonly string[];
  readonly period?: BudgetPeriod;
  readonly limit: number;
  /** The last id of the page before. */
  readonly after?: string;
}

interface BudgetRow {
  readonly id: string;
  readonly scope: BudgetScope;
  readonly scope_id: string;
  readonly period: BudgetPeriod;
  readonly limit_pico: string;
  readonly mode: BudgetMode;
  readonly managed_by: ManagedBy;
  readonly created_at: Date;
  readonly spent_pico: string;
  readonly held_pico: string;
  readonly resets_at: Date | null;
}

const SELECT = `
  select b.*, coalesce(p.spent_pico, 0) as spent_pico, coalesce(p.held_pico, 0) as held_pico,
    nullif(ledger_period_end(b.period, s.period_start), 'infinity') as resets_at
  from budgets b
  cross join lateral (select ledger_period_start(b.period, coalesce($1::timestamptz, now())) as period_start) s
  left join budget_periods p on p.budget_id = b.id and p.period_start = s.period_start
  where ${isVisible('b', '$2')}`;

/** Budgets as people set them; their counters belong to the ledger. What a caller may not see does not exist for them. */
@Injectable()
export class BudgetRepository {
  constructor(
    private readonly database: DataSource,
    @Optional() @Inject(LEDGER_NOW) private readonly now?: () => Date,
  ) {}

  /**
   * Everything about a new budget that can be known before the books have to stand still for it.
   * @throws ForbiddenError, ValidationError, NotFoundError when the user or key does not exist.
   */
  async plan(ctx: RequestContext, budget: NewBudget, manager: EntityManager): Promise<PlannedBudget> {
    await assertMaySet(ctx, 'budgets', budget, manager);
    scopeIdOf(budget);
    assertAmount(budget.limitPicoUsd);
    await assertScopeExists(ctx, budget, manager);
    return { ...budget, id: newId(), managedBy: managerOf(ctx.principal) };
  }

  /**
   * Counts at once what the scope has spent and holds in the current period. Comes last in its transaction: the ledger
   * waits until that ends.
   * @throws ConflictError when the scope has a budget for this period already, ServiceUnavailableError when counting
   * takes longer than admissions can wait.
   */
  async create(budget: PlannedBudget, manager: EntityManager): Promise<void> {
    const { id, scope, period, limitPicoUsd, mode, managedBy } = budget;
    await inStillBooks(
      manager,
      'select ledger_create_budget($1, $2, $3, $4, $5, $6, $7, $8)',
      [id, scope, scopeIdOf(budget), period, String(limitPicoUsd), mode, managedBy, this.time()],
      { taken: `This ${scope} has a budget per ${period} already: change that one` },
    );
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string, manager = this.database.manager): Promise<Budget> {
    return await this.read(ctx, `${SELECT} and b.id = $3`, id, manager);
  }

  /** Oldest first. Callers who are no administrators see those of themselves, their keys, projects and runs. */
  async list(ctx: RequestContext, query: BudgetQuery, manager = this.database.manager): Promise<Budget[]> {
    const rows = await manager.query<BudgetRow[]>(
      `${SELECT} and ($3::text is null or b.scope = $3) and ($4::uuid[] is null or b.scope_id = any($4))
         and ($5::text is null or b.period = $5) and ($6::uuid is null or b.id > $6)
       order by b.id limit $7`,
      [
        this.time(),
        viewerOf(ctx),
        query.scope ?? null,
        query.scopeIds ?? null,
        query.period ?? null,
        query.after ?? null,
        query.limit,
      ],
    );
    return rows.map(toBudget);
  }

  /** Locks the budget for the caller's transaction. @throws NotFoundError, ForbiddenError */
  async getForChange(ctx: RequestContext, id: string, manager: EntityManager): Promise<Budget> {
    const budget = await this.read(ctx, `${SELECT} and b.id = $3 for no key update of b`, id, manager);
    await assertMayChange(ctx, 'budgets', budget, manager);
    return budget;
  }

  /** Of one that the transaction has locked. Holds from the next admission on. @throws ValidationError */
  async update(
    ctx: RequestContext,
    { id }: Budget,
    { limitPicoUsd, mode }: BudgetChange,
    manager: EntityManager,
  ): Promise<Budget> {
    if (limitPicoUsd !== undefined) assertAmount(limitPicoUsd);
    await manager.query(
      `update budgets set limit_pico = coalesce($2, limit_pico), mode = coalesce($3, mode), managed_by = $4
       where id = $1`,
      [id, limitPicoUsd?.toString() ?? null, mode ?? null, managerOf(ctx.principal)],
    );
    return await this.get(ctx, id, manager);
  }

  /** One that the transaction has locked. */
  async remove({ id }: Budget, manager: EntityManager): Promise<void> {
    await manager.query('delete from budgets where id = $1', [id]);
  }

  /** Of things that are being deleted, whoever set them. @param scopeIds UUIDs */
  async removeOf(scope: BudgetScope, scopeIds: readonly string[], manager: EntityManager): Promise<void> {
    await manager.query('delete from budgets where scope = $1 and scope_id = any($2)', [scope, scopeIds]);
  }

  private async read(ctx: RequestContext, sql: string, id: string, manager: EntityManager): Promise<Budget> {
    const rows = await manager.query<BudgetRow[]>(sql, [this.time(), viewerOf(ctx), id]);
    const [row] = rows.map(toBudget);
    if (!row) throw new NotFoundError('There is no such budget', { param: 'id' });
    return row;
  }

  private time(): Date | null {
    return this.now?.() ?? null;
  }
}

function assertAmount(limitPicoUsd: PicoUsd): void {
  if (limitPicoUsd >= 0n && limitPicoUsd <= MAX_BUDGET_PICO_USD) return;
  throw new ValidationError('A budget is from 0 to 1000000000000 US dollars', { param: 'limitUsd' });
}

function toBudget(row: BudgetRow): Budget {
  return Object.freeze({
    id: row.id,
    scope: row.scope,
    scopeId: row.scope_id === GLOBAL_SCOPE_ID ? undefined : row.scope_id,
    period: row.period,
    limitPicoUsd: BigInt(row.limit_pico),
    mode: row.mode,
    spentPicoUsd: BigInt(row.spent_pico),
    heldPicoUsd: BigInt(row.held_pico),
    resetsAt: row.resets_at ?? undefined,
    managedBy: row.managed_by,
    createdAt: row.created_at,
  });
}
