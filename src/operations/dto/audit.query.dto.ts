import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { IsInstant, PageQueryDto } from '../../common/index';

export class AuditQueryDto extends PageQueryDto {
  @ApiPropertyOptional({
    type: String,
    example: 'usr_0192f0c1a2b37c4d8e5f60718293a4b5',
    description: 'Who acted',
  })
  @IsOptional()
  @Matches(/^usr_[0-9a-f]{32}$/, { message: 'actorId must be the id of a user (usr_…)' })
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

  @ApiPropertyOptional({ type: String, example: 'req_0192f0c1a2b37c4d8e5f60718293a4b5' })
  @IsOptional()
  @Matches(/^req_[0-9a-f]{32}$/, { message: 'requestId must be the id of a request (req_…)' })
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
