import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { PageQueryDto, PROVIDER_IDS, type ProviderId } from '../../common/index';
import {
  CAPABILITIES,
  MODEL_KINDS,
  MODEL_STATUSES,
  type ModelCapabilities,
  type ModelKind,
  type ModelStatus,
} from '../model';

export class ListModelsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: PROVIDER_IDS, description: 'Only models of this provider.' })
  @IsOptional()
  @IsIn(PROVIDER_IDS)
  provider?: ProviderId;

  @ApiPropertyOptional({ enum: CAPABILITIES, description: 'Only models that can do this.' })
  @IsOptional()
  @IsIn(CAPABILITIES)
  capability?: keyof ModelCapabilities;

  @ApiPropertyOptional({ enum: MODEL_KINDS, description: 'Only models of this kind.' })
  @IsOptional()
  @IsIn(MODEL_KINDS)
  kind?: ModelKind;

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
