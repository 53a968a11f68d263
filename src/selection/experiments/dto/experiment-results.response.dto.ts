import { ApiProperty } from '@nestjs/swagger';
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment';

const LOW = {
  type: Number,
  nullable: true,
  description: 'Lower end of the interval; null: too little is known.',
};
const HIGH = { type: Number, nullable: true, description: 'Its upper end.' };
const INDEPENDENT = ['callers', 'requests'] as const;

export class CostDto {
  @ApiProperty({ example: 412, description: 'Requests whose cost is known, failed ones among them.' })
  count: number;

  @ApiProperty({
    example: 0,
    description: 'Requests of models without a price; only `totalUsd` holds what is known of them.',
  })
  unpriced: number;

  @ApiProperty({ type: String, example: '0.1731', description: 'Exact sum of the books.' })
  totalUsd: string;

  @ApiProperty({ type: String, nullable: true, example: '0.00042', description: 'Per request.' })
  meanUsd: string | null;

  @ApiProperty({ ...LOW, type: String, example: '0.00039' })
  low: string | null;

  @ApiProperty({ ...HIGH, type: String, example: '0.00045' })
  high: string | null;
}

export class MeanDto {
  @ApiProperty({ example: 57 })
  count: number;

  @ApiProperty({ type: Number, nullable: true, example: 0.82 })
  mean: number | null;

  @ApiProperty({ ...LOW, example: 0.74 })
  low: number | null;

  @ApiProperty({ ...HIGH, example: 0.9 })
  high: number | null;
}

/** From the first attempt to the end of the last one, retries, fallbacks and tool rounds included; of successes only. */
export class TimeDto {
  @ApiProperty({ example: 405 })
  count: number;

  @ApiProperty({ type: Number, nullable: true, example: 1830 })
  mean: number | null;

  @ApiProperty({ ...LOW, example: 1710 })
  low: number | null;

  @ApiProperty({ ...HIGH, example: 1950 })
  high: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 1490 })
  p50: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 4020 })
  p95: number | null;
}

export class RateDto {
  @ApiProperty({
    example: 7,
    description: 'Requests whose last attempt failed, or that nobody could be asked for.',
  })
  count: number;

  @ApiProperty({ example: 412, description: 'All but the open, reused and cancelled ones.' })
  of: number;

  @ApiProperty({ type: Number, nullable: true, example: 0.017 })
  rate: number | null;

  @ApiProperty({ ...LOW, example: 0.00825 })
  low: number | null;

  @ApiProperty({ ...HIGH, example: 0.0347 })
  high: number | null;
}

export class ArmResultsDto {
  @ApiProperty({ type: String, example: 'cheap' })
  name: string;

  @ApiProperty({ example: 430, description: 'That were given this arm.' })
  requests: number;

  @ApiProperty({ example: 38, description: 'Keys, or users, by what is sticky.' })
  callers: number;

  @ApiProperty({ example: 2, description: 'Not ended yet; in no figure below.' })
  open: number;

  @ApiProperty({ example: 14, description: 'Answered from the response cache; in no figure below.' })
  reused: number;

  @ApiProperty({ example: 2, description: 'Given up by their callers; neither a success nor an error.' })
  cancelled: number;

  @ApiProperty({ type: CostDto })
  cost: CostDto;

  @ApiProperty({ type: TimeDto })
  latencyMs: TimeDto;

  @ApiProperty({ type: TimeDto, description: 'Of streams.' })
  firstTokenMs: TimeDto;

  @ApiProperty({ type: RateDto })
  errors: RateDto;

  @ApiProperty({ type: MeanDto, description: 'From 0 to 1, as callers gave it.' })
  feedback: MeanDto;

  @ApiProperty({ type: 'integer', example: 98_500 })
  promptTokens: number;

  @ApiProperty({ type: 'integer', example: 41_200 })
  completionTokens: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 0.012,
    description: 'The part of the successes that another model than the chosen one answered.',
  })
  fallbackShare: number | null;
}

export class DifferenceDto {
  @ApiProperty({ type: Number, example: -0.01 })
  difference: number;

  @ApiProperty({ type: Number, example: -0.03 })
  low: number;

  @ApiProperty({ type: Number, example: 0.01 })
  high: number;

  @ApiProperty({
    type: Boolean,
    example: false,
    description: 'True: chance alone hardly explains the difference.',
  })
  excludesZero: boolean;
}

export class CostDifferenceDto {
  @ApiProperty({ type: String, example: '-0.00018', description: 'Per request.' })
  difference: string;

  @ApiProperty({ type: String, example: '-0.00023' })
  low: string;

  @ApiProperty({ type: String, example: '-0.00013' })
  high: string;

  @ApiProperty({ type: Boolean, example: true })
  excludesZero: boolean;
}

export class ComparisonDto {
  @ApiProperty({ type: String, example: 'cheap' })
  arm: string;

  @ApiProperty({
    type: String,
    example: 'as it is',
    description: 'The first arm; differences are `arm` minus it.',
  })
  to: string;

  @ApiProperty({ type: CostDifferenceDto, nullable: true })
  costUsd: CostDifferenceDto | null;

  @ApiProperty({ type: DifferenceDto, nullable: true })
  latencyMs: DifferenceDto | null;

  @ApiProperty({ type: DifferenceDto, nullable: true })
  errorRate: DifferenceDto | null;

  @ApiProperty({ type: DifferenceDto, nullable: true })
  feedback: DifferenceDto | null;
}

export class ExperimentResultsDto {
  @ApiProperty({ type: String, example: 'exp_0192f0c1a2b37c4d8e5f60718293a4b5' })
  experimentId: string;

  @ApiProperty({ enum: EXPERIMENT_STATUSES, example: 'running' })
  status: ExperimentStatus;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  startedAt: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  stoppedAt: string | null;

  @ApiProperty({ type: Number, example: 0.95, description: 'Of every interval.' })
  confidence: number;

  @ApiProperty({
    enum: INDEPENDENT,
    example: 'callers',
    description:
      'What the intervals take as independent. `requests`, although callers keep their arm, where an arm has fewer than ' +
      '5 callers: they are too narrow then to say anything of other callers.',
  })
  independent: (typeof INDEPENDENT)[number];

  @ApiProperty({ type: [ArmResultsDto] })
  arms: ArmResultsDto[];

  @ApiProperty({ type: [ComparisonDto] })
  comparisons: ComparisonDto[];
}
