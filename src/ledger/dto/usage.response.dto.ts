import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PROVIDER_IDS, WORK_TYPES, USAGE_SOURCES } from '../../common/index';
import { OUTCOMES } from '../ledger.types';

export class UsageSumsDto {
  @ApiProperty({ example: 3, description: 'Requests with at least one line.' })
  requests: number;

  @ApiProperty({ example: 4, description: 'Upstream attempts: retries, fallbacks and tool rounds included.' })
  attempts: number;

  @ApiProperty({ example: 1200, description: 'Cached reads and cache writes included.' })
  promptTokens: number;

  @ApiProperty({ example: 0 })
  cachedReadTokens: number;

  @ApiProperty({ example: 0 })
  cacheWriteTokens: number;

  @ApiProperty({ example: 340, description: 'Reasoning included.' })
  completionTokens: number;

  @ApiProperty({ example: 0 })
  reasoningTokens: number;

  @ApiProperty({ type: String, example: '0.00000024', description: 'Exact decimal.' })
  costUsd: string;

  @ApiProperty({ example: 0, description: 'Answers that were given again: no attempt, no cost.' })
  reused: number;

  @ApiProperty({ example: 0, description: 'Tokens that those would have taken; in no other sum.' })
  savedTokens: number;

  @ApiProperty({ type: String, example: '0', description: 'What those would have cost, exact decimal.' })
  savedUsd: string;

  @ApiProperty({ example: 0, description: 'Attempts whose price was unknown; their cost is in no sum.' })
  unpriced: number;

  @ApiProperty({ example: 0, description: 'Attempts whose figures disagree.' })
  disputed: number;

  @ApiPropertyOptional({
    example: 2,
    description:
      'With `compare=true`, like the next three: requests whose cost is compared with what other models would have cost. Routed chat requests that were answered by a model, and not again; failed attempts are left out.',
  })
  requestsCompared?: number;

  @ApiPropertyOptional({ type: String, example: '0.0021', description: 'What those cost, exact decimal.' })
  comparedUsd?: string;

  @ApiPropertyOptional({
    type: String,
    example: '0.0148',
    description:
      'Estimate: what they would have cost had each gone to the model of the best expected quality among those that could serve it. What a request cost, times what that model was expected to cost, by what the one that answered was.',
  })
  alwaysBestUsd?: string;

  @ApiPropertyOptional({
    type: String,
    example: '0.0009',
    description: 'Estimate: the same for the cheapest model that could serve each.',
  })
  alwaysCheapestUsd?: string;
}

export class UsageGroupDto extends UsageSumsDto {
  @ApiPropertyOptional({ type: String, format: 'date', example: '2026-11-21' })
  day?: string;

  @ApiPropertyOptional({ type: String, example: 'sandbox/small' })
  model?: string;

  @ApiPropertyOptional({ enum: PROVIDER_IDS })
  provider?: string;

  @ApiPropertyOptional({ enum: WORK_TYPES })
  taskType?: string;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'coder' })
  agent?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'key_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  key?: string | null;

  @ApiPropertyOptional({ type: String, example: 'usr_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  user?: string;

  @ApiPropertyOptional({ type: String, nullable: true, example: null })
  project?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: null })
  task?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: null })
  session?: string | null;
}

export class UsagePageDto {
  @ApiProperty({ type: [UsageGroupDto] })
  data: UsageGroupDto[];

  @ApiProperty({
    type: UsageSumsDto,
    description: 'Over everything that the filter finds, not only this page.',
  })
  total: UsageSumsDto;

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}

export class UsageLineDto {
  @ApiProperty({ example: 'req_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  requestId: string;

  @ApiProperty({ example: 1 })
  attempt: number;

  @ApiProperty({ enum: PROVIDER_IDS })
  provider: string;

  @ApiProperty({ example: 'sandbox/small' })
  model: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'small',
    description: 'The model that the answer named.',
  })
  modelServed: string | null;

  @ApiProperty({ enum: OUTCOMES })
  outcome: string;

  @ApiProperty({ enum: USAGE_SOURCES })
  usageSource: string;

  @ApiProperty({ type: 'integer', nullable: true, example: 12 })
  promptTokens: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: null })
  cachedReadTokens: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: null })
  cacheWriteTokens: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 34 })
  completionTokens: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: null })
  reasoningTokens: number | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '0.00000024',
    description: 'Null when the price is unknown.',
  })
  costUsd: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'What an answer that was given again would have cost; null on all other lines.',
  })
  savedUsd: string | null;

  @ApiProperty({ type: 'integer', nullable: true, example: null })
  savedTokens: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 3 })
  priceVersion: number | null;

  @ApiProperty({ type: String, format: 'date-time' })
  startedAt: string;

  @ApiProperty({ enum: WORK_TYPES })
  taskType: string;

  @ApiProperty({ type: 'integer', nullable: true, example: 420 })
  latencyMs: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 110 })
  firstTokenMs: number | null;

  @ApiProperty({ type: [String], example: [], description: 'Why books and provider disagree.' })
  disputes: string[];

  @ApiProperty({ type: String, example: 'usr_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  userId: string;

  @ApiProperty({ type: String, nullable: true, example: 'key_0192f0c0a1b27c3d8e4f5a6b7c8d9e0f' })
  keyId: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  projectId: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  runId: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  taskId: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  sessionId: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'coder', description: 'Which agent asked.' })
  agent: string | null;
}

export class UsageLinePageDto {
  @ApiProperty({ type: [UsageLineDto] })
  data: UsageLineDto[];

  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor: string | null;
}
