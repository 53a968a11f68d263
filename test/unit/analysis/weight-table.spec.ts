import { WeightTable } from '../../../src/analysis/classifier/weight-table';

const FEATURES = 700;

describe(WeightTable.name, () => {
  it.each([2, 4, 11, 12])('adds up the weights of %d types as one by one', (types) => {
    const random = Int8Array.from({ length: FEATURES * types }, (_, place) => (place * 7919) % 251);
    for (const weights of [random, random.map(() => 127), random.map(() => -128)]) {
      const table = new WeightTable(weights, types);
      for (const count of [0, 1, 255, 256, 257, FEATURES]) {
        const ids = Int32Array.from({ length: FEATURES }, (_, place) => (place * 31) % FEATURES);
        const expected = Array.from({ length: types }, (_, type) =>
          ids.subarray(0, count).reduce((sum, id) => sum + (weights[id * types + type] ?? 0), 0),
        );
        expect(Array.from(table.sums({ ids, count, scale: 1 }).subarray(0, types))).toEqual(expected);
      }
    }
  });
});
