/** Limits and budget of a key's own, in bodies and answers alike. */
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import {
  BUDGET_AMOUNT,
  BUDGET_MODES,
  BUDGET_PERIODS,
  IfPresent,
  IsBudgetAmount,
  LimitField,
  type LimitValues,
} from '../../common/index';
import type { KeyBudget } from '../keys/key-allowances';

const Value = (example: number, description: string): PropertyDecorator =>
  applyDecorators(LimitField(`${description} Left out: not limited;`, { example }), IfPresent());

export class KeyLimitsDto implements LimitValues {
  @Value(60, 'Per wall-clock minute.')
  requestsPerMinute?: number;

  @Value(1000, 'Per wall-clock hour.')
  requestsPerHour?: number;

  @Value(100_000, 'Prompt and completion tokens per wall-clock minute.')
  tokensPerMinute?: number;

  @Value(1_000_000, 'Prompt and completion tokens per wall-clock hour.')
  tokensPerHour?: number;

  @Value(5, 'Model requests that may run at once.')
  concurrency?: number;
}

export class KeyBudgetDto implements KeyBudget {
  @ApiProperty({ enum: BUDGET_PERIODS, example: 'month', description: 'UTC; `total` never starts anew.' })
  @IsIn(BUDGET_PERIODS)
  period: KeyBudget['period'];

  @ApiProperty({ ...BUDGET_AMOUNT, example: '10.00' })
  @IsBudgetAmount()
  limitUsd: string;

  @ApiPropertyOptional({
    enum: BUDGET_MODES,
    default: 'hard',
    description: 'Hard: never passed. Soft: passing it warns.',
  })
  @IfPresent()
  @IsIn(BUDGET_MODES)
  mode: KeyBudget['mode'] = 'hard';
}
