import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { IsInstant, PageQueryDto } from '../../../common/index';
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment';

export class ListExperimentsQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ enum: EXPERIMENT_STATUSES })
  @IsOptional()
  @IsIn(EXPERIMENT_STATUSES)
  status?: ExperimentStatus;
}

export class ExperimentResultsQueryDto {
  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only requests from then on. Default: since the experiment started.',
  })
  @IsOptional()
  @IsInstant()
  from?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Only requests before. Default: until its end.',
  })
  @IsOptional()
  @IsInstant()
  to?: string;
}
