import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IncludeQueryDto } from './include.query.dto';

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

export class ListInputItemsQueryDto extends IncludeQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE)
  limit: number = DEFAULT_PAGE;

  @ApiPropertyOptional({ enum: ['asc', 'desc'], default: 'desc' })
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order: 'asc' | 'desc' = 'desc';

  @ApiPropertyOptional({
    type: String,
    maxLength: 200,
    description: 'The id of the last item of the page before',
  })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  after?: string;
}
