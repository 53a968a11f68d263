import { ApiPropertyOptional } from '@nestjs/swagger';
import { Equals, IsOptional } from 'class-validator';
import { IncludeQueryDto } from './include.query.dto';

export class GetResponseQueryDto extends IncludeQueryDto {
  @ApiPropertyOptional({ enum: ['false'], description: 'A response is given whole; its events are not kept' })
  @IsOptional()
  @Equals('false', { message: 'stream must be false: the events of a response are not kept' })
  stream?: string;
}
