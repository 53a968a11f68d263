import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CHANGEABLE, type Change } from '../decisions/changes-since';
import { TARGET_SOURCES } from '../execution-plan';

export class ReplayedCandidateDto {
  @ApiProperty({ example: 'openai/gpt-6.1-sol' }) readonly model: string;

  @ApiProperty({ type: 'integer', nullable: true, example: 12 })
  readonly priceVersion: number | null;

  @ApiProperty({ example: 0.771 }) readonly score: number;

  @ApiProperty({ minimum: 0, maximum: 1, description: 'Expected', example: 0.84 })
  readonly quality: number;

  @ApiProperty({ type: String, nullable: true, description: 'Null: unknown', example: '0.0091' })
  readonly expectedCostUsd: string | null;
}

export class DecidedTargetDto {
  @ApiProperty({ description: 'The share of the best expected quality that is enough', example: 0.95 })
  readonly quality: number;

  @ApiPropertyOptional({
    description: 'US dollars that an answer is worth which fully succeeds',
    example: 0.02,
  })
  readonly answerWorthUsd?: number;

  @ApiProperty({ enum: TARGET_SOURCES, description: 'Who set it', example: 'request' })
  readonly source: (typeof TARGET_SOURCES)[number];

  @ApiProperty({
    description: 'The best expected quality of the models that could serve the request',
    example: 0.884,
  })
  readonly best: number;

  @ApiProperty({ description: 'What a model had to reach: `quality` × `best`', example: 0.84 })
  readonly threshold: number;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'The prompt was unlike all data sets that outcomes came from; left out when it was not',
    example: true,
  })
  readonly isNovel?: true;
}

export class ReplayErrorDto {
  @ApiProperty({ example: 'PROVIDER_UNAVAILABLE' }) readonly code: string;
  @ApiProperty({ example: 'No provider is available: set OPENAI_API_KEY' }) readonly message: string;
}

export class ReplayedChoiceDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The chosen one; null when none could serve the request',
    example: 'openai/gpt-6.1-sol',
  })
  readonly model: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'auto' })
  readonly strategy: string | null;

  @ApiProperty({ type: DecidedTargetDto, nullable: true })
  readonly target: DecidedTargetDto | null;

  @ApiProperty({ type: [ReplayedCandidateDto], description: 'The chosen one, then its fallbacks in order' })
  readonly candidates: readonly ReplayedCandidateDto[];

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'How many models each reason removed',
    example: { unavailable: 31, retired: 6 },
  })
  readonly filtered: Readonly<Record<string, number>>;

  @ApiProperty({ type: ReplayErrorDto, nullable: true, description: 'Why none could serve the request' })
  readonly error: ReplayErrorDto | null;
}

export class ChangeDto implements Change {
  @ApiProperty({
    enum: CHANGEABLE,
    description:
      '`ownWeights` and `quality` are the owner’s preferences, `providers` what could be called, the others versions',
    example: 'prices',
  })
  readonly what: Change['what'];

  @ApiProperty({ type: String, nullable: true, example: '57' }) readonly before: string | null;
  @ApiProperty({ type: String, nullable: true, example: '61' }) readonly now: string | null;

  @ApiProperty({
    description:
      'Does the replay see what was then? Of files (`catalog`, `weights`, `guide`) only the present content is there',
  })
  readonly isKept: boolean;
}

export class DecisionReplayDto {
  @ApiProperty({ example: 'dec_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  readonly id: string;

  @ApiProperty({ example: 'req_0199a1b2c3d47e5f8a9b0c1d2e3f4a5b' })
  readonly requestId: string;

  @ApiProperty({
    description:
      'Did the replay choose the same model, with the same candidates in the same order, scores and filters? Always, unless something changed that is not kept',
  })
  readonly isSame: boolean;

  @ApiProperty({ description: 'What was decided' })
  readonly decision: ReplayedChoiceDto;

  @ApiProperty({ description: 'What the same code decides on what is stored' })
  readonly replayed: ReplayedChoiceDto;

  @ApiProperty({ type: [ChangeDto], description: 'What is different since' })
  readonly changed: readonly ChangeDto[];

  @ApiProperty({
    type: ReplayedChoiceDto,
    nullable: true,
    description: 'What would be decided now; null when nothing changed',
  })
  readonly today: ReplayedChoiceDto | null;
}
