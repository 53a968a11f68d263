import { better, cheaper, rankByTarget, type TargetedModel } from '../../../src/scoring/quality-target';

const model = (id: string, quality: number, expectedCostUsd?: number): TargetedModel => ({
  model: { id },
  quality,
  expectedCostUsd,
});
const ids = (models: readonly TargetedModel[]): string[] => models.map((one) => one.model.id);

describe(rankByTarget.name, () => {
  const models = [
    model('good', 0.9, 8),
    model('cheap', 0.3, 1),
    model('fair', 0.81, 2),
    model('near', 0.85, 2),
  ];

  it('puts the cheapest first that is good enough beside the best, and keeps the rest apart', () => {
    const { holding, below, best, threshold } = rankByTarget(models, { quality: 0.9 });
    expect([best, threshold]).toEqual([0.9, 0.9 * 0.9]);
    expect(ids(holding)).toEqual(['near', 'fair', 'good']);
    expect(ids(below)).toEqual(['cheap']);
  });

  it('takes the best alone for 1, however dear it is', () => {
    const { holding, below } = rankByTarget(models, { quality: 1 });
    expect(ids(holding)).toEqual(['good']);
    expect(ids(below)).toEqual(['near', 'fair', 'cheap']);
  });

  it('never takes an unknown price for the cheapest', () => {
    const { holding } = rankByTarget([model('unknown', 0.9), ...models], { quality: 0.01 });
    expect(ids(holding)).toEqual(['cheap', 'near', 'fair', 'good', 'unknown']);
  });

  it('orders equal ones: the better, then the vendor’s own before deployments, then by id', () => {
    const deployed: TargetedModel = { ...model('a', 0.8, 1), model: { id: 'a', isDeployment: true } };
    const equal = [deployed, model('c', 0.8, 1), model('b', 0.8, 1), model('z', 0.85, 1)];
    expect(ids(rankByTarget(equal, { quality: 0.5 }).holding)).toEqual(['z', 'b', 'c', 'a']);
    expect(ids(rankByTarget(equal.toReversed(), { quality: 0.5 }).holding)).toEqual(['z', 'b', 'c', 'a']);
  });

  it('gives nothing for nothing', () => {
    expect(rankByTarget([], { quality: 0.9 })).toEqual({ holding: [], below: [], best: 0, threshold: 0 });
  });

  it('keeps all when nothing is expected of any', () => {
    expect(ids(rankByTarget([model('b', 0, 2), model('a', 0, 1)], { quality: 1 }).holding)).toEqual([
      'a',
      'b',
    ]);
  });
});

describe(better.name, () => {
  it('prefers the cheaper of two equally good ones, and a known price', () => {
    expect(
      ids([model('unknown', 0.9), model('dear', 0.9, 2), model('cheap', 0.9, 1)].toSorted(better)),
    ).toEqual(['cheap', 'dear', 'unknown']);
  });
});

describe(cheaper.name, () => {
  it('does not depend on the order', () => {
    const [one, other] = [model('a', 0.5), model('b', 0.5)];
    expect([cheaper(one, other), cheaper(other, one)]).toEqual([-1, 1]);
  });
});
