import { ApiProperty } from '@nestjs/swagger';
import { CIRCUIT_STATES, type CircuitState } from '../health/breaker';
import { CIRCUIT_REASONS, type CircuitReason } from '../health/failure-verdict';
import { ProviderResponseDto } from './provider.response.dto';

const FAILURES = {
  type: 'object',
  additionalProperties: { type: 'integer' },
  example: { overloaded: 2 },
  description: 'Failed attempts by kind.',
} as const;

export class PercentilesDto {
  @ApiProperty({ type: Number, nullable: true, example: 840 })
  p50: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 2150 })
  p95: number | null;
}

export class LastErrorDto {
  @ApiProperty({ example: 'overloaded' })
  kind: string;

  @ApiProperty({ format: 'date-time' })
  at: string;
}

export class TrafficDto {
  @ApiProperty({ example: 5, description: 'How far back the figures go.' })
  windowMinutes: number;

  @ApiProperty({ example: 120, description: 'Attempts that ended.' })
  requests: number;

  @ApiProperty({ example: 1, description: 'Attempts that the client or a deadline ended; no failures.' })
  cancelled: number;

  @ApiProperty(FAILURES)
  failures: Readonly<Record<string, number>>;

  @ApiProperty({ type: PercentilesDto, description: 'Duration of the latest answers, up to 256 per model.' })
  latencyMs: PercentilesDto;

  @ApiProperty({ type: PercentilesDto, description: 'Time to the first token of the latest streams.' })
  firstTokenMs: PercentilesDto;

  @ApiProperty({ type: LastErrorDto, nullable: true, description: 'Since the start or the last reset.' })
  lastError: LastErrorDto | null;
}

export class ModelHealthDto {
  @ApiProperty({ example: 'openai/gpt-6-luna' })
  model: string;

  @ApiProperty({
    enum: CIRCUIT_STATES,
    example: 'closed',
    description:
      'closed: it is called. open: it failed lately and is left alone until `retryAt`. half_open: the next request tries it, or one is trying it now.',
  })
  circuit: CircuitState;

  @ApiProperty({
    enum: CIRCUIT_REASONS,
    nullable: true,
    example: null,
    description: 'Of the latest failure.',
  })
  reason: CircuitReason | null;

  @ApiProperty({ example: 0 })
  failuresInARow: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  retryAt: string | null;

  @ApiProperty({ example: 120 })
  requests: number;

  @ApiProperty(FAILURES)
  failures: Readonly<Record<string, number>>;
}

export class CapacityUseDto {
  @ApiProperty({ example: 500 })
  limit: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 12,
    description: 'Over all processes; null while the database is away.',
  })
  used: number | null;
}

export class CapacityDto {
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'openai/gpt-6-luna',
    description: 'Null: all models of the provider together.',
  })
  model: string | null;

  @ApiProperty({ type: CapacityUseDto, nullable: true, description: 'In a minute that slides.' })
  requestsPerMinute: CapacityUseDto | null;

  @ApiProperty({ type: CapacityUseDto, nullable: true, description: 'In a minute that slides.' })
  tokensPerMinute: CapacityUseDto | null;

  @ApiProperty({ type: CapacityUseDto, nullable: true, description: 'Under way now.' })
  concurrency: CapacityUseDto | null;

  @ApiProperty({ example: 0, description: 'Calls of the answering process that wait for room.' })
  waiting: number;
}

export class ProviderHealthDto extends ProviderResponseDto {
  @ApiProperty({
    type: Number,
    nullable: true,
    example: 180,
    description: 'How long the last list call took.',
  })
  latencyMs: number | null;

  @ApiProperty({
    type: [ModelHealthDto],
    description: 'Models that were called or failed lately; all others are closed.',
  })
  models: readonly ModelHealthDto[];

  @ApiProperty({
    type: [CapacityDto],
    description:
      'Configured capacities of the installation; calls with a credential of your own do not count.',
  })
  capacities: readonly CapacityDto[];

  @ApiProperty({ type: TrafficDto, description: 'Real traffic with the installation’s credential.' })
  traffic: TrafficDto;
}
