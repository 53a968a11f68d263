import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { IfPresent, type Role, ROLES } from '../../common/index';
import { OptionalEmailField } from './fields';

const DEFAULT_HOURS = 168;
const MAX_HOURS = 2160;

export class CreateInviteRequestDto {
  @OptionalEmailField('Left out: the invite works for any address.')
  email?: string;

  @ApiPropertyOptional({ enum: ROLES, example: 'operator', description: 'Left out: AUTH_DEFAULT_ROLE.' })
  @IfPresent()
  @IsIn(ROLES)
  role?: Role;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_HOURS, default: DEFAULT_HOURS })
  @IfPresent()
  @IsInt()
  @Min(1)
  @Max(MAX_HOURS)
  expiresInHours: number = DEFAULT_HOURS;
}
