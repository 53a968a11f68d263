/** Turns what was measured into a table that changes seldom: figures move in steps, and not to and fro. */
import { type ModelPerformance, PerformanceTable } from './performance-table';

/** One model's recent attempts. */
export interface MeasuredModel {
  readonly model: string;
  /** Those that say something of the provider. */
  readonly attempts: number;
  readonly failureShare: number;
  /** Streamed answers that were long enough to be timed; with them the median of what they show. */
  readonly streams: number;
  readonly firstTokenMs: number | null;
  readonly streamTokensPerSecond: number | null;
  /** The same of answers that came in one piece. */
  readonly answers: number;
  readonly answerTokensPerSecond: number | null;
}

/** Fewer say nothing. */
const ENOUGH = 10;
/** Speeds move in steps of 10 %. */
const SPEED_STEP = Math.log(1.1);
const SHARE_STEP = 0.02;
/** Of a step: further away than a rounded figure ever is, so that nothing swings between two. */
const STAYS_WITHIN = 0.75;

/** @param before the table in force: its figures stay as long as what was measured lies near them. */
export function roundedPerformance(
  before: PerformanceTable,
  measured: readonly MeasuredModel[],
): PerformanceTable {
  const models = measured
    .filter(({ attempts }) => attempts >= ENOUGH)
    .map((of) => [of.model, rounded(of, before.of(of.model))] as const)
    .filter(([, { tokensPerSecond, failureShare }]) => tokensPerSecond !== undefined || failureShare > 0);
  return PerformanceTable.of(Object.fromEntries(models));
}

function rounded(measured: MeasuredModel, before: ModelPerformance | undefined): ModelPerformance {
  const failureShare = steppedShare(measured.failureShare, before?.failureShare);
  const { streams, firstTokenMs, streamTokensPerSecond, answers, answerTokensPerSecond } = measured;
  const isSameKind = (before?.firstTokenMs !== undefined) === streams >= ENOUGH;
  const rateBefore = isSameKind ? before?.tokensPerSecond : undefined;
  if (streams >= ENOUGH) {
    return {
      firstTokenMs: steppedSpeed(firstTokenMs, before?.firstTokenMs),
      tokensPerSecond: steppedSpeed(streamTokensPerSecond, rateBefore),
      failureShare,
    };
  }
  const rate = answers >= ENOUGH ? steppedSpeed(answerTokensPerSecond, rateBefore) : undefined;
  return { tokensPerSecond: rate, failureShare };
}

/** At least 1: no pace is infinite or none. */
function steppedSpeed(measured: number | null, before: number | undefined): number | undefined {
  if (measured === null) return undefined;
  const value = Math.max(1, measured);
  if (before !== undefined && Math.abs(Math.log(value / before)) < SPEED_STEP * STAYS_WITHIN) return before;
  return Number(Math.exp(Math.round(Math.log(value) / SPEED_STEP) * SPEED_STEP).toPrecision(3));
}

function steppedShare(measured: number, before: number | undefined): number {
  if (before !== undefined && Math.abs(measured - before) < SHARE_STEP * STAYS_WITHIN) return before;
  return Number((Math.round(measured / SHARE_STEP) * SHARE_STEP).toFixed(2));
}
