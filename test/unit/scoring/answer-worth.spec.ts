import {
  type AnswerWorth,
  type PastCandidate,
  worthOf,
} from '../../../src/scoring/capabilities/answer-worth';
import { rankByTarget, type TargetedModel } from '../../../src/scoring/quality-target';
import { Random } from '../../support/proof/random';

const candidate = (id: string, quality: number, expectedCostUsd?: number): TargetedModel => ({
  model: { id },
  quality,
  expectedCostUsd,
});
const byQualityTarget = <T extends TargetedModel>(
  list: readonly T[],
  target: Parameters<typeof rankByTarget>[1],
) => {
  const { holding, below } = rankByTarget(list, target);
  return [...holding, ...below];
};
const ids = (list: readonly TargetedModel[]) => list.map(({ model }) => model.id);

function randomCandidates(seed: number): TargetedModel[] {
  const random = new Random(seed);
  return Array.from({ length: 2 + Math.floor(random.next() * 6) }, (_, index) =>
    candidate(
      `m${index}`,
      Math.round(random.next() * 20) / 20,
      random.next() < 0.1 ? undefined : Math.round(random.next() * 9),
    ),
  );
}

describe(rankByTarget.name, () => {
  it('puts the cheapest of those that are good enough first, then the others, the best first', () => {
    const list = [
      candidate('best', 0.9, 10),
      candidate('good', 0.86, 3),
      candidate('poor', 0.3, 1),
      candidate('fair', 0.6, 2),
    ];
    expect(ids(byQualityTarget(list, { quality: 0.95 }))).toEqual(['good', 'best', 'fair', 'poor']);
    expect(ids(byQualityTarget(list, { quality: 1 }))).toEqual(['best', 'good', 'fair', 'poor']);
    expect(ids(byQualityTarget(list, { quality: 0.1 }))[0]).toBe('poor');
  });

  it('takes an unknown price for the dearest', () => {
    const list = [candidate('unknown', 0.9), candidate('known', 0.9, 99)];
    expect(ids(byQualityTarget(list, { quality: 1 }))).toEqual(['known', 'unknown']);
    expect(ids(byQualityTarget(list, { quality: 0, answerWorthUsd: 1 }))).toEqual(['known', 'unknown']);
  });

  it('never chooses one that misses the target, nor one that is dearer than another that holds it', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const list = randomCandidates(seed);
      const quality = (seed % 10) / 10 + 0.1;
      const least = quality * Math.max(...list.map((one) => one.quality));
      const chosen = byQualityTarget(list, { quality })[0];
      expect(chosen?.quality).toBeGreaterThanOrEqual(least);
      const costs = list.filter((one) => one.quality >= least).map((one) => one.expectedCostUsd ?? Infinity);
      expect(chosen?.expectedCostUsd ?? Infinity).toBe(Math.min(...costs));
    }
  });

  it('does not depend on the order of the candidates', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const list = randomCandidates(seed);
      for (const target of [{ quality: 0.9 }, { quality: 0.9, answerWorthUsd: 5 }])
        expect(byQualityTarget([...list].reverse(), target)).toEqual(byQualityTarget(list, target));
    }
  });

  it('buys better answers the more an answer is worth', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const list = randomCandidates(seed).filter((one) => one.expectedCostUsd !== undefined);
      const qualities = [0.1, 1, 10, 100, 1e6].map(
        (answerWorthUsd) => byQualityTarget(list, { quality: 0, answerWorthUsd })[0]?.quality ?? 0,
      );
      expect(qualities).toEqual([...qualities].sort((one, other) => one - other));
    }
  });
});

describe('a request that is unlike all that is known', () => {
  const list = [candidate('best', 0.9, 10), candidate('good', 0.8, 3), candidate('poor', 0.3, 1)];
  const sorted = (answerWorthUsd: number | undefined, isNovel: boolean) =>
    ids(byQualityTarget(list, { quality: 0, answerWorthUsd, isNovel }));

  it('goes to the best as long as its answer is worth what it costs more; the others follow as usual', () => {
    expect(sorted(20, false)).toEqual(['good', 'best', 'poor']);
    expect(sorted(20, true)).toEqual(['best', 'good', 'poor']);
    // 0.9 × 7.5 is less than the 7 dollars that it costs more.
    expect(sorted(7.5, true)).toEqual(sorted(7.5, false));
  });

  it('has no best at an unknown price, and changes nothing where no worth was named', () => {
    const unpriced = [candidate('unpriced', 1), ...list];
    const ask = { quality: 0, answerWorthUsd: 20, isNovel: true };
    expect(ids(byQualityTarget(unpriced, ask))[0]).toBe('good');
    expect(sorted(undefined, true)).toEqual(sorted(undefined, false));
    expect(byQualityTarget([], ask)).toEqual([]);
  });
});

describe(worthOf.name, () => {
  const past = (id: string, quality: number, costUsd: number, score = quality): PastCandidate => ({
    model: { id },
    quality,
    expectedCostUsd: costUsd,
    score,
    costUsd,
  });
  /** The cheap model is as good at every other request, and the difference is known. */
  const requests = Array.from({ length: 40 }, (_, index) => [
    past('dear', 0.9, 10),
    past('cheap', index % 2 === 0 ? 0.9 : 0.2, 1),
  ]);

  it('finds the worth that keeps the target and saves what can be saved', () => {
    const found = worthOf(requests, 0.99) as AnswerWorth;
    expect(found.quality).toBeCloseTo(1, 10);
    expect(found.costSaved).toBeCloseTo(0.45, 10);
    const chosen = requests.map((list) => byQualityTarget(list, { ...found, quality: 0 })[0]?.model.id);
    expect(chosen.filter((id) => id === 'cheap').length).toBe(20);
  });

  it('saves more for a lower target', () => {
    expect(worthOf(requests, 0.5)?.costSaved).toBeGreaterThan(0.6);
  });

  it('gives quality up where that saves the most', () => {
    // The cheap model is always a little worse; only half of the requests are long.
    const lengths = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 10 : 1));
    const found = worthOf(
      lengths.map((length) => [past('dear', 1, length), past('cheap', 0.98, length / 10)]),
      0.9899,
    );
    expect(found?.quality).toBeCloseTo(0.99, 10);
    expect(found?.costSaved).toBeCloseTo((20 * 9) / (20 * 11), 10);
  });

  it('goes by what the answers were, not by what was expected of them', () => {
    const deceived = requests.map(([dear, cheap]) => [
      dear as PastCandidate,
      { ...(cheap as PastCandidate), score: 0 },
    ]);
    expect(worthOf(deceived, 0.99)?.costSaved ?? 0).toBeLessThanOrEqual(0);
  });

  it('sends novel requests to the best, as routing will', () => {
    const novel = requests.map((list, index) => list.map((one) => ({ ...one, isNovel: index % 4 === 0 })));
    // A quarter of them are novel, all of which the cheap model would have answered as well.
    expect(worthOf(novel, 0.99)?.costSaved).toBeCloseTo(0.45, 10);
    const dearer = novel.map((list, index) =>
      list.map((one) => (one.model.id === 'dear' && index % 4 === 0 ? { ...one, quality: 0.95 } : one)),
    );
    expect(worthOf(dearer, 0.99)?.costSaved).toBeCloseTo(0.225, 10);
  });

  it('has no answer without requests', () => {
    expect(worthOf([], 0.99)).toBeUndefined();
  });
});
