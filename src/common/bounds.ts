/** Limits and budgets as callers write them, wherever they are set: on a key that is being made, or by themselves. */
import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';
import { IsInt, Max, Min, ValidateBy } from 'class-validator';
import { formatUsd, parseUsd, type PicoUsd } from './money';

/** Undefined means not limited, 0 that nothing passes. Windows are wall-clock minutes and hours. */
export interface LimitValues {
  readonly requestsPerMinute?: number;
  readonly requestsPerHour?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerHour?: number;
  readonly concurrency?: number;
}

/** UTC; counters roll over at midnight by themselves. */
export const BUDGET_PERIODS = ['day', 'month', 'total'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** Hard: the worst case is reserved and nothing goes beyond it. Soft: the estimate is reserved, and exceeding it warns. */
export const BUDGET_MODES = ['hard', 'soft'] as const;
export type BudgetMode = (typeof BUDGET_MODES)[number];

const MAX_LIMIT = 1_000_000_000_000;
/** A million million US dollars. */
export const MAX_BUDGET_PICO_USD: PicoUsd = 10n ** 24n;
const USD_AMOUNT = /^\d{1,13}(\.\d{1,12})?$/;

/** One value of a limit; whether it may be left out or be null is the body's own affair. */
export function LimitField(
  description: string,
  more: Pick<ApiPropertyOptions, 'example' | 'nullable'>,
): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      minimum: 0,
      maximum: MAX_LIMIT,
      description: `${description} 0: nothing passes.`,
      ...more,
    }),
    IsInt(),
    Min(0),
    Max(MAX_LIMIT),
  );
}

export const BUDGET_AMOUNT = {
  type: String,
  pattern: USD_AMOUNT.source,
  description:
    'US dollars as an exact decimal, 0 to 1000000000000. 0 with mode `hard`: nothing may be spent.',
} as const;

/** The field takes what `parseUsd` reads as the amount of a budget. */
export function IsBudgetAmount(): PropertyDecorator {
  return ValidateBy({
    name: 'isBudgetAmount',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && USD_AMOUNT.test(value) && parseUsd(value) <= MAX_BUDGET_PICO_USD,
      defaultMessage: () =>
        '$property must be a decimal string of US dollars with 12 decimals at most, such as "25.50", ' +
        `from 0 to ${formatUsd(MAX_BUDGET_PICO_USD)}; not a number`,
    },
  });
}
