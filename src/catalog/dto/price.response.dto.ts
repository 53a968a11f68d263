import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { PriceVersion } from '../price';
import { toUsd } from '../price-conversion';
import { SetPriceRequestDto } from './set-price.request.dto';

/** One version of a model's price, in US dollars per million tokens. */
export class PriceResponseDto extends SetPriceRequestDto {
  @ApiProperty({ example: 17, description: 'Every usage line names the version it was rated with.' })
  version: number;

  @ApiProperty({ example: 'openai/gpt-6-luna' })
  model: string;

  @ApiProperty({
    example: 'genai-prices@0.1.8',
    description: 'Who says so: the list, `catalog`, `operator` or `local`.',
  })
  source: string;

  @ApiProperty({ format: 'date-time' })
  validFrom: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Absent while the price is in force.' })
  validTo?: string;

  static of(price: PriceVersion): PriceResponseDto {
    return Object.assign(new PriceResponseDto(), toUsd(price), {
      version: price.version,
      model: price.model,
      source: price.source,
      validFrom: price.validFrom.toISOString(),
      validTo: price.validTo?.toISOString(),
    });
  }
}

export class PricePageDto {
  @ApiProperty({ type: [PriceResponseDto] })
  data: PriceResponseDto[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor: string | null;
}
