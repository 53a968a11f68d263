import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength, ValidateIf } from 'class-validator';
import { PageQueryDto, TASK_TYPES, type TaskType } from '../../../common/index';
import { MAX_NAME_CHARS } from '../outcome-csv';

export class ListCapabilitiesQueryDto extends PageQueryDto {
  @ApiPropertyOptional({ type: String, maxLength: MAX_NAME_CHARS, description: 'Any name of one model' })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_NAME_CHARS)
  model?: string;

  @ApiPropertyOptional({ enum: TASK_TYPES, enumName: 'TaskType' })
  @IsOptional()
  @IsIn(TASK_TYPES)
  taskType?: TaskType;
}

const VERSION = /^(prior|[1-9]\d{0,17})$/;

export class PinCapabilitiesRequestDto {
  @ApiProperty({
    type: String,
    nullable: true,
    pattern: VERSION.source,
    example: null,
    description: 'A version, `prior` for the catalog’s estimates alone, or null: always the newest',
  })
  @ValidateIf((_body: unknown, value: unknown) => value !== null)
  @Matches(VERSION, { message: '$property must be the number of a version as text, "prior" or null' })
  version: string | null;
}

export const PIN_EXAMPLES = {
  newest: { summary: 'Always the newest', value: { version: null } },
  prior: { summary: 'Nothing that was learned', value: { version: 'prior' } },
  one: { summary: 'One version', value: { version: '1' } },
};
