import { ApiProperty } from '@nestjs/swagger';
import { toApiId } from '../../../common/index';
import { STRATEGIES, type Strategy } from '../../factor-scores';
import type { RoutingWeights } from '../../routing-weights';
import type { OwnedPreferences } from '../preferences.repository';
import { versionOf } from '../routing-preferences';
import { FactorWeightsDto } from './preferences.request.dto';

const SOURCES = ['installation', 'own'] as const;

export class EffectiveWeightsDto {
  @ApiProperty({ type: FactorWeightsDto })
  weights: FactorWeightsDto;

  @ApiProperty({ enum: SOURCES, example: 'own', description: 'Where these weights come from.' })
  source: (typeof SOURCES)[number];
}

const EFFECTIVE = { type: EffectiveWeightsDto };

export class EffectiveStrategiesDto implements Record<Strategy, EffectiveWeightsDto> {
  @ApiProperty(EFFECTIVE)
  auto: EffectiveWeightsDto;

  @ApiProperty(EFFECTIVE)
  cheap: EffectiveWeightsDto;

  @ApiProperty(EFFECTIVE)
  best: EffectiveWeightsDto;

  @ApiProperty(EFFECTIVE)
  fast: EffectiveWeightsDto;
}

export class PreferencesDto {
  @ApiProperty({ example: 'usr_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  userId: string;

  @ApiProperty({ type: EffectiveStrategiesDto, description: 'The weights that count for each strategy.' })
  strategies: EffectiveStrategiesDto;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 0.95,
    description: 'Quality target of requests that name none. Null: none.',
  })
  quality: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 0.02,
    description:
      'US dollars that an answer is worth, of requests that say neither this nor a quality. Null: no worth.',
  })
  answerWorthUsd: number | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '5d41402abc4b',
    description: 'Of the user’s own preferences; the same content has the same version. Null: none.',
  })
  version: string | null;

  @ApiProperty({ example: '9f86d081884c', description: 'Of the installation’s `routing/weights.yaml`.' })
  weightsVersion: string;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: '2026-11-21T10:15:00.000Z' })
  updatedAt: string | null;

  /** @param userId UUID */
  static of(this: void, userId: string, weights: RoutingWeights, own?: OwnedPreferences): PreferencesDto {
    const effective = STRATEGIES.map((strategy): [Strategy, EffectiveWeightsDto] => {
      const ownWeights = own?.strategies[strategy];
      const source = ownWeights ? 'own' : 'installation';
      return [strategy, { weights: ownWeights ?? weights.content.strategies[strategy], source }];
    });
    return {
      userId: toApiId('usr', userId),
      strategies: Object.fromEntries(effective) as Record<Strategy, EffectiveWeightsDto>,
      quality: own?.quality ?? null,
      answerWorthUsd: own?.answerWorthUsd ?? null,
      version: own ? versionOf(own) : null,
      weightsVersion: weights.version,
      updatedAt: own?.updatedAt.toISOString() ?? null,
    };
  }
}
