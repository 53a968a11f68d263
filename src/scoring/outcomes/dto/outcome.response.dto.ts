import { ApiProperty } from '@nestjs/swagger';
import { formatUsd, TASK_TYPES, type TaskType, toApiId } from '../../../common/index';
import { type Outcome, OUTCOME_SOURCES, type OutcomeSource } from '../outcome';

export class OutcomeDto {
  @ApiProperty({ type: String, example: 'out_0192f0c1a2b37c4d8e5f60718293a4b5' })
  id: string;

  @ApiProperty({
    type: String,
    description: 'Who reported it',
    example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
  })
  userId: string;

  @ApiProperty({ enum: OUTCOME_SOURCES, example: 'api' })
  source: OutcomeSource;

  @ApiProperty({
    type: String,
    example: 'gpt-4o-mini',
    description: 'The model, whoever sells it; as it was given where the catalog does not know it',
  })
  model: string;

  @ApiProperty({ enum: TASK_TYPES, enumName: 'TaskType', example: 'SUMMARIZATION' })
  taskType: TaskType;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.9 })
  score: number;

  @ApiProperty({ type: String, nullable: true, example: '0.00012' })
  costUsd: string | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 812 })
  promptTokens: number | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 96 })
  completionTokens: number | null;

  @ApiProperty({ type: String, nullable: true, example: 'nightly' })
  pool: string | null;

  @ApiProperty({ type: String, nullable: true })
  dataset: string | null;

  @ApiProperty({ type: String, nullable: true })
  promptId: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'req_0192f0c1a2b37c4d8e5f60718293a4b5' })
  requestId: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Of feedback' })
  comment: string | null;

  @ApiProperty({ type: Boolean, description: 'Are the features of its prompt known, and not only its type?' })
  hasFeatures: boolean;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt: string;

  static from(outcome: Outcome): OutcomeDto {
    const { id, userId, source, model, taskType, score, costPicoUsd, requestId } = outcome;
    return {
      id: toApiId('out', id),
      userId: toApiId('usr', userId),
      source,
      model,
      taskType,
      score,
      costUsd: costPicoUsd === undefined ? null : formatUsd(costPicoUsd),
      promptTokens: outcome.promptTokens ?? null,
      completionTokens: outcome.completionTokens ?? null,
      pool: outcome.pool ?? null,
      dataset: outcome.dataset ?? null,
      promptId: outcome.promptId ?? null,
      requestId: requestId === undefined ? null : toApiId('req', requestId),
      comment: outcome.comment ?? null,
      hasFeatures: outcome.profile !== undefined,
      createdAt: outcome.createdAt.toISOString(),
    };
  }
}

export class OutcomePageDto {
  @ApiProperty({ type: [OutcomeDto] })
  data: OutcomeDto[];

  @ApiProperty({ type: String, nullable: true, description: 'Null on the last page.' })
  nextCursor: string | null;
}

class LearnedDto {
  @ApiProperty({
    type: String,
    nullable: true,
    example: '7',
    description:
      'The newest version of what was learned. Null: stored, and learned later, because it failed now.',
  })
  version: string | null;

  @ApiProperty({
    type: String,
    example: '7',
    description: 'The version that routing uses: another one while one is pinned',
  })
  inForce: string;

  @ApiProperty({ type: [String], example: [] })
  warnings: string[];
}

export class StoredOutcomesDto extends LearnedDto {
  @ApiProperty({ type: 'integer', example: 2 })
  added: number;

  @ApiProperty({ type: 'integer', description: 'That were there before', example: 0 })
  replaced: number;
}

export class RemovedOutcomesDto extends LearnedDto {
  @ApiProperty({ type: 'integer', example: 2 })
  removed: number;
}
