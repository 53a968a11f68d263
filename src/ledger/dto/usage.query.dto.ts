import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMinSize, ArrayUnique, IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import {
  BooleanFilter,
  IdFilter,
  IsInstant,
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

const TextFilter = (example: string): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, maxLength: 200, example }),
    IsOptional(),
    IsString(),
    MaxLength(200),
  );

export class UsageFilterQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    example: '2026-01-01',
    description: 'Requests admitted at this date (UTC) or time, or later.',
  })
  @IsOptional()
  @IsInstant()
  from?: string;

  @ApiPropertyOptional({
    type: String,
    example: '2030-01-01T00:00:00Z',
    description: 'Requests admitted before this date (UTC) or time.',
  })
  @IsOptional()
  @IsInstant()
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

  @BooleanFilter({
    description:
      'Also what the routed requests would have cost at the best and at the cheapest model that could serve them; takes longer.',
  })
  compare?: boolean;
}

export class UsageLinesQueryDto extends UsageFilterQueryDto {
  @IdFilter('req', 'The attempts of one request.')
  requestId?: string;

  @BooleanFilter({ description: 'Only lines whose figures disagree, or only the others.' })
  disputed?: boolean;
}
