/**
 * Means, rates and their differences with 95 % intervals. A sample may be clustered: its observations come in units
 * (callers) that are drawn and assigned as a whole, so that only units are independent. Without clusters every
 * observation is its own unit, and the formulas become the usual ones.
 */

/** Both ends belong to it. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Sample {
  /** Observations. */
  readonly count: number;
  readonly mean: number;
  /** Independent units; `count` without clusters. */
  readonly units: number;
  /** Sum over the units of (sum of the unit's values - mean × number of its values)². */
  readonly residualSquares: number;
}

export interface Difference extends Interval {
  readonly difference: number;
}

/** The 97.5 % point of the normal distribution. */
const Z = 1.959963984540054;
/** Of 0, 1 and 2 degrees of freedom: too far from the normal distribution to be reached by the series. */
const T_OF_FEW = [Number.POSITIVE_INFINITY, 12.706204736, 4.30265273];

/**
 * The 97.5 % point of Student's distribution: Abramowitz and Stegun 26.7.5, within 0.2 %. Fewer than 3 degrees of freedom
 * are rounded down, which widens.
 */
export function studentT(degrees: number): number {
  const few = T_OF_FEW[Math.floor(degrees)];
  if (few !== undefined) return few;
  const terms = [
    (Z ** 3 + Z) / 4,
    (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96,
    (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384,
    (79 * Z ** 9 + 776 * Z ** 7 + 1482 * Z ** 5 - 1920 * Z ** 3 - 945 * Z) / 92_160,
  ];
  return terms.reduce((sum, term, index) => sum + term / degrees ** (index + 1), Z);
}

/** The variance of a sample's mean; undefined of fewer than two units. */
function varianceOfMean({ count, units, residualSquares }: Sample): number | undefined {
  if (units < 2) return undefined;
  return (units / (units - 1)) * (residualSquares / count ** 2);
}

/** Of a mean; undefined of fewer than two units. */
export function meanInterval(sample: Sample): Interval | undefined {
  const variance = varianceOfMean(sample);
  if (variance === undefined) return undefined;
  return around(sample.mean, studentT(sample.units - 1) * Math.sqrt(variance));
}

/** Welch's interval of `sample - base`; undefined where either has fewer than two units. */
export function meanDifference(sample: Sample, base: Sample): Difference | undefined {
  const [left, right] = [varianceOfMean(sample), varianceOfMean(base)];
  if (left === undefined || right === undefined) return undefined;
  const difference = sample.mean - base.mean;
  const variance = left + right;
  if (variance === 0) return { difference, low: difference, high: difference };
  const degrees = variance ** 2 / (left ** 2 / (sample.units - 1) + right ** 2 / (base.units - 1));
  return { difference, ...around(difference, studentT(degrees) * Math.sqrt(variance)) };
}

/**
 * Wilson's interval of a rate. Clusters count as fewer observations: as many as would be as uncertain were they
 * independent.
 */
export function rateInterval(sample: Sample): Interval | undefined {
  const { mean: rate } = sample;
  const count = effectiveCount(sample);
  if (count === 0) return undefined;
  const denominator = 1 + Z ** 2 / count;
  const center = (rate + Z ** 2 / (2 * count)) / denominator;
  const spread = (Z / denominator) * Math.sqrt((rate * (1 - rate)) / count + Z ** 2 / (4 * count ** 2));
  // At the ends rounding would leave a trace beyond them.
  return {
    low: rate === 0 ? 0 : Math.max(0, center - spread),
    high: rate === 1 ? 1 : Math.min(1, center + spread),
  };
}

/** Newcombe's interval (his method 10) of `sample - base`. */
export function rateDifference(sample: Sample, base: Sample): Difference | undefined {
  const [left, right] = [rateInterval(sample), rateInterval(base)];
  if (!left || !right) return undefined;
  const difference = sample.mean - base.mean;
  return {
    difference,
    low: difference - Math.hypot(sample.mean - left.low, right.high - base.mean),
    high: difference + Math.hypot(left.high - sample.mean, base.mean - right.low),
  };
}

/** Is it certain enough that there is a difference, and in which direction? */
export function excludesZero({ low, high }: Interval): boolean {
  return low > 0 || high < 0;
}

/** Never more than there are. Where all are alike, nothing is known of how units differ, and all count. */
function effectiveCount(sample: Sample): number {
  const { count, mean: rate, units } = sample;
  const variance = units < count ? varianceOfMean(sample) : undefined;
  if (variance === undefined || variance === 0 || rate === 0 || rate === 1) return count;
  return Math.min(count, (rate * (1 - rate)) / variance);
}

function around(center: number, spread: number): Interval {
  return { low: center - spread, high: center + spread };
}
