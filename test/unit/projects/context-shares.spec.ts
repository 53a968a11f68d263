import { contextShares, headAndTail } from '../../../src/projects/runs/context-shares';

describe(contextShares.name, () => {
  it.each([
    ['everything fits', [10, 20, 30], 100, [10, 20, 30]],
    ['exactly', [50, 50], 100, [50, 50]],
    ['the long one gets what the short ones leave', [10, 500, 20], 100, [10, 70, 20]],
    ['long ones share evenly', [500, 10, 400], 100, [45, 10, 45]],
    ['nothing left', [5, 5], 0, [0, 0]],
    ['none', [], 100, []],
  ])('%s', (_name, lengths, limit, expected) => {
    expect(contextShares(lengths, limit)).toEqual(expected);
  });

  it('never gives more than there is, nor more than the limit', () => {
    for (let round = 0; round < 200; round++) {
      const lengths = Array.from({ length: round % 9 }, () => Math.floor(Math.random() * 1000));
      const limit = Math.floor(Math.random() * 3000);
      const shares = contextShares(lengths, limit);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(limit);
      shares.forEach((share, index) => expect(share).toBeLessThanOrEqual(lengths[index] ?? 0));
    }
  });
});

describe(headAndTail.name, () => {
  it('leaves what fits', () => expect(headAndTail('short', 5)).toBe('short'));

  it('keeps the beginning and the end', () => {
    const cut = headAndTail(`${'a'.repeat(500)}${'z'.repeat(500)}`, 100);
    expect(cut).toHaveLength(100);
    expect(cut).toMatch(/^a+\n\n\[… cut …\]\n\nz+$/);
  });

  it('counts characters as PostgreSQL does, and leaves each whole', () => {
    expect(headAndTail('😀'.repeat(100), 100)).toBe('😀'.repeat(100));
    const cut = headAndTail('😀'.repeat(101), 100);
    expect(Array.from(cut)).toHaveLength(100);
    expect(cut).toMatch(/^(😀)+\n\n\[… cut …\]\n\n(😀)+$/);
  });

  it('holds for limits that leave no room', () => {
    for (const limit of [0, 1, 10, 15]) expect(headAndTail('x'.repeat(100), limit)).toHaveLength(limit);
  });
});
