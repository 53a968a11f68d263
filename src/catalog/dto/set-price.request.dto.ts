import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

const DECIMAL = /^\d{1,6}(\.\d{1,6})?$/;
const MESSAGE = {
  message: '$property must be a decimal string of US dollars per million tokens, such as "0.15"',
};

/** US dollars per million tokens, as decimal strings. */
export class RatesDto {
  @ApiProperty({ example: '2' })
  @IsString()
  @Matches(DECIMAL, MESSAGE)
  input: string;

  @ApiProperty({ example: '10' })
  @IsString()
  @Matches(DECIMAL, MESSAGE)
  output: string;

  @ApiPropertyOptional({
    example: '0.2',
    description: 'Prompt tokens read from the cache; the input price when absent.',
  })
  @IsOptional()
  @IsString()
  @Matches(DECIMAL, MESSAGE)
  cachedRead?: string;

  @ApiPropertyOptional({
    example: '2.5',
    description: 'Prompt tokens written to the cache; the input price when absent.',
  })
  @IsOptional()
  @IsString()
  @Matches(DECIMAL, MESSAGE)
  cacheWrite?: string;

  @ApiPropertyOptional({
    example: '4',
    description: 'Written for one hour; the cache write price when absent.',
  })
  @IsOptional()
  @IsString()
  @Matches(DECIMAL, MESSAGE)
  cacheWriteOneHour?: string;
}

export class TierRatesDto extends RatesDto {
  @ApiProperty({
    example: 272001,
    description: 'From this many prompt tokens on, these prices hold for the whole request.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000_000)
  fromPromptTokens: number;
}

export class SetPriceRequestDto extends RatesDto {
  @ApiPropertyOptional({ type: [TierRatesDto], description: 'Ascending by fromPromptTokens.' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(10)
  @ValidateNested({ each: true })
  @Type(() => TierRatesDto)
  tiers?: TierRatesDto[];
}
