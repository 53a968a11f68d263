import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { IdFilter, IsInstant, PageQueryDto } from '../../common/index';

export class AuditQueryDto extends PageQueryDto {
  @IdFilter('usr', 'Who acted')
  actorId?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 100,
    example: 'budget.create',
    description: 'One action, or with a trailing `*` all that begin so: `user.*`',
  })
  @IsOptional()
  @Matches(/^[a-z][a-z_.-]{0,98}\*?$/, { message: 'action must be like user.update or user.*' })
  action?: string;

  @ApiPropertyOptional({ type: String, maxLength: 200, example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  resourceId?: string;

  @IdFilter('req', 'What was done in this request')
  requestId?: string;

  @ApiPropertyOptional({ type: String, format: 'date-time', example: '2026-11-01T00:00:00Z' })
  @IsOptional()
  @IsInstant()
  from?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Exclusive',
    example: '2026-12-01T00:00:00Z',
  })
  @IsOptional()
  @IsInstant()
  to?: string;
}
