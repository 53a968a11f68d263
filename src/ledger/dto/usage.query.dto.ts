import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMinSize,
  ArrayUnique,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';
import {
  type IdPrefix,
  PageQueryDto,
  PROVIDER_IDS,
  type ProviderId,
  WORK_TYPES,
  type WorkType,
} from '../../common/index';
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

/** An id of this kind, as the API shows it. */
const IdFilter = (prefix: IdPrefix, description: string): PropertyDecorator => {
  const pattern = `^${prefix}_[0-9a-f]{32}$`;
  return applyDecorators(
    ApiPropertyOptional({ type: String, pattern, description }),
    IsOptional(),
    Matches(new RegExp(pattern), { message: `$property must be an id such as ${prefix}_0192f0c0…` }),
  );
};

const TextFilter = (example: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, maxLength: 200, example }),
    IsOptional(),
    IsString(),
    MaxLength(200),
    // PostgreSQL's text has no place for it.
    Matches(/^[^\0]*$/, { message: '$property must not hold the NUL character' }),
  );

export class UsageFilterQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 40,
    example: '2026-01-01',
    description: 'Requests admitted at this date (UTC) or time, or later.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(40)
  from?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 40,
    example: '2030-01-01T00:00:00Z',
    description: 'Requests admitted before this date (UTC) or time.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(40)
  to?: string;

  @IdFilter('usr', 'Of one user; for administrators, others see their own lines only.')
  userId?: string;

  @IdFilter('key', 'Made with this API key.')
  keyId?: string;

  @IdFilter('prj', 'Of this project.')
  projectId?: string;

  @IdFilter('run', 'Of this run.')
  runId?: string;

  @IdFilter('tsk', 'Of this task.')
  taskId?: string;

  @IdFilter('ses', 'Of this session.')
  sessionId?: string;

  @ApiPropertyOptional({ enum: PROVIDER_IDS })
  @IsOptional()
  @IsIn(PROVIDER_IDS)
  provider?: ProviderId;

  @TextFilter('sandbox/small')
  model?: string;

  @ApiPropertyOptional({ enum: WORK_TYPES })
  @IsOptional()
  @IsIn(WORK_TYPES)
  taskType?: WorkType;

  @TextFilter('coder')
  agent?: string;

  @ApiPropertyOptional({
    enum: ['json', 'csv'],
    description:
      '`csv`, like `Accept: text/csv`, answers with everything that the filter finds: limit and cursor do not matter.',
  })
  @IsOptional()
  @IsIn(['json', 'csv'])
  format?: 'json' | 'csv';
}

export class UsageQueryDto extends UsageFilterQueryDto {
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
  @ArrayMinSize(1)
  groupBy: UsageGroup[] = ['day'];
}

export class UsageLinesQueryDto extends UsageFilterQueryDto {
  @IdFilter('req', 'The attempts of one request.')
  requestId?: string;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'Only lines whose figures disagree, or only the others.',
  })
  @IsOptional()
  @Transform(queryBoolean)
  @IsBoolean()
  disputed?: boolean;
}
