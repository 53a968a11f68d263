import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn } from 'class-validator';
import { IfPresent, type Role, ROLES } from '../../common/index';
import { OptionalNameField } from './fields';

export class UpdateUserRequestDto {
  @OptionalNameField('Ada King')
  name?: string;

  @ApiPropertyOptional({ enum: ROLES, example: 'operator', description: 'Nobody can change their own.' })
  @IfPresent()
  @IsIn(ROLES)
  role?: Role;

  @ApiPropertyOptional({
    type: Boolean,
    example: false,
    description: 'True ends every session and API key of the user for good.',
  })
  @IfPresent()
  @IsBoolean()
  isDisabled?: boolean;
}
