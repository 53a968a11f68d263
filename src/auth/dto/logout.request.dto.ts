import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Length } from 'class-validator';

export class LogoutRequestDto {
  @ApiPropertyOptional({
    type: String,
    minLength: 1,
    maxLength: 200,
    description: 'Its session ends too, when it is another one of yours.',
  })
  @IsOptional()
  @IsString()
  @Length(1, 200)
  refreshToken?: string;
}
