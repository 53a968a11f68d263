import type { CatalogModel, PriceVersion } from '../../../src/catalog/index';
import { type LatticeOptions, TASK_TYPES } from '../../../src/common/index';
import type { RoutingPreferences } from '../../../src/scoring/index';
import type { ExecutionPlan } from '../../../src/selection/index';
import { aContext, aModel, aPrice, aRequest } from '../../support/factories';
import { aRouter, OWNER, type Surroundings } from './support';

const scored = (value: number): CatalogModel['scores'] =>
  Object.fromEntries(TASK_TYPES.map((type) => [type, value])) as CatalogModel['scores'];

/** Name, expected quality, price of a token. */
type Sold = readonly [id: string, quality: number, rate: number];

const SOLD: readonly Sold[] = [
  ['openai/best', 0.9, 8],
  ['openai/near', 0.86, 4],
  ['anthropic/fair', 0.8, 2],
  ['openai/poor', 0.4, 1],
];
const modelOf = ([id, quality]: Sold): CatalogModel => aModel({ id, scores: scored(quality) });
const pricesOf = (sold: readonly Sold[]): ReadonlyMap<string, PriceVersion> =>
  new Map(
    sold.map(([model, , rate], index) => {
      const perToken = BigInt(rate) * 1000n;
      const prices = { inputPicoUsd: perToken, outputPicoUsd: perToken };
      return [model, aPrice({ model, version: index + 1, prices })] as const;
    }),
  );

const plan = (
  options: Partial<LatticeOptions>,
  surroundings: Partial<Surroundings> = {},
  model = 'auto',
): ExecutionPlan =>
  aRouter({ models: SOLD.map(modelOf), prices: pricesOf(SOLD), ...surroundings }).plan(
    aRequest({ model }, { taskType: 'MATH', ...options }),
  );
const ids = ({ candidates }: ExecutionPlan): string[] => candidates.map(({ model }) => model.id);
const preferring = (preferences: RoutingPreferences): Partial<Surroundings> => ({
  scoring: { preferences: new Map([[OWNER, preferences]]) },
});
const quality = (value: number): Partial<Surroundings> => preferring({ strategies: {}, quality: value });

describe('the quality target', () => {
  it('chooses the cheapest model that holds it, and only models that hold it follow, cheapest first', () => {
    const made = plan({ quality: 0.85 });
    expect(ids(made)).toEqual(['anthropic/fair', 'openai/near', 'openai/best']);
    expect(made.target).toEqual({ quality: 0.85, source: 'request', best: 0.9, threshold: 0.85 * 0.9 });
    expect(made.filtered).toEqual([
      {
        modelId: 'openai/poor',
        reason: 'below_target',
        detail: 'Its expected quality 0.400 is below the target of 0.765',
      },
    ]);
    expect(made.ranking.map(({ model }) => model.id)).toEqual([...ids(made), 'openai/poor']);
  });

  it('goes by what an answer is worth less its cost, also among those that hold a target', () => {
    const all = ['openai/best', 'openai/near', 'anthropic/fair', 'openai/poor'];
    expect(ids(plan({ answerWorthUsd: 1000 }))).toEqual(all);
    expect(ids(plan({ answerWorthUsd: 1e-9 }))).toEqual(all.toReversed());
    const both = plan({ answerWorthUsd: 1e-9, quality: 0.85 });
    expect(ids(both)).toEqual(['anthropic/fair', 'openai/near', 'openai/best']);
    expect(both.target).toMatchObject({ quality: 0.85, answerWorthUsd: 1e-9, source: 'request' });
    expect(plan({ answerWorthUsd: 1 }, quality(0.95)).target).toMatchObject({
      quality: 0,
      source: 'request',
    });
  });

  it('and the worth are the owner’s where the request says neither of them, and for plain auto only', () => {
    const worth = (answerWorthUsd: number, own?: number) =>
      preferring({ strategies: {}, quality: own, answerWorthUsd });
    const all = ['openai/best', 'openai/near', 'anthropic/fair', 'openai/poor'];
    expect(ids(plan({}, worth(1000)))).toEqual(all);
    expect(ids(plan({}, worth(1e-9)))).toEqual(all.toReversed());
    const both = plan({}, worth(1e-9, 0.85));
    expect(ids(both)).toEqual(['anthropic/fair', 'openai/near', 'openai/best']);
    expect(both.target).toMatchObject({ quality: 0.85, answerWorthUsd: 1e-9, source: 'owner' });

    const ownWorth = plan({ answerWorthUsd: 1000 }, worth(1e-9, 0.85)).target;
    expect(ownWorth).toMatchObject({ quality: 0, answerWorthUsd: 1000, source: 'request' });
    const ownQuality = plan({ quality: 0.85 }, worth(1000)).target;
    expect(ownQuality).toMatchObject({ quality: 0.85, source: 'request' });
    expect(ownQuality).not.toHaveProperty('answerWorthUsd');
    expect(plan({}, worth(1e-9), 'auto:best').target).toBeUndefined();
  });

  it('is the best model for 1', () => {
    expect(ids(plan({ quality: 1 }))).toEqual(['openai/best']);
  });

  it('measures by the best of those that can serve the request, not of all', () => {
    const made = plan({ quality: 0.95 }, { available: ['anthropic'] });
    expect([ids(made), made.target?.best]).toEqual([['anthropic/fair'], 0.8]);
  });

  it('takes none that the guide blocks, and lets neither its prior nor its chain decide', () => {
    const guide =
      'prior: 0.5\nall: { blocked: [openai/best], recommended: [openai/near], fallback: [openai/poor] }';
    const made = plan({ quality: 0.95 }, { guide });
    expect([ids(made), made.target?.best]).toEqual([['openai/near'], 0.86]);
    expect(ids(plan({ quality: 0.9 }, { guide }))).toEqual(['anthropic/fair', 'openai/near']);
  });

  it('never chooses a model for an unknown price', () => {
    const models = SOLD.map((sold) => ({ ...modelOf(sold), allowUnknownPrice: true }));
    const made = plan({ quality: 0.85 }, { models, unpriced: ['anthropic/fair'] });
    expect(ids(made)).toEqual(['openai/near', 'openai/best', 'anthropic/fair']);
  });

  it('takes no fallback with none', () => {
    expect(ids(plan({ quality: 0.85, fallback: 'none' }))).toEqual(['anthropic/fair']);
  });

  it('leaves out of the request’s own list what is below it, once', () => {
    const made = plan({ quality: 0.85, models: ['openai/poor', 'openai/best'] });
    expect(ids(made)).toEqual(['anthropic/fair', 'openai/best']);
    expect(made.filtered.map(({ modelId }) => modelId)).toEqual(['openai/poor']);
  });

  it('keeps a place for another provider, if one of its models holds it', () => {
    const many: Sold[] = Array.from({ length: 7 }, (_, index) => [`openai/m${index}`, 0.9, index + 1]);
    const planned = (other: number) => {
      const sold: Sold[] = [...many, ['anthropic/dear', other, 90]];
      return ids(plan({ quality: 0.9 }, { models: sold.map(modelOf), prices: pricesOf(sold) }));
    };
    expect(planned(0.9).at(-1)).toBe('anthropic/dear');
    expect(planned(0.6)).toEqual(many.slice(0, 6).map(([id]) => id));
  });

  it.each(['auto:cheap', 'auto:best', 'auto:fast'])('decides in place of %s, and says so', (model) => {
    const made = plan({ quality: 0.85 }, {}, model);
    expect(ids(made)).toEqual(['anthropic/fair', 'openai/near', 'openai/best']);
    expect(made.warnings).toEqual([`The quality target decides in place of ${model}`]);
  });

  it('has no effect on a named model, and says so', () => {
    const made = plan({ quality: 0.85 }, {}, 'openai/poor');
    expect([ids(made), made.target]).toEqual([['openai/poor'], undefined]);
    expect(made.warnings).toEqual(['The quality target has no effect: the request names its model']);
  });

  it('is the owner’s where the request names none', () => {
    const made = plan({}, quality(0.85));
    expect(ids(made)[0]).toBe('anthropic/fair');
    expect(made.target).toMatchObject({ quality: 0.85, source: 'owner' });
    expect(plan({ quality: 1 }, quality(0.85)).target).toMatchObject({ quality: 1, source: 'request' });
  });

  it('is not the owner’s for who names a strategy or a model', () => {
    for (const model of ['auto:best', 'openai/poor']) {
      const made = plan({}, quality(0.85), model);
      expect([made.target, made.warnings]).toEqual([undefined, []]);
    }
  });

  it('is shown before anything is asked', () => {
    const router = aRouter({ models: SOLD.map(modelOf), prices: pricesOf(SOLD) });
    const shown = router.selection.explain(aContext(), aRequest({}, { taskType: 'MATH', quality: 0.85 }));
    expect(shown).toMatchObject({
      model: 'anthropic/fair',
      strategy: 'auto',
      target: { quality: 0.85, source: 'request', best: 0.9 },
      ranking: [{ quality: 0.8 }, { quality: 0.86 }, { quality: 0.9 }, { quality: 0.4 }],
    });
  });
});

describe('the arm of an experiment', () => {
  const arm = { experimentId: OWNER, arm: 'a', models: [] };
  const assigned = (given: object): Partial<Surroundings> => ({ assign: () => ({ ...arm, ...given }) });

  it('decides by its strategy in place of the one that was asked for', () => {
    const made = plan({}, assigned({ strategy: 'cheap' }));
    expect(made).toMatchObject({ strategy: 'cheap', experiment: { id: OWNER, arm: 'a' } });
    expect(ids(made)[0]).toBe(ids(plan({}, {}, 'auto:cheap'))[0]);
  });

  it('puts its model first, also one that the guide blocks, with the ordinary fallbacks behind it', () => {
    const guide = 'prior: 0\nall: { blocked: [openai/poor] }';
    const made = plan({}, { guide, ...assigned({ model: 'openai/poor', models: ['openai/poor'] }) });
    expect(ids(made)).toEqual(['openai/poor', ...ids(plan({}, { guide }))]);
    expect(made).toMatchObject({ strategy: 'auto', experiment: { model: 'openai/poor' } });
  });

  it('decides by its own target, before the owner’s', () => {
    const made = plan({}, { ...quality(0.1), ...assigned({ quality: 1 }) });
    expect(made.target).toMatchObject({ quality: 1, source: 'experiment' });
    expect(plan({}, { ...quality(0.1), ...assigned({ strategy: 'best' }) }).target).toBeUndefined();
  });

  it('does nothing to a request that one of the models of its experiment cannot serve', () => {
    const away = assigned({ model: 'openai/poor', models: ['openai/poor', 'xai/away'] });
    const models = [...SOLD.map(modelOf), aModel({ id: 'xai/away' })];
    const made = plan({}, { models, ...away });
    expect([made.experiment, ids(made)]).toEqual([undefined, ids(plan({}))]);
  });

  it('does nothing to a request that names its model or its own target', () => {
    const asked = assigned({ strategy: 'cheap' });
    expect(plan({}, asked, 'openai/best').experiment).toBeUndefined();
    expect(plan({ quality: 0.9 }, asked)).toMatchObject({
      experiment: undefined,
      target: { source: 'request' },
    });
  });
});
