import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import { IfPresent } from '../../common/index';

export class LogoutRequestDto {
  @ApiPropertyOptional({
    type: String,
    minLength: 1,
    maxLength: 200,
    description: 'Its session ends too, when it is another one of yours.',
  })
  @IfPresent()
  @IsString()
  @Length(1, 200)
  refreshToken?: string;
}
