import type { CatalogModel } from '../../../src/catalog/index';
import type { LatticeOptions } from '../../../src/common/index';
import { CapabilityTable } from '../../../src/scoring/index';
import { aModel, aPrice, aRequest } from '../../support/factories';
import { aRouter } from './support';

/** By id: expected quality, and the price of a token. */
const SOLD: Readonly<Record<string, readonly [quality: number, rate: bigint]>> = {
  'openai/best': [0.9, 9_000n],
  'openai/near': [0.86, 4_000n],
  'openai/poor': [0.4, 1_000n],
};

class Learned extends CapabilityTable {
  constructor(private readonly isUnheardOf: boolean) {
    super('learned');
  }

  override estimate({ id }: CatalogModel) {
    return { quality: SOLD[id]?.[0] ?? 0, deviation: 0, observations: 9 };
  }

  override isNovel(): boolean {
    return this.isUnheardOf;
  }
}

const planned = (isNovel: boolean, options: Partial<LatticeOptions>) => {
  const prices = Object.entries(SOLD).map(([model, [, rate]], index) => {
    const rates = { inputPicoUsd: rate, outputPicoUsd: rate };
    return [model, aPrice({ model, version: index + 1, prices: rates })] as const;
  });
  const router = aRouter({
    models: Object.keys(SOLD).map((id) => aModel({ id })),
    prices: new Map(prices),
    scoring: { capabilities: new Learned(isNovel) },
  });
  return router.plan(aRequest({ model: 'auto' }, { taskType: 'MATH', ...options }));
};

const chosen = (isNovel: boolean, options: Partial<LatticeOptions>): string[] =>
  planned(isNovel, options).candidates.map(({ model }) => model.id);

describe('a prompt that is unlike all that outcomes came from', () => {
  const worth = { answerWorthUsd: 0.00002 };

  it('goes to the best model where the worth of an answer decides', () => {
    expect(chosen(false, worth)[0]).not.toBe('openai/best');
    expect(chosen(true, worth)[0]).toBe('openai/best');
    expect(chosen(true, worth).slice(1)).toEqual(chosen(false, worth).filter((id) => id !== 'openai/best'));
  });

  it('is told by its decision', () => {
    expect(planned(true, worth).target).toMatchObject({ isNovel: true });
    expect(planned(false, worth).target).not.toHaveProperty('isNovel');
  });

  it('goes where it would go where a quality alone was asked for', () => {
    expect(chosen(true, { quality: 0.9 })).toEqual(chosen(false, { quality: 0.9 }));
  });
});
