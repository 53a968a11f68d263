import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator';

export const POSITION = /^\d{1,18}$/;

export class StreamQueryDto {
  @ApiPropertyOptional({
    type: String,
    pattern: POSITION.source,
    example: '0',
    description:
      'The `id:` of the last event that you have; the header Last-Event-ID wins. Left out: from now on.',
  })
  @IsOptional()
  @Matches(POSITION, { message: 'after must be the id of an event of a stream, a decimal number' })
  after?: string;

  @ApiPropertyOptional({
    type: String,
    maxLength: 2048,
    description: 'A token of `POST /api/v1/events/{resource}/token`, where no header can be sent.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  token?: string;
}
