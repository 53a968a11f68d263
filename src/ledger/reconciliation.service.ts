import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { BudgetPeriod } from '../common/index';
import type { BudgetScope } from './ledger.scopes';
import { GLOBAL_SCOPE_ID } from './ledger.scopes';

/** A counter that is not what the usage lines and the open holds say. */
export interface LedgerDifference {
  /** `spent` and `held` of a budget's period in pico-USD; `running` requests of a limit. */
  readonly counter: 'spent' | 'held' | 'running';
  /** UUID of the budget or limit. */
  readonly id: string;
  readonly scope: BudgetScope;
  readonly scopeId?: string;
  readonly period?: BudgetPeriod;
  readonly periodStart?: Date;
  readonly counted: bigint;
  readonly actual: bigint;
}

interface DifferenceRow {
  readonly counter: LedgerDifference['counter'];
  readonly id: string;
  readonly scope: BudgetScope;
  readonly scope_id: string;
  readonly period: BudgetPeriod | null;
  readonly period_start: Date | null;
  readonly counted: string;
  readonly actual: string;
}

/** Proves that the counters equal the sum of the lines and of the open holds. */
@Injectable()
export class Reconciliation {
  constructor(private readonly database: DataSource) {}

  async countBudgets(): Promise<number> {
    const [row]: [{ count: string }] = await this.database.query('select count(*) as count from budgets');
    return Number(row.count);
  }

  /** One statement, so one moment. Reads every line of every counted period: for use on demand. */
  async reconcile(): Promise<readonly LedgerDifference[]> {
    const rows: DifferenceRow[] = await this.database.query('select * from ledger_differences');
    return rows.map((row) => ({
      counter: row.counter,
      id: row.id,
      scope: row.scope,
      scopeId: row.scope_id === GLOBAL_SCOPE_ID ? undefined : row.scope_id,
      period: row.period ?? undefined,
      periodStart: row.period_start ?? undefined,
      counted: BigInt(row.counted),
      actual: BigInt(row.actual),
    }));
  }
}
