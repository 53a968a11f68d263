import {
  excludesZero,
  meanDifference,
  meanInterval,
  rateDifference,
  rateInterval,
  type Sample,
  studentT,
} from '../../../src/selection/experiments/statistics';

/** Observations that are all independent. */
function sampleOf(values: readonly number[]): Sample {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const residualSquares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count: values.length, mean, units: values.length, residualSquares };
}

/** Observations of callers, each of whom counts as one. */
function clustersOf(callers: readonly (readonly number[])[]): Sample {
  const values = callers.flat();
  const { count, mean } = sampleOf(values);
  const residuals = callers.map((own) => own.reduce((sum, value) => sum + value - mean, 0));
  return {
    count,
    mean,
    units: callers.length,
    residualSquares: residuals.reduce((sum, residual) => sum + residual ** 2, 0),
  };
}

function rateOf(successes: number, count: number): Sample {
  const mean = successes / count;
  return { count, mean, units: count, residualSquares: count * mean * (1 - mean) };
}

describe(studentT.name, () => {
  it.each([
    [0, Number.POSITIVE_INFINITY],
    [1, 12.7062],
    [2, 4.30265],
    [3, 3.18245],
    [4, 2.77645],
    [5, 2.57058],
    [10, 2.22814],
    [30, 2.04227],
    [120, 1.97993],
    [1_000_000, 1.95997],
  ])('is as the tables have it with %d degrees of freedom', (degrees, expected) => {
    if (Number.isFinite(expected)) expect(studentT(degrees) / expected).toBeCloseTo(1, 2);
    else expect(studentT(degrees)).toBe(expected);
    if (degrees >= 5) expect(studentT(degrees)).toBeCloseTo(expected, 3);
  });

  it('widens with fewer, between whole degrees too', () => {
    const points = [1, 1.5, 2, 2.9, 3, 3.5, 4, 9.7, 50].map(studentT);
    expect(points).toEqual(points.toSorted((left, right) => right - left));
  });
});

describe(meanInterval.name, () => {
  it('is Student’s interval', () => {
    // mean 6, standard deviation √10, 5 values: 6 ± 2.77645 × √2
    const interval = meanInterval(sampleOf([2, 4, 6, 8, 10]));
    expect(interval?.low).toBeCloseTo(6 - 2.77645 * Math.SQRT2, 2);
    expect(interval?.high).toBeCloseTo(6 + 2.77645 * Math.SQRT2, 2);
  });

  it('is unknown of one value, and a point of equal ones', () => {
    expect(meanInterval(sampleOf([3]))).toBeUndefined();
    expect(meanInterval(sampleOf([3, 3, 3]))).toEqual({ low: 3, high: 3 });
  });

  it('is as wide as the callers differ, however often each of them came', () => {
    const once = [[1], [2], [3], [4], [5], [6]];
    const often = once.map(([value = 0]) => Array.from({ length: 100 }, () => value));
    expect(meanInterval(clustersOf(often))).toEqual(meanInterval(clustersOf(once)));
    expect(meanInterval(clustersOf(once))).toEqual(meanInterval(sampleOf(once.flat())));
    const width = ({ low, high } = { low: 0, high: 0 }) => high - low;
    expect(width(meanInterval(sampleOf(often.flat())))).toBeLessThan(width(meanInterval(clustersOf(often))));
  });
});

describe(meanDifference.name, () => {
  // t = -2.1568 with 27.672 degrees of freedom, whose 97.5 % point was found by integrating the density.
  const left = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
  const right = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 17.0];

  it('is Welch’s interval', () => {
    const found = meanDifference(sampleOf(left), sampleOf(right));
    expect(found?.difference).toBeCloseTo(-2.34, 10);
    expect(found?.low).toBeCloseTo(-4.56354, 4);
    expect(found?.high).toBeCloseTo(-0.11646, 4);
    expect(found && excludesZero(found)).toBe(true);
  });

  it('turns its sign with the arms', () => {
    const [one, other] = [sampleOf(left), sampleOf(right)];
    const [there, back] = [meanDifference(one, other), meanDifference(other, one)];
    expect(there?.low).toBeCloseTo(-(back?.high ?? 0), 12);
    expect(there?.high).toBeCloseTo(-(back?.low ?? 0), 12);
  });

  it('is certain where nothing varies, and unknown of one value', () => {
    const found = meanDifference(sampleOf([2, 2]), sampleOf([1, 1]));
    expect(found).toEqual({ difference: 1, low: 1, high: 1 });
    expect(meanDifference(sampleOf([2, 2]), sampleOf([1]))).toBeUndefined();
  });
});

describe(rateInterval.name, () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
    [20, 20, 0.8389, 1],
  ])('of %d in %d is Wilson’s', (successes, count, low, high) => {
    const interval = rateInterval(rateOf(successes, count));
    expect(interval?.low).toBeCloseTo(low, 4);
    expect(interval?.high).toBeCloseTo(high, 4);
  });

  it('is as wide as that of fewer observations where callers fail or succeed as a whole', () => {
    const callers = Array.from({ length: 20 }, (_, index) =>
      Array.from({ length: 50 }, () => Number(index < 5)),
    );
    const found = rateInterval(clustersOf(callers));
    const ofCallers = rateInterval(rateOf(5, 19));
    expect(found?.high).toBeGreaterThan(0.45);
    expect(Math.abs((found?.high ?? 0) - (ofCallers?.high ?? 0))).toBeLessThan(0.03);
    expect(rateInterval(rateOf(250, 1000))?.high).toBeLessThan(0.28);
  });

  it('is never narrower than that of independent requests', () => {
    const even = Array.from({ length: 10 }, () => [0, 1]);
    expect(rateInterval(clustersOf(even))).toEqual(rateInterval(rateOf(10, 20)));
  });
});

describe(rateDifference.name, () => {
  // Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10.
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [5, 56, 0, 29, -0.0381, 0.1926],
    [0, 10, 0, 20, -0.1611, 0.2775],
    [10, 10, 0, 20, 0.6791, 1],
  ])('of %d/%d and %d/%d is Newcombe’s', (left, leftCount, right, rightCount, low, high) => {
    const found = rateDifference(rateOf(left, leftCount), rateOf(right, rightCount));
    expect(found?.low).toBeCloseTo(low, 4);
    expect(found?.high).toBeCloseTo(high, 4);
    expect(found && excludesZero(found)).toBe(low > 0);
  });
});
