/** Pure arithmetic over budgets, as people read them. */
import { parseUsd, type PicoUsd } from '../common/index';
import { ValidationError } from '../errors/index';

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

/** Plain decimals of US dollars: up to 13 digits and 12 decimals. */
export const USD_AMOUNT = /^\d{1,13}(\.\d{1,12})?$/;

/** @throws ValidationError naming the field. */
export function parseLimitUsd(text: string, param = 'limitUsd'): PicoUsd {
  if (!USD_AMOUNT.test(text)) {
    const reason = 'must be a decimal string of US dollars with 12 decimals at most, such as "25.50"';
    throw new ValidationError(`${param} ${reason}`, { param });
  }
  return parseUsd(text);
}
