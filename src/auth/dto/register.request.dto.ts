import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { IfPresent } from '../../common/index';
import { EmailField, NameField, NewPasswordField } from './fields';

export class RegisterRequestDto {
  @EmailField()
  email: string;

  @NewPasswordField()
  password: string;

  @NameField('Ada Lovelace')
  name: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description: 'Needed for the first account of a production installation; the first start prints it.',
  })
  @IfPresent()
  @IsString()
  @MaxLength(200)
  setupToken?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description: 'From an administrator. Needed when registration is by invite; it may also bring a role.',
  })
  @IfPresent()
  @IsString()
  @MaxLength(200)
  inviteToken?: string;
}
