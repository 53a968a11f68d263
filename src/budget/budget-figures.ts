/** Pure arithmetic over budgets, as people read them. */
import type { PicoUsd } from '../common/index';

export interface BudgetCounters {
  readonly limitPicoUsd: PicoUsd;
  readonly spentPicoUsd: PicoUsd;
  readonly heldPicoUsd: PicoUsd;
}

/** What the next request can still have; 0 when the budget is overspent. */
export function remainingPicoUsd({ limitPicoUsd, spentPicoUsd, heldPicoUsd }: BudgetCounters): PicoUsd {
  const remaining = limitPicoUsd - spentPicoUsd - heldPicoUsd;
  return remaining > 0n ? remaining : 0n;
}

/** Spent of the limit, rounded down to two decimals, so that 100 means all of it. A limit of 0 is used up at once. */
export function percentSpent({ limitPicoUsd, spentPicoUsd }: BudgetCounters): number {
  if (limitPicoUsd === 0n) return 100;
  return Number((spentPicoUsd * 10_000n) / limitPicoUsd) / 100;
}
