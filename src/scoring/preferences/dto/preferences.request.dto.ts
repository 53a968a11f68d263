import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsNumber,
  IsObject,
  IsOptional,
  IsPositive,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { IdFilter, MAX_ANSWER_WORTH_USD } from '../../../common/index';
import { type FactorWeights, isSumOne, WEIGHED_FACTORS } from '../../factor-scores';
import type { RoutingPreferences } from '../routing-preferences';

const Share = (example: number, description: string): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: Number, minimum: 0, maximum: 1, example, description }),
    IsNumber(),
    Min(0),
    Max(1),
  );

/** How much each factor counts; together 1. */
export class FactorWeightsDto implements FactorWeights {
  @Share(0.7, 'How good the answer is expected to be.')
  capability: number;

  @Share(0.1, 'How comfortably the request fits the context window.')
  context: number;

  @Share(0.1, 'How soon the answer is expected to be there.')
  speed: number;

  @Share(0.1, 'What the request is expected to cost.')
  cost: number;
}

const Weights = (description: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: FactorWeightsDto, description }),
    ValidateIf((_, value: unknown) => value !== undefined),
    IsObject(),
    ValidateNested(),
    Type(() => FactorWeightsDto),
    ValidateBy({
      name: 'isSumOne',
      validator: {
        // What is no share is told by itself.
        validate: (value: unknown) => !isComplete(value) || isSumOne(value),
        defaultMessage: () => `$property: ${WEIGHED_FACTORS.join(', ')} must sum to 1`,
      },
    }),
  );

function isComplete(value: unknown): value is FactorWeights {
  const weights = (value ?? {}) as Partial<FactorWeights>;
  return WEIGHED_FACTORS.every((factor) => {
    const weight = weights[factor];
    return typeof weight === 'number' && weight >= 0 && weight <= 1;
  });
}

/** What is left out is as the installation has it. */
export class StrategiesDto {
  @Weights('In place of the installation’s weights for `model: auto`.')
  auto?: FactorWeightsDto;

  @Weights('For `auto:cheap`.')
  cheap?: FactorWeightsDto;

  @Weights('For `auto:best`.')
  best?: FactorWeightsDto;

  @Weights('For `auto:fast`.')
  fast?: FactorWeightsDto;
}

export class SetPreferencesRequestDto {
  @ApiPropertyOptional({ type: StrategiesDto })
  @ValidateIf((_, value: unknown) => value !== undefined)
  @IsObject()
  @ValidateNested()
  @Type(() => StrategiesDto)
  strategies?: StrategiesDto;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    minimum: 0,
    maximum: 1,
    example: 0.95,
    description:
      'Quality target of requests that name none, above 0: the cheapest model whose expected quality is at least this share of the best one’s. Null or left out: none.',
  })
  @IsOptional()
  @IsNumber()
  @IsPositive()
  @Max(1)
  quality?: number | null;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    minimum: 0,
    maximum: MAX_ANSWER_WORTH_USD,
    example: 0.02,
    description:
      'US dollars, above 0, that an answer is worth to you which fully succeeds: a request goes where expected quality times that, less the expected cost, is highest; with `quality`, among the models that hold it. Null or left out: no worth.',
  })
  @IsOptional()
  @IsNumber()
  @IsPositive()
  @Max(MAX_ANSWER_WORTH_USD)
  answerWorthUsd?: number | null;

  static wanted(
    this: void,
    { strategies, quality, answerWorthUsd }: SetPreferencesRequestDto,
  ): RoutingPreferences {
    const { auto, cheap, best, fast } = strategies ?? {};
    return {
      strategies: { auto, cheap, best, fast },
      quality: quality ?? undefined,
      answerWorthUsd: answerWorthUsd ?? undefined,
    };
  }
}

export class PreferencesQueryDto {
  @IdFilter('usr', 'Of this user. Administrators only, unless it is you.')
  userId?: string;
}

/** For Swagger UI; each works as it stands. */
export const PREFERENCES_EXAMPLES = {
  quality: { summary: 'The cheapest model at 95 % of the best one’s quality', value: { quality: 0.95 } },
  worth: {
    summary: 'The best answer for its money, when a good one is worth 2 cents',
    value: { answerWorthUsd: 0.02 },
  },
  weights: {
    summary: 'Quality counts more for `auto`',
    value: { strategies: { auto: { capability: 0.7, context: 0.1, speed: 0.1, cost: 0.1 } } },
  },
};
