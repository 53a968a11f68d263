import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { PROVIDER_IDS, type ProviderId } from '../../common/index';
import { CAPABILITIES, MODEL_STATUSES, type ModelCapabilities, type ModelStatus } from '../model';

export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 200;

export class PageQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit: number = DEFAULT_PAGE;

  @ApiPropertyOptional({ type: String, maxLength: 400, description: 'The nextCursor of the page before.' })
  @IsOptional()
  @IsString()
  @MaxLength(400)
  cursor?: string;
}

export class ListModelsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: PROVIDER_IDS, description: 'Only models of this provider.' })
  @IsOptional()
  @IsIn(PROVIDER_IDS)
  provider?: ProviderId;

  @ApiPropertyOptional({ enum: CAPABILITIES, description: 'Only models that can do this.' })
  @IsOptional()
  @IsIn(CAPABILITIES)
  capability?: keyof ModelCapabilities;

  @ApiPropertyOptional({ enum: MODEL_STATUSES })
  @IsOptional()
  @IsIn(MODEL_STATUSES)
  status?: ModelStatus;
}

export class ListPricesQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    example: 'sandbox/small',
    description: 'Canonical id.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  model?: string;
}
