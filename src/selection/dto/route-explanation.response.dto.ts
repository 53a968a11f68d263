import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { TASK_TYPES, type TaskType } from '../../common/index';
import type { TaskProfile } from '../../analysis/index';
import { DecidedTargetDto } from './decision-replay.response.dto';
import { FILTER_REASONS, type FilterReason, STRATEGIES } from '../execution-plan';

const STRATEGY_NAMES = [...STRATEGIES, 'pinned'] as const;

export class TaskTypeConfidenceDto {
  @ApiProperty({ enum: TASK_TYPES, enumName: 'TaskType', example: 'CODE_GENERATION' })
  readonly taskType: TaskType;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.71 })
  readonly confidence: number;
}

export class RequestNeedsDto {
  @ApiProperty() readonly vision: boolean;
  @ApiProperty() readonly document: boolean;
  @ApiProperty() readonly audio: boolean;
  @ApiProperty() readonly video: boolean;
  @ApiProperty() readonly tools: boolean;
  @ApiProperty() readonly jsonSchema: boolean;
  @ApiProperty() readonly jsonObject: boolean;
  @ApiProperty() readonly streaming: boolean;
}

export class TaskFeaturesDto {
  @ApiProperty({ type: 'integer', description: 'Characters of the text of all messages', example: 240 })
  readonly promptChars: number;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly messageCount: number;

  @ApiProperty({ type: 'integer', example: 66 })
  readonly estimatedPromptTokens: number;

  @ApiProperty({ type: 'integer', description: 'The part of it that files are guessed to take', example: 0 })
  readonly estimatedFileTokens: number;

  @ApiProperty({
    type: 'integer',
    description: 'What the prompt can have at most; with files, up to the model’s context window',
    example: 320,
  })
  readonly boundPromptTokens: number;

  @ApiPropertyOptional({ type: 'integer', example: 500 })
  readonly requestedMaxTokens?: number;

  @ApiProperty() readonly hasCode: boolean;
  @ApiProperty({ type: 'integer', example: 0 }) readonly imageCount: number;
  @ApiProperty({ description: 'Documents, audio or video, or files that the provider keeps' })
  readonly hasFiles: boolean;

  @ApiProperty({ type: 'integer', example: 0 }) readonly toolCount: number;

  @ApiProperty({ description: 'ISO 639-1; `und` when unclear', example: 'en' })
  readonly language: string;

  @ApiProperty({ minimum: 0, maximum: 1, description: '0 trivial, 1 hard', example: 0.35 })
  readonly complexity: number;
}

export class TaskProfileDto {
  @ApiProperty({ enum: TASK_TYPES, enumName: 'TaskType', example: 'CODE_GENERATION' })
  readonly taskType: TaskType;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.71 })
  readonly confidence: number;

  @ApiProperty({ enum: ['classifier', 'semantic', 'fields', 'override', 'default'], example: 'classifier' })
  readonly source: TaskProfile['source'];

  @ApiProperty({ type: [TaskTypeConfidenceDto] })
  readonly secondary: readonly TaskTypeConfidenceDto[];

  @ApiProperty({
    type: [TaskTypeConfidenceDto],
    description: 'What the local classifier makes of the text: types from 0.01 on',
  })
  readonly probabilities: readonly TaskTypeConfidenceDto[];

  @ApiProperty({ type: [String], description: 'Patterns that matched', example: ['code.make_thing'] })
  readonly patterns: readonly string[];

  @ApiProperty() readonly needs: RequestNeedsDto;
  @ApiProperty() readonly features: TaskFeaturesDto;
}

export class FactorScoresDto {
  @ApiProperty({ maximum: 1, description: 'Negative for models that are too weak', example: 0.82 })
  readonly capability: number;

  @ApiProperty({ minimum: 0, maximum: 1, example: 1 }) readonly context: number;
  @ApiProperty({ minimum: 0, maximum: 1, example: 0.6 }) readonly speed: number;
  @ApiProperty({ minimum: 0, maximum: 1, example: 0.35 }) readonly cost: number;

  @ApiProperty({ minimum: 0, maximum: 1, description: '1: none of its attempts failed of late', example: 1 })
  readonly health: number;
}

export class RankedModelDto {
  @ApiProperty({ example: 'openai/gpt-6.1-sol' }) readonly model: string;
  @ApiProperty({ example: 'openai' }) readonly provider: string;

  @ApiProperty({ description: 'Weighted sum of the factors, plus the prior', example: 0.771 })
  readonly score: number;

  @ApiProperty() readonly factors: FactorScoresDto;

  @ApiProperty({ description: 'What the guide added', example: 0.03 })
  readonly prior: number;

  @ApiProperty({ minimum: 0, maximum: 1, description: 'Expected quality of its answer', example: 0.84 })
  readonly quality: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'US dollars for this request with an answer of the usual length; null when the price is unknown',
    example: '0.0091',
  })
  readonly expectedCostUsd: string | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 12 })
  readonly priceVersion: number | null;
}

export class FilteredModelDto {
  @ApiProperty({ example: 'openai/gpt-4' }) readonly model: string;
  @ApiProperty({ enum: FILTER_REASONS }) readonly reason: FilterReason;
  @ApiProperty({ example: 'Retired; its successor is openai/gpt-6.1-sol' }) readonly detail: string;
}

export class DecisionVersionsDto {
  @ApiProperty({ example: 'a1b2c3d4e5f60718' }) readonly catalog: string;
  @ApiProperty({ type: 'integer', example: 57 }) readonly prices: number;
  @ApiProperty({ example: '0123456789ab' }) readonly weights: string;
  @ApiProperty({ example: '0123456789ab' }) readonly guide: string;
  @ApiProperty({ example: '0123456789ab' }) readonly patterns: string;
  @ApiProperty({ example: '0123456789ab' }) readonly classifier: string;
  @ApiProperty({ description: 'What outcomes taught; `prior`: nothing yet', example: 'prior' })
  readonly capabilities: string;

  @ApiProperty({ description: 'Measured speed and failures; `none`: nothing yet', example: 'none' })
  readonly performance: string;
}

export class AssignedArmDto {
  @ApiProperty({ example: 'exp_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' }) readonly id: string;
  @ApiProperty({ example: 'cheap' }) readonly arm: string;

  @ApiPropertyOptional({ description: 'The model that the arm puts first', example: 'sandbox/small' })
  readonly model?: string;
}

export class RouteExplanationDto {
  @ApiProperty({ description: 'The model that would answer', example: 'openai/gpt-6.1-sol' })
  readonly model: string;

  @ApiProperty({ type: [String], description: 'What would follow when it fails, in order' })
  readonly fallbacks: readonly string[];

  @ApiProperty({ description: 'The model as the request wrote it', example: 'auto' })
  readonly asked: string;

  @ApiProperty({ enum: STRATEGY_NAMES, example: 'auto' })
  readonly strategy: (typeof STRATEGY_NAMES)[number];

  @ApiProperty({
    type: DecidedTargetDto,
    nullable: true,
    description: 'The quality target, which decides in place of the strategy',
  })
  readonly target: DecidedTargetDto | null;

  @ApiProperty({ type: AssignedArmDto, nullable: true, description: 'The arm that the request is given' })
  readonly experiment: AssignedArmDto | null;

  @ApiProperty() readonly profile: TaskProfileDto;

  @ApiProperty({
    type: [RankedModelDto],
    description:
      'All models that could answer, best first; with a target, those that hold it, cheapest first, then the others by quality',
  })
  readonly ranking: readonly RankedModelDto[];

  @ApiProperty({ type: [FilteredModelDto], description: 'All models that were left out' })
  readonly filtered: readonly FilteredModelDto[];

  @ApiProperty({ type: [String] }) readonly warnings: readonly string[];
  @ApiProperty() readonly versions: DecisionVersionsDto;
}
