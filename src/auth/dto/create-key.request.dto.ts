import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsRFC3339, MaxLength } from 'class-validator';
import { NameField } from './fields';

export class CreateKeyRequestDto {
  @NameField('my laptop')
  name: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    example: '2099-12-31T23:59:59Z',
    description: 'RFC 3339, in the future. Left out: the key does not expire.',
  })
  @IsOptional()
  @MaxLength(64)
  @IsRFC3339()
  expiresAt?: string;
}
