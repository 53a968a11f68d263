import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newId, type PicoUsd, type RequestContext } from '../common/index';
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from '../errors/index';
import { type BudgetMode, type BudgetPeriod, type BudgetScope, GLOBAL_SCOPE_ID } from './ledger.scopes';
import { repeatOnConflict } from './repeat-on-conflict';
import { scopeIdOf, visibleScopes } from './scope-visibility';
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
  readonly createdAt: Date;
}

interface BudgetRow {
  readonly id: string;
  readonly scope: BudgetScope;
  readonly scope_id: string;
  readonly period: BudgetPeriod;
  readonly limit_pico: string;
  readonly mode: BudgetMode;
  readonly created_at: Date;
  readonly spent_pico: string;
  readonly held_pico: string;
  readonly resets_at: Date | null;
}

const SELECT = `
  select b.*, coalesce(p.spent_pico, 0) as spent_pico, coalesce(p.held_pico, 0) as held_pico,
    nullif(ledger_period_end(b.period, ledger_period_start(b.period, now())), 'infinity') as resets_at
  from budgets b
  left join budget_periods p on p.budget_id = b.id and p.period_start = ledger_period_start(b.period, now())`;

/** Budgets as administrators set them; their counters belong to the ledger. */
@Injectable()
export class BudgetRepository {
  constructor(private readonly database: DataSource) {}

  /**
   * Counts at once what the scope has spent and holds in the current period; the ledger waits meanwhile.
   * @throws ForbiddenError, ValidationError, ConflictError when the scope has a budget for this period already,
   * ServiceUnavailableError when counting takes longer than admissions can wait.
   */
  async create(ctx: RequestContext, budget: NewBudget): Promise<Budget> {
    requireAdmin(ctx);
    const id = newId();
    const scopeId = scopeIdOf(budget);
    if (budget.limitPicoUsd < 0n)
      throw new ValidationError('A budget cannot be negative', { param: 'limitUsd' });
    try {
      await inStillBooks(this.database, 'select ledger_create_budget($1, $2, $3, $4, $5, $6, null)', [
        id,
        budget.scope,
        scopeId,
        budget.period,
        String(budget.limitPicoUsd),
        budget.mode,
      ]);
    } catch (cause) {
      throw isUniqueViolation(cause)
        ? new ConflictError(`This ${budget.scope} has a budget per ${budget.period} already`, { cause })
        : cause;
    }
    return await this.get(ctx, id);
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<Budget> {
    const rows: BudgetRow[] = await this.database.query(
      `${SELECT} where b.id = $1 and ($2::uuid[] is null or b.scope_id = any($2))`,
      [id, await visibleScopes(this.database, ctx)],
    );
    const [row] = rows.map(toBudget);
    if (!row) throw notFound();
    return row;
  }

  /** Oldest first, after the given id. Callers who are no administrators see those of themselves and their keys. */
  async list(
    ctx: RequestContext,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<Budget[]> {
    const rows: BudgetRow[] = await this.database.query(
      `${SELECT} where ($1::uuid[] is null or b.scope_id = any($1)) and ($2::uuid is null or b.id > $2)
       order by b.id limit $3`,
      [await visibleScopes(this.database, ctx), page.after ?? null, page.limit],
    );
    return rows.map(toBudget);
  }

  /** @throws ForbiddenError, NotFoundError */
  async update(
    ctx: RequestContext,
    id: string,
    change: { readonly limitPicoUsd?: PicoUsd; readonly mode?: BudgetMode },
  ): Promise<Budget> {
    requireAdmin(ctx);
    await this.database.query(
      'update budgets set limit_pico = coalesce($2, limit_pico), mode = coalesce($3, mode) where id = $1',
      [id, change.limitPicoUsd === undefined ? null : String(change.limitPicoUsd), change.mode ?? null],
    );
    return await this.get(ctx, id);
  }

  /** @throws ForbiddenError, NotFoundError */
  async remove(ctx: RequestContext, id: string): Promise<void> {
    requireAdmin(ctx);
    const [removed]: [unknown[], number] = await repeatOnConflict(() =>
      this.database.query('delete from budgets where id = $1 returning id', [id]),
    );
    if (removed.length === 0) throw notFound();
  }
}

export function requireAdmin(ctx: RequestContext): void {
  if (ctx.principal.role !== 'admin') throw new ForbiddenError('Only an administrator may change this');
}

/** TypeORM wraps the driver's error and copies its fields. */
export function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown }).code === '23505';
}

function notFound(): NotFoundError {
  return new NotFoundError('There is no such budget');
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
    createdAt: row.created_at,
  });
}
