import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';

export class RefreshRequestDto {
  @ApiProperty({ type: String, example: 'llr_…', minLength: 1, maxLength: 200 })
  @IsString()
  @Length(1, 200)
  refreshToken: string;
}
