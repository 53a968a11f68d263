import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { IfPresent, TASK_TYPES, type TaskType } from '../../../common/index';
import { MAX_NAME_CHARS } from '../outcome-csv';

export const MAX_OUTCOMES = 1000;
const MAX_TOKENS = 1_000_000_000;
const SCORE = 'How good the answer was: 0 useless, 1 perfect';
const USD = /^\d{1,6}(\.\d{1,12})?$/;

const Name = (description: string, example?: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, maxLength: MAX_NAME_CHARS, description, example }),
    IfPresent(),
    IsString(),
    Length(1, MAX_NAME_CHARS),
  );

const Tokens = (description: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: MAX_TOKENS, description }),
    IfPresent(),
    IsInt(),
    Min(0),
    Max(MAX_TOKENS),
  );

const Id = (prefix: 'req' | 'dec', description: string): PropertyDecorator => {
  const pattern = `^${prefix}_[0-9a-f]{32}$`;
  return applyDecorators(
    ApiPropertyOptional({ type: String, pattern, description }),
    IfPresent(),
    Matches(new RegExp(pattern), { message: `$property must be an id such as ${prefix}_0192f0c0…` }),
  );
};

export class ReportedOutcomeDto {
  @Name('Any name the catalog knows, or another one. Needed without requestId or decisionId.', 'gpt-4o-mini')
  model?: string;

  @ApiPropertyOptional({
    enum: TASK_TYPES,
    enumName: 'TaskType',
    example: 'SUMMARIZATION',
    description: 'Needed without requestId or decisionId.',
  })
  @IfPresent()
  @IsIn(TASK_TYPES)
  taskType?: TaskType;

  @ApiProperty({ minimum: 0, maximum: 1, example: 0.9, description: SCORE })
  @IsNumber({ allowInfinity: false, allowNaN: false })
  @Min(0)
  @Max(1)
  score: number;

  @Id('req', 'The answered request: model, task type and features come from it.')
  requestId?: string;

  @Id('dec', 'In place of requestId.')
  decisionId?: string;

  @ApiPropertyOptional({
    type: String,
    pattern: USD.source,
    example: '0.00012',
    description: 'US dollars as an exact decimal',
  })
  @IfPresent()
  @IsString()
  @Matches(USD, { message: '$property must be a decimal string of US dollars, such as "0.00012"' })
  costUsd?: string;

  @Tokens('Of the prompt')
  promptTokens?: number;

  @Tokens('Of the answer')
  completionTokens?: number;

  @Name('What was measured together, such as one run of a benchmark', 'nightly')
  pool?: string;

  @Name('Where the prompt comes from')
  dataset?: string;

  @Name('The same pool, prompt and model again replaces')
  promptId?: string;
}

export class CreateOutcomesRequestDto {
  @ApiProperty({ type: [ReportedOutcomeDto], maxItems: MAX_OUTCOMES })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_OUTCOMES)
  @ValidateNested({ each: true })
  @Type(() => ReportedOutcomeDto)
  outcomes: ReportedOutcomeDto[];
}

export const OUTCOMES_EXAMPLES = {
  task: {
    summary: 'How well a model did, as a benchmark or a reviewer has it',
    value: {
      outcomes: [
        { model: 'sandbox/small', taskType: 'SUMMARIZATION', score: 0.9, pool: 'example', promptId: 'p1' },
        { model: 'sandbox/large', taskType: 'SUMMARIZATION', score: 0.95, pool: 'example', promptId: 'p1' },
      ],
    },
  },
};
