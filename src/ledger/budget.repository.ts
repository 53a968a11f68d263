import { Inject, Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId, type PicoUsd, type RequestContext } from '../common/index';
import { ConflictError, NotFoundError, ValidationError } from '../errors/index';
import { type BudgetMode, type BudgetPeriod, type BudgetScope, GLOBAL_SCOPE_ID } from './ledger.scopes';
import { LEDGER_NOW } from './ledger.store';
import { repeatOnConflict } from './repeat-on-conflict';
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

/** A budget with the counters of its current period. */
export interface Budget extends NewBudget {
  readonly id: string;
  readonly spentPicoUsd: PicoUsd;
  readonly heldPicoUsd: PicoUsd;
  /** Start of the next period; undefined for a total budget. */
  readonly resetsAt?: Date;
  readonly managedBy: ManagedBy;
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

/** A million million US dollars. */
export const MAX_LIMIT_PICO_USD: PicoUsd = 10n ** 24n;

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
   * Counts at once what the scope has spent and holds in the current period; the ledger waits meanwhile, until the
   * caller's transaction ends.
   * @throws ForbiddenError, ValidationError, NotFoundError when the user or key does not exist, ConflictError when the
   * scope has a budget for this period already, ServiceUnavailableError when counting takes longer than admissions can
   * wait.
   */
  async create(ctx: RequestContext, budget: NewBudget, manager = this.database.manager): Promise<Budget> {
    await assertMaySet(ctx, 'budgets', budget, manager);
    const scopeId = scopeIdOf(budget);
    assertAmount(budget.limitPicoUsd);
    await assertScopeExists(ctx, budget, manager);
    const id = newId();
    try {
      await inStillBooks(manager, 'select ledger_create_budget($1, $2, $3, $4, $5, $6, $7)', [
        id,
        budget.scope,
        scopeId,
        budget.period,
        String(budget.limitPicoUsd),
        budget.mode,
        this.time(),
      ]);
    } catch (cause) {
      throw isUniqueViolation(cause)
        ? new ConflictError(
            `This ${budget.scope} has a budget per ${budget.period} already: change that one`,
            {
              cause,
            },
          )
        : cause;
    }
    await manager.query('update budgets set managed_by = $2 where id = $1', [id, managerOf(ctx.principal)]);
    return await this.get(ctx, id, manager);
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string, manager = this.database.manager): Promise<Budget> {
    return await this.read(ctx, `${SELECT} and b.id = $3`, id, manager);
  }

  /** Oldest first. Callers who are no administrators see those of themselves and their keys. */
  async list(ctx: RequestContext, query: BudgetQuery): Promise<Budget[]> {
    const rows = await this.database.query<BudgetRow[]>(
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

  /** Holds from the next admission on. @throws NotFoundError, ForbiddenError, ValidationError */
  async update(
    ctx: RequestContext,
    id: string,
    change: BudgetChange,
    manager = this.database.manager,
  ): Promise<Budget> {
    if (change.limitPicoUsd !== undefined) assertAmount(change.limitPicoUsd);
    return await repeatOnConflict(() =>
      manager.transaction(async (transaction) => {
        await this.getForChange(ctx, id, transaction);
        await transaction.query(
          `update budgets set limit_pico = coalesce($2, limit_pico), mode = coalesce($3, mode), managed_by = $4
           where id = $1`,
          [id, change.limitPicoUsd?.toString() ?? null, change.mode ?? null, managerOf(ctx.principal)],
        );
        return await this.get(ctx, id, transaction);
      }),
    );
  }

  /** @throws NotFoundError, ForbiddenError */
  async remove(ctx: RequestContext, id: string, manager = this.database.manager): Promise<void> {
    await repeatOnConflict(() =>
      manager.transaction(async (transaction) => {
        await this.getForChange(ctx, id, transaction);
        await transaction.query('delete from budgets where id = $1', [id]);
      }),
    );
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
  if (limitPicoUsd >= 0n && limitPicoUsd <= MAX_LIMIT_PICO_USD) return;
  throw new ValidationError('A budget is from 0 to 1000000000000 US dollars', { param: 'limitUsd' });
}

/** TypeORM wraps the driver's error and copies its fields. */
export function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown }).code === '23505';
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
