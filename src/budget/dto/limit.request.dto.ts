import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches } from 'class-validator';
import { LimitField, PageQueryDto } from '../../common/index';
import { LIMIT_SCOPES, type LimitScope } from '../../ledger/index';
import { LIMIT_SCOPE_ID } from '../scope-ids';

const SCOPE_ID_RULE = { message: '$property must be an id such as usr_… or key_…' };

const Value = (example: number | null, description: string): PropertyDecorator =>
  applyDecorators(LimitField(`${description} Null: not limited;`, { example, nullable: true }), IsOptional());

/** A field that is left out stays as it is; null takes the limit away. */
export class LimitValuesDto {
  @Value(60, 'Per wall-clock minute.')
  requestsPerMinute?: number | null;

  @Value(1000, 'Per wall-clock hour.')
  requestsPerHour?: number | null;

  @Value(null, 'Prompt and completion tokens per wall-clock minute.')
  tokensPerMinute?: number | null;

  @Value(null, 'Prompt and completion tokens per wall-clock hour.')
  tokensPerHour?: number | null;

  @Value(10, 'Model requests that may run at once.')
  concurrency?: number | null;
}

export class UpdateLimitRequestDto extends LimitValuesDto {}

export class CreateLimitRequestDto extends LimitValuesDto {
  @ApiProperty({ enum: LIMIT_SCOPES, example: 'global' })
  @IsIn(LIMIT_SCOPES)
  scope: LimitScope;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    pattern: LIMIT_SCOPE_ID.source,
    description: 'The id of the user or key; none for the scope `global`.',
  })
  @IsOptional()
  @IsString()
  @Matches(LIMIT_SCOPE_ID, SCOPE_ID_RULE)
  scopeId?: string | null;
}

export class ListLimitsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: LIMIT_SCOPES })
  @IsOptional()
  @IsIn(LIMIT_SCOPES)
  scope?: LimitScope;

  @ApiPropertyOptional({ type: String, pattern: LIMIT_SCOPE_ID.source, description: 'Of one user or key.' })
  @IsOptional()
  @IsString()
  @Matches(LIMIT_SCOPE_ID, SCOPE_ID_RULE)
  scopeId?: string;
}

/** For Swagger UI: the first one works for an administrator as it stands. */
export const LIMIT_EXAMPLES = {
  global: {
    summary: 'The whole installation (administrators)',
    value: { scope: 'global', requestsPerMinute: 6000, concurrency: 500 },
  },
  key: {
    summary: 'One of your API keys: put its id in',
    value: {
      scope: 'key',
      scopeId: 'key_0192f0c1a2b37c4d8e5f60718293a4b5',
      requestsPerMinute: 60,
      tokensPerHour: 100000,
      concurrency: 4,
    },
  },
};
