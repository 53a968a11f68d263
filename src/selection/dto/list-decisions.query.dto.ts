import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { IdFilter, IsInstant, PageQueryDto, WORK_TYPES, type WorkType } from '../../common/index';
import { STRATEGIES, type Strategy } from '../execution-plan';

const DECIDED_BY = [...STRATEGIES, 'pinned'] as const;

export class ListDecisionsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description: 'Catalog id of the chosen model.',
    example: 'sandbox/small',
  })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  model?: string;

  @ApiPropertyOptional({ enum: WORK_TYPES })
  @IsOptional()
  @IsIn(WORK_TYPES)
  taskType?: WorkType;

  @ApiPropertyOptional({ enum: DECIDED_BY, description: '`pinned`: the request named its model.' })
  @IsOptional()
  @IsIn(DECIDED_BY)
  strategy?: Strategy | 'pinned';

  @ApiPropertyOptional({
    type: String,
    example: '2026-01-01',
    description: 'Made at this date (UTC) or time, or later.',
  })
  @IsOptional()
  @IsInstant()
  from?: string;

  @ApiPropertyOptional({
    type: String,
    example: '2030-01-01T00:00:00Z',
    description: 'Made before this date (UTC) or time.',
  })
  @IsOptional()
  @IsInstant()
  to?: string;

  @IdFilter('usr', 'Of one user; for administrators, others see their own decisions only.')
  userId?: string;
}
