/** Limits and budget of a key's own, in bodies and answers alike. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import type { KeyBudget, KeyLimits } from '../keys/key-allowances';
import { IfPresent } from './fields';

const MAX_COUNT = 1_000_000_000;
const USD = /^\d{1,12}(\.\d{1,12})?$/;
const PERIODS = ['day', 'month', 'total'] as const;
const MODES = ['hard', 'soft'] as const;

const CountField = (example: number): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_COUNT, example }),
    IfPresent(),
    IsInt(),
    Min(1),
    Max(MAX_COUNT),
  );

/** Windows are wall-clock minutes and hours; what is left out is not limited. */
export class KeyLimitsDto implements KeyLimits {
  @CountField(60)
  requestsPerMinute?: number;

  @CountField(1000)
  requestsPerHour?: number;

  @CountField(100_000)
  tokensPerMinute?: number;

  @CountField(1_000_000)
  tokensPerHour?: number;

  @CountField(5)
  concurrency?: number;
}

export class KeyBudgetDto implements KeyBudget {
  @ApiProperty({ enum: PERIODS, example: 'month', description: 'UTC; `total` never starts anew.' })
  @IsIn(PERIODS)
  period: KeyBudget['period'];

  @ApiProperty({ type: String, example: '10.00', pattern: USD.source, description: 'US dollars.' })
  @Matches(USD, { message: '$property must be a decimal number of US dollars as text, such as "10.00"' })
  limitUsd: string;

  @ApiPropertyOptional({
    enum: MODES,
    default: 'hard',
    description: 'Hard: never passed. Soft: passing it warns.',
  })
  @IfPresent()
  @IsIn(MODES)
  mode: KeyBudget['mode'] = 'hard';
}
