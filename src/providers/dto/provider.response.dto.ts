import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PROVIDER_IDS, type ProviderId } from '../../common/index';
import {
  HEALTH_REASONS,
  type HealthReason,
  PROVIDER_STATES,
  type ProviderState,
} from '../health/provider-state';
import { EXECUTION_MODES, type ExecutionMode } from '../open-provider';

export class ProviderResponseDto {
  @ApiProperty({ enum: PROVIDER_IDS, example: 'openai' })
  provider: ProviderId;

  @ApiProperty({
    enum: PROVIDER_STATES,
    example: 'unavailable',
    description:
      'available: it can be called. unavailable: something is missing here, see `variables`. error: it is set up, but refuses or fails. unknown: it is set up and not checked yet, or cannot be checked for free.',
  })
  state: ProviderState;

  @ApiPropertyOptional({ enum: HEALTH_REASONS, example: 'key_missing' })
  reason?: HealthReason;

  @ApiProperty({
    type: [String],
    example: ['OPENAI_API_KEY'],
    description: 'The environment variables that enable it.',
  })
  variables: readonly string[];

  @ApiProperty({ example: 'Set OPENAI_API_KEY' })
  detail: string;

  @ApiProperty({
    enum: EXECUTION_MODES,
    nullable: true,
    example: null,
    description:
      'How it is called: by Lattice itself or by the command of scripts.yaml; null when it cannot be.',
  })
  executionMode: ExecutionMode | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    example: null,
    description:
      'When its models were listed the last time, which costs nothing; at most a minute old when asked.',
  })
  checkedAt: string | null;
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
