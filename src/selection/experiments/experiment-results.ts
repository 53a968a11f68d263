/** What an experiment has shown, from what was counted in PostgreSQL. */
import { formatUsd, toApiId } from '../../common/index';
import type {
  ArmResultsDto,
  ComparisonDto,
  DifferenceDto,
  ExperimentResultsDto,
  RateDto,
  TimeDto,
} from './dto/experiment-results.response.dto';
import type { Experiment } from './experiment';
import type { ArmRow, MeasureName, MeasureRow } from './experiment-results.repository';
import {
  type Difference,
  excludesZero,
  type Interval,
  meanDifference,
  meanInterval,
  rateDifference,
  rateInterval,
  type Sample,
} from './statistics';

/** With fewer in an arm, how callers differ cannot be told from how requests do. */
export const MIN_CALLERS = 5;

type Samples = Readonly<Partial<Record<MeasureName, Sample>>>;

interface CountedArm {
  readonly name: string;
  /** Undefined: it was given to nobody. */
  readonly row?: ArmRow;
  readonly samples: Samples;
}

export function resultsOf(experiment: Experiment, rows: readonly ArmRow[]): ExperimentResultsDto {
  const independent = independentIn(experiment, rows);
  const arms = experiment.arms.map(({ name }): CountedArm => {
    const row = rows.find(({ arm }) => arm === name);
    return { name, row, samples: samplesOf(row, independent) };
  });
  const [base, ...others] = arms;
  return {
    experimentId: toApiId('exp', experiment.id),
    status: experiment.status,
    startedAt: experiment.startedAt?.toISOString() ?? null,
    stoppedAt: experiment.stoppedAt?.toISOString() ?? null,
    confidence: 0.95,
    independent,
    arms: arms.map(armResults),
    comparisons: base ? others.map((arm) => comparison(arm, base)) : [],
  };
}

/** Callers keep their arm, so their requests are alike: where there are enough callers, each counts as one. */
function independentIn({ stickyBy }: Experiment, rows: readonly ArmRow[]): 'callers' | 'requests' {
  const hasEnough = rows.length > 0 && rows.every(({ callers }) => callers >= MIN_CALLERS);
  return stickyBy !== 'request' && hasEnough ? 'callers' : 'requests';
}

function samplesOf(row: ArmRow | undefined, independent: 'callers' | 'requests'): Samples {
  const measures = Object.entries(row?.measures ?? {}) as [MeasureName, MeasureRow][];
  const samples = measures.flatMap(([name, measure]) => {
    const { count, mean, callers, residualSquares, callerResidualSquares } = measure;
    if (mean === null) return [];
    const sample: Sample =
      independent === 'callers'
        ? { count, mean, units: callers, residualSquares: callerResidualSquares ?? 0 }
        : { count, mean, units: count, residualSquares: residualSquares ?? 0 };
    return [[name, sample] as const];
  });
  return Object.fromEntries(samples) as Samples;
}

function armResults({ name, row, samples }: CountedArm): ArmResultsDto {
  const { cost, feedback } = samples;
  const costInterval = cost && meanInterval(cost);
  return {
    name,
    requests: row?.requests ?? 0,
    callers: row?.callers ?? 0,
    open: row?.open ?? 0,
    reused: row?.reused ?? 0,
    cancelled: row?.cancelled ?? 0,
    cost: {
      count: cost?.count ?? 0,
      unpriced: row?.unpriced ?? 0,
      totalUsd: formatUsd(BigInt(row?.costPicoUsd ?? 0)),
      meanUsd: cost ? usd(cost.mean) : null,
      low: costInterval ? usd(Math.max(0, costInterval.low)) : null,
      high: costInterval ? usd(costInterval.high) : null,
    },
    latencyMs: time(samples.latency, row?.latencyPercentiles),
    firstTokenMs: time(samples.firstToken, row?.firstTokenPercentiles),
    errors: rate(samples.error),
    feedback: {
      count: feedback?.count ?? 0,
      mean: feedback ? digits(feedback.mean) : null,
      ...ends(feedback && meanInterval(feedback), { least: 0, most: 1 }),
    },
    promptTokens: Number(row?.promptTokens ?? 0),
    completionTokens: Number(row?.completionTokens ?? 0),
    fallbackShare: row && row.succeeded > 0 ? digits(row.fellBack / row.succeeded) : null,
  };
}

function time(sample: Sample | undefined, percentiles: ArmRow['latencyPercentiles'] = null): TimeDto {
  return {
    count: sample?.count ?? 0,
    mean: sample ? digits(sample.mean) : null,
    ...ends(sample && meanInterval(sample), { least: 0 }),
    p50: percentiles ? digits(percentiles[0]) : null,
    p95: percentiles ? digits(percentiles[1]) : null,
  };
}

function rate(sample: Sample | undefined): RateDto {
  return {
    count: sample ? Math.round(sample.mean * sample.count) : 0,
    of: sample?.count ?? 0,
    rate: sample ? digits(sample.mean) : null,
    ...ends(sample && rateInterval(sample)),
  };
}

function comparison({ name, samples }: CountedArm, base: CountedArm): ComparisonDto {
  const between = (
    measure: MeasureName,
    difference: (sample: Sample, base: Sample) => Difference | undefined,
  ): Difference | undefined => {
    const [left, right] = [samples[measure], base.samples[measure]];
    return left && right && difference(left, right);
  };
  const cost = between('cost', meanDifference);
  return {
    arm: name,
    to: base.name,
    costUsd: cost
      ? {
          difference: usd(cost.difference),
          low: usd(cost.low),
          high: usd(cost.high),
          excludesZero: excludesZero(cost),
        }
      : null,
    latencyMs: compared(between('latency', meanDifference)),
    errorRate: compared(between('error', rateDifference)),
    feedback: compared(between('feedback', meanDifference)),
  };
}

function compared(found: Difference | undefined): DifferenceDto | null {
  if (!found) return null;
  const { difference, low, high } = found;
  return {
    difference: digits(difference),
    low: digits(low),
    high: digits(high),
    excludesZero: excludesZero(found),
  };
}

/** Cut off where no value can be. */
function ends(
  interval: Interval | undefined,
  { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = {},
): { low: number | null; high: number | null } {
  if (!interval) return { low: null, high: null };
  return { low: digits(Math.max(least, interval.low)), high: digits(Math.min(most, interval.high)) };
}

/** Six significant digits are more than any measurement has. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}

function usd(picoUsd: number): string {
  return formatUsd(BigInt(Math.round(picoUsd)));
}
