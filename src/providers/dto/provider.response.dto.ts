import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PROVIDER_IDS, type ProviderId } from '../../common/index';
import { type ProviderAvailability, UNAVAILABLE_REASONS, type UnavailableReason } from '../availability';

export class ProviderResponseDto implements ProviderAvailability {
  @ApiProperty({ enum: PROVIDER_IDS, example: 'openai' })
  provider: ProviderId;

  @ApiProperty({ enum: ['available', 'unavailable'], example: 'unavailable' })
  state: 'available' | 'unavailable';

  @ApiPropertyOptional({ enum: UNAVAILABLE_REASONS, example: 'key_missing' })
  reason?: UnavailableReason;

  @ApiProperty({
    type: [String],
    example: ['OPENAI_API_KEY'],
    description: 'The environment variables that enable it.',
  })
  variables: readonly string[];

  @ApiProperty({ example: 'Set OPENAI_API_KEY' })
  detail: string;
}

export class ProviderListDto {
  @ApiProperty({ type: [ProviderResponseDto] })
  data: readonly ProviderResponseDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'Always null: the list is complete.',
  })
  nextCursor: string | null;
}
