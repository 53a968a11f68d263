import { percentSpent, remainingPicoUsd } from '../../../src/budget/budget-figures';

const counters = (limitPicoUsd: bigint, spentPicoUsd: bigint, heldPicoUsd = 0n) => ({
  limitPicoUsd,
  spentPicoUsd,
  heldPicoUsd,
});

describe(remainingPicoUsd.name, () => {
  it('is what is neither spent nor held, and never below nothing', () => {
    expect(remainingPicoUsd(counters(10n, 3n, 2n))).toBe(5n);
    expect(remainingPicoUsd(counters(10n, 12n, 1n))).toBe(0n);
  });
});

describe(percentSpent.name, () => {
  it.each<[bigint, bigint, number]>([
    [0n, 0n, 100],
    [3n, 1n, 33.33],
    [10n ** 24n, 10n ** 24n - 1n, 99.99],
    [10n ** 24n, 10n ** 24n, 100],
    [2n, 5n, 250],
  ])('of a limit of %s with %s spent is %s', (limit, spent, percent) => {
    expect(percentSpent(counters(limit, spent))).toBe(percent);
  });
});
