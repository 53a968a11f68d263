import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayUnique,
  IsBoolean,
  IsIn,
  IsISO8601,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';
import { PageQueryDto, PROVIDER_IDS, type ProviderId } from '../../common/index';
import { USAGE_GROUPS, type UsageGroup } from '../usage-groups';

/** `a,b` and `groupBy=a&groupBy=b` alike. */
const commaSeparated = ({ value }: { value: unknown }): unknown => {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return parts.flatMap((part) =>
    typeof part === 'string' ? part.split(',').map((name) => name.trim()) : [part],
  );
};

const queryBoolean = ({ value }: { value: unknown }): unknown =>
  value === 'true' ? true : value === 'false' ? false : value;

export class UsageRangeQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    example: '2026-01-01T00:00:00Z',
    description: 'Requests admitted at this time or later.',
  })
  @IsOptional()
  @IsISO8601({ strict: true })
  from?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    example: '2030-01-01T00:00:00Z',
    description: 'Requests admitted before this time.',
  })
  @IsOptional()
  @IsISO8601({ strict: true })
  to?: string;

  @ApiPropertyOptional({
    type: String,
    pattern: '^usr_[0-9a-f]{32}$',
    description: 'Of one user; for administrators, others see their own lines only.',
  })
  @IsOptional()
  @Matches(/^usr_[0-9a-f]{32}$/)
  userId?: string;
}

export class UsageQueryDto extends UsageRangeQueryDto {
  @ApiPropertyOptional({
    enum: USAGE_GROUPS,
    isArray: true,
    default: ['day'],
    example: ['day', 'model'],
    description: `Comma-separated or repeated. A request belongs to the UTC day in which it was admitted, as in the budgets.`,
  })
  @Transform(commaSeparated)
  @IsIn(USAGE_GROUPS, { each: true, message: `groupBy takes any of ${USAGE_GROUPS.join(', ')}` })
  @ArrayUnique()
  groupBy: UsageGroup[] = ['day'];
}

export class UsageLinesQueryDto extends UsageRangeQueryDto {
  @ApiPropertyOptional({ type: String, pattern: '^req_[0-9a-f]{32}$' })
  @IsOptional()
  @Matches(/^req_[0-9a-f]{32}$/)
  requestId?: string;

  @ApiPropertyOptional({ type: String, maxLength: 200, example: 'sandbox/small' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  model?: string;

  @ApiPropertyOptional({ enum: PROVIDER_IDS })
  @IsOptional()
  @IsIn(PROVIDER_IDS)
  provider?: ProviderId;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'Only lines whose figures disagree, or only the others.',
  })
  @IsOptional()
  @Transform(queryBoolean)
  @IsBoolean()
  disputed?: boolean;
}
