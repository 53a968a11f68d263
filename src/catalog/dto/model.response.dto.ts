import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PROVIDER_IDS, type ProviderId, type TaskType } from '../../common/index';
import {
  CAPABILITIES,
  type CatalogModel,
  type EmbeddingFacts,
  kindOf,
  MODEL_KINDS,
  MODEL_STATUSES,
  type ModelCapabilities,
  type ModelKind,
  type ModelStatus,
  type ModelTimeouts,
  type SpeedClass,
} from '../model';
import type { PriceVersion } from '../price';
import { PriceResponseDto } from './price.response.dto';

export class TimeoutsDto implements ModelTimeouts {
  @ApiProperty({ example: 5000 })
  connectMs: number;

  @ApiProperty({ example: 60000 })
  firstByteMs: number;

  @ApiProperty({ example: 60000 })
  idleMs: number;

  @ApiProperty({ example: 60000 })
  totalMs: number;
}

export class EmbeddingFactsDto implements EmbeddingFacts {
  @ApiPropertyOptional({ example: 1536, description: 'Length of a vector when none is asked for.' })
  dimensions?: number;

  @ApiPropertyOptional({ type: [Number], description: 'The lengths that may be asked for.' })
  allowedDimensions?: readonly number[];

  @ApiPropertyOptional({
    example: 1,
    description: 'Every length from here to `dimensions` may be asked for.',
  })
  minDimensions?: number;

  @ApiProperty({ example: 2048, description: 'Inputs in one upstream request.' })
  maxBatch: number;

  @ApiPropertyOptional({ example: 300000, description: 'Tokens in one upstream request.' })
  maxBatchTokens?: number;

  @ApiProperty({ description: 'Takes token ids in place of texts.' })
  takesTokens: boolean;

  @ApiProperty({ description: 'Tells queries and documents apart.' })
  hasInputTypes: boolean;

  @ApiProperty({ description: 'Cuts a text that is too long where others refuse it.' })
  cutsLongTexts: boolean;

  @ApiProperty({ description: 'Is asked for base64, whatever the client asks for.' })
  hasBase64: boolean;

  @ApiProperty({ example: 0.66, description: 'Quality of its vectors from 0 to 1; an estimate.' })
  quality: number;
}

export class ModelResponseDto {
  @ApiProperty({ example: 'openai/gpt-6-luna' })
  id: string;

  @ApiProperty({ enum: PROVIDER_IDS })
  provider: ProviderId;

  @ApiProperty({ enum: MODEL_KINDS, description: 'Only chat models chat, only embedding models embed.' })
  kind: ModelKind;

  @ApiPropertyOptional({ type: EmbeddingFactsDto, description: 'Only on embedding models.' })
  embedding?: EmbeddingFacts;

  @ApiProperty({ example: 'gpt-6-luna', description: 'What the provider is asked for.' })
  upstreamId: string;

  @ApiProperty({ example: 'gpt-6-luna', description: 'The same on every provider that sells this model.' })
  baseModel: string;

  @ApiProperty({ example: 'GPT-6 Luna' })
  displayName: string;

  @ApiProperty({ example: 1050000 })
  contextWindowTokens: number;

  @ApiProperty({ example: 128000 })
  maxOutputTokens: number;

  @ApiProperty({ type: [String], example: ['text', 'image'] })
  input: readonly string[];

  @ApiProperty({
    type: 'object',
    properties: Object.fromEntries(CAPABILITIES.map((name) => [name, { type: 'boolean' as const }])),
  })
  supports: ModelCapabilities;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    example: { CODE_GENERATION: 0.8 },
    description: 'Quality from 0 to 1 for every task type.',
  })
  scores: Readonly<Record<TaskType, number>>;

  @ApiProperty({ enum: ['estimate', 'outcomes'], description: 'Estimates hold until outcomes replace them.' })
  scoreSource: 'estimate' | 'outcomes';

  @ApiProperty({ enum: ['fast', 'medium', 'slow'] })
  speed: SpeedClass;

  @ApiProperty({ enum: MODEL_STATUSES })
  status: ModelStatus;

  @ApiPropertyOptional({ example: 'openai/gpt-6-luna', description: 'The model to use instead.' })
  successor?: string;

  @ApiProperty({ type: [String], description: 'Other names of exactly this model.' })
  aliases: readonly string[];

  @ApiProperty({ type: TimeoutsDto })
  timeouts: ModelTimeouts;

  @ApiProperty({
    type: PriceResponseDto,
    nullable: true,
    description:
      'Null means unknown: such a model is refused unless the administrator allows it. Free is "0".',
  })
  price: PriceResponseDto | null;

  static of(model: CatalogModel, price: PriceVersion | undefined): ModelResponseDto {
    return Object.assign(new ModelResponseDto(), {
      id: model.id,
      provider: model.provider,
      kind: kindOf(model),
      embedding: model.embedding,
      upstreamId: model.upstreamId,
      baseModel: model.baseModel,
      displayName: model.displayName,
      contextWindowTokens: model.contextWindowTokens,
      maxOutputTokens: model.maxOutputTokens,
      input: model.input,
      supports: model.supports,
      scores: model.scores,
      scoreSource: model.scoreSource,
      speed: model.speed,
      status: model.status,
      successor: model.successor,
      aliases: model.aliases ?? [],
      timeouts: model.timeouts,
      price: price ? PriceResponseDto.of(price) : null,
    });
  }
}

export class ModelPageDto {
  @ApiProperty({ type: [ModelResponseDto] })
  data: ModelResponseDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}
