import type { TaskProfile } from '../../../src/analysis/index';
import type { CatalogModel, PriceVersion } from '../../../src/catalog/index';
import { ConfigurationError } from '../../../src/errors/index';
import {
  type ModelPerformance,
  PerformanceTable,
  type PricedModel,
  RoutingWeights,
  ScoringService,
  type Strategy,
} from '../../../src/scoring/index';
import { aModel, aPrice, aProfile } from '../../support/factories';
import { aScoring, SHIPPED_WEIGHTS as shipped } from '../../support/scoring';

const { scoring } = aScoring();
const basis = (strategy: Strategy) => scoring.basis('nobody', strategy);

/** Prices in US dollars per million tokens. */
function priced(model: Partial<CatalogModel>, input = 1, output = 4): PricedModel {
  const full = aModel(model);
  const prices = { inputPicoUsd: BigInt(input * 1e6), outputPicoUsd: BigInt(output * 1e6) };
  return { model: full, price: aPrice({ model: full.id, prices }), prior: 0 };
}

const scores = (value: number, special: Partial<CatalogModel['scores']> = {}): CatalogModel['scores'] => ({
  ...(Object.fromEntries(
    Object.keys(aModel().scores).map((type) => [type, value]),
  ) as CatalogModel['scores']),
  ...special,
});

const typed = (taskType: TaskProfile['taskType'], more: Partial<TaskProfile> = {}): TaskProfile => ({
  ...aProfile(),
  taskType,
  confidence: 1,
  ...more,
});

const factorsOf = (candidate: PricedModel, profile: TaskProfile) =>
  scoring.score([candidate], profile, basis('auto'))[0]?.factors;
const order = (
  candidates: readonly PricedModel[],
  profile: TaskProfile,
  strategy: 'auto' | 'cheap' | 'best' | 'fast',
) => scoring.score(candidates, profile, basis(strategy)).map(({ model }) => model.id);

describe(ScoringService.name, () => {
  it('uses the weights of the strategy: 0.50 capability, 0.20 context, 0.15 speed, 0.15 cost for auto', () => {
    const [scored] = scoring.score(
      [{ ...priced({ scores: scores(0.8) }), prior: 0.05 }],
      aProfile(),
      basis('auto'),
    );
    const { capability = 0, context = 0, speed = 0, cost = 0 } = scored?.factors ?? {};
    expect(scored?.score).toBeCloseTo(
      0.5 * capability + 0.2 * context + 0.15 * speed + 0.15 * cost + 0.05,
      12,
    );
  });

  it('lets each strategy prefer what it is named for', () => {
    const cheap = priced({ id: 'openai/cheap', scores: scores(0.6), speed: 'medium' }, 0.05, 0.2);
    const best = priced({ id: 'openai/best', scores: scores(0.96), speed: 'slow' }, 15, 75);
    const fast = priced({ id: 'openai/fast', scores: scores(0.6), speed: 'fast' }, 2, 8);
    const all = [cheap, best, fast];
    expect(order(all, typed('MATH'), 'cheap')[0]).toBe('openai/cheap');
    expect(order(all, typed('MATH'), 'best')[0]).toBe('openai/best');
    expect(order(all, typed('MATH'), 'fast')[0]).toBe('openai/fast');
  });

  describe('capability', () => {
    it('is the score of this task type, whatever the model is good at besides', () => {
      const coder = priced({ id: 'openai/coder', scores: scores(0.6, { CODE_GENERATION: 0.95 }) });
      const writer = priced({ id: 'openai/writer', scores: scores(0.6, { CREATIVE_WRITING: 0.95 }) });
      expect(order([writer, coder], typed('CODE_GENERATION'), 'best')[0]).toBe('openai/coder');
      expect(order([writer, coder], typed('CREATIVE_WRITING'), 'best')[0]).toBe('openai/writer');
    });

    it('blends secondary types in by their confidence, and GENERAL for what no type claims', () => {
      const model = priced({ scores: scores(0.5, { MATH: 0.9 }) });
      const pure = factorsOf(model, typed('MATH'))?.capability ?? 0;
      const mixed = factorsOf(
        model,
        typed('MATH', { secondary: [{ taskType: 'REASONING', confidence: 1 }] }),
      );
      const unsure = factorsOf(model, typed('MATH', { confidence: 0.25 }));
      expect(mixed?.capability).toBeLessThan(pure);
      expect(unsure?.capability).toBeLessThan(mixed?.capability ?? 0);
    });

    it('sets weak models back further on harder tasks', () => {
      const gap = (complexity: number): number => {
        const profile = { ...typed('MATH'), features: aProfile({ complexity }).features };
        const [strong, weak] = [priced({ scores: scores(0.95) }), priced({ scores: scores(0.7) })];
        return (factorsOf(strong, profile)?.capability ?? 0) - (factorsOf(weak, profile)?.capability ?? 0);
      };
      expect(gap(0.9)).toBeGreaterThan(gap(0.1) + 0.1);
    });

    it('tells good from bad however hard the task and however bad both are', () => {
      const profile = { ...typed('MATH'), features: aProfile({ complexity: 1 }).features };
      const poor = priced({ id: 'openai/poor', scores: scores(0.2), speed: 'fast' }, 0.1, 0.4);
      const better = priced({ id: 'openai/better', scores: scores(0.35), speed: 'slow' });
      expect(order([poor, better], profile, 'best')).toEqual(['openai/better', 'openai/poor']);
      const [of35 = 0, of20 = 0, of95 = 0, of80 = 0] = [0.35, 0.2, 0.95, 0.8].map(
        (quality) => factorsOf(priced({ scores: scores(quality) }), profile)?.capability,
      );
      expect(of35 - of20).toBeCloseTo(of95 - of80, 12);
    });
  });

  describe('cost', () => {
    const cheapToRead = priced({ id: 'openai/reader' }, 0.5, 20);
    const cheapToWrite = priced({ id: 'openai/writer' }, 5, 2);

    it('is that of this request, not of the list', () => {
      const long = typed('CLASSIFICATION', {
        features: aProfile({ estimatedPromptTokens: 50_000 }).features,
      });
      const short = typed('CREATIVE_WRITING', { features: aProfile({ estimatedPromptTokens: 20 }).features });
      expect(order([cheapToWrite, cheapToRead], long, 'cheap')[0]).toBe('openai/reader');
      expect(order([cheapToWrite, cheapToRead], short, 'cheap')[0]).toBe('openai/writer');
    });

    it('is the expected prompt and answer at the price in force', () => {
      const profile = typed('GENERAL', {
        features: aProfile({ estimatedPromptTokens: 1_000, requestedMaxTokens: 100 }).features,
      });
      const [scored] = scoring.score([priced({}, 2, 10)], profile, basis('auto'));
      expect(scored?.expectedCostUsd).toBeCloseTo((1_000 * 2 + 100 * 10) / 1e6, 12);
    });

    it('takes the tier that the prompt reaches', () => {
      const tiers: PriceVersion['tiers'] = [
        { fromPromptTokens: 200_001, inputPicoUsd: 2_000_000n, outputPicoUsd: 8_000_000n },
      ];
      const candidate = priced({ contextWindowTokens: 1_000_000 });
      const tiered = { ...candidate, price: candidate.price && { ...candidate.price, tiers } };
      const of = (estimatedPromptTokens: number): number =>
        scoring.score(
          [tiered],
          typed('GENERAL', { features: aProfile({ estimatedPromptTokens, requestedMaxTokens: 1 }).features }),
          basis('auto'),
        )[0]?.expectedCostUsd ?? 0;
      expect(of(200_000)).toBeCloseTo(0.200004, 6);
      expect(of(200_001)).toBeCloseTo(0.40001, 5);
    });

    it('counts the hidden tokens of models that reason', () => {
      const plain = priced({ id: 'openai/plain' });
      const thinker = priced({ id: 'openai/thinker', supports: { ...aModel().supports, reasoning: true } });
      const [first, second] = scoring.score([thinker, plain], typed('MATH'), basis('cheap'));
      expect(first?.model.id).toBe('openai/plain');
      expect(second?.expectedCostUsd).toBeGreaterThan(first?.expectedCostUsd ?? Infinity);
    });

    it('is 1 for a free model and 0 for one without a known price', () => {
      expect(factorsOf(priced({}, 0, 0), aProfile())?.cost).toBe(1);
      expect(factorsOf({ model: aModel(), prior: 0 }, aProfile())?.cost).toBe(0);
    });

    it('does not depend on what else is compared', () => {
      const alone = scoring.score([cheapToRead], aProfile(), basis('auto'))[0]?.score;
      const among = scoring.score(
        [cheapToWrite, cheapToRead, priced({ id: 'openai/x' }, 90, 400)],
        aProfile(),
        basis('auto'),
      );
      expect(among.find(({ model }) => model.id === 'openai/reader')?.score).toBe(alone);
    });
  });

  it('sees how comfortably a request fits', () => {
    const of = (contextWindowTokens: number) =>
      factorsOf(
        priced({ contextWindowTokens }),
        typed('GENERAL', {
          features: aProfile({ estimatedPromptTokens: 9_900, requestedMaxTokens: 100 }).features,
        }),
      )?.context ?? -1;
    expect([of(10_000), of(40_000), of(1_000_000)]).toEqual([0, 1, 1]);
    expect(of(20_000)).toBeCloseTo(0.5, 9);
  });

  it('ranks speed classes', () => {
    const of = (speed: CatalogModel['speed']) => factorsOf(priced({ speed }), aProfile())?.speed ?? -1;
    expect(of('fast')).toBeGreaterThan(of('medium'));
    expect(of('medium')).toBeGreaterThan(of('slow'));
  });

  describe('measured', () => {
    const QUICK: ModelPerformance = { firstTokenMs: 250, tokensPerSecond: 200, failureShare: 0 };
    const SLOW: ModelPerformance = { firstTokenMs: 4000, tokensPerSecond: 15, failureShare: 0 };
    const among = (content: Readonly<Record<string, ModelPerformance>>) =>
      aScoring({ performance: PerformanceTable.of(content) }).scoring;
    const scoreOf = (
      performance: ModelPerformance | undefined,
      model: Partial<CatalogModel> = {},
      profile: TaskProfile = aProfile(),
    ) => {
      const candidate = priced(model);
      const by = among(performance ? { [candidate.model.id]: performance } : {});
      const [scored] = by.score([candidate], profile, by.basis('nobody', 'auto'));
      if (!scored) throw new Error('Nothing was scored');
      return scored;
    };

    it('speed counts instead of the catalog’s class', () => {
      const both = among({ 'openai/named-slow': QUICK, 'openai/named-fast': SLOW });
      const candidates = [
        priced({ id: 'openai/named-fast', speed: 'fast' }),
        priced({ id: 'openai/named-slow', speed: 'slow' }),
      ];
      const ranked = both.score(candidates, aProfile(), both.basis('nobody', 'fast'));
      expect(ranked.map(({ model }) => model.id)).toEqual(['openai/named-slow', 'openai/named-fast']);
      expect(ranked.map(({ factors }) => factors.speed)).toEqual([1, 0]);
    });

    it('speed counts as the class where too little was measured, and nothing else changes', () => {
      for (const speed of ['fast', 'medium', 'slow'] as const) {
        const without = scoreOf(undefined, { speed });
        expect(scoreOf({ failureShare: 0 }, { speed })).toEqual(without);
        expect(without.factors).toMatchObject({ speed: shipped.content.speed[speed], health: 1 });
      }
    });

    it('speed is about the class’s for a model that is as fast as its class', () => {
      const paces = {
        fast: { firstTokenMs: 350, tokensPerSecond: 150 },
        medium: { firstTokenMs: 700, tokensPerSecond: 70 },
        slow: { firstTokenMs: 2000, tokensPerSecond: 35 },
      };
      for (const taskType of ['CLASSIFICATION', 'GENERAL', 'CODE_GENERATION'] as const) {
        for (const speed of ['fast', 'medium', 'slow'] as const) {
          const { factors } = scoreOf({ ...paces[speed], failureShare: 0 }, {}, typed(taskType));
          expect(Math.abs(factors.speed - shipped.content.speed[speed])).toBeLessThan(0.1);
        }
      }
    });

    it('speed is that of this answer: the first token matters for short ones, the rate for long ones', () => {
      const soon: ModelPerformance = { firstTokenMs: 300, tokensPerSecond: 30, failureShare: 0 };
      const late: ModelPerformance = { firstTokenMs: 2500, tokensPerSecond: 140, failureShare: 0 };
      const speeds = (taskType: TaskProfile['taskType']) =>
        [soon, late].map((performance) => scoreOf(performance, {}, typed(taskType)).factors.speed);
      const [soonShort = 0, lateShort = 0] = speeds('CLASSIFICATION');
      const [soonLong = 0, lateLong = 0] = speeds('CODE_GENERATION');
      expect(soonShort).toBeGreaterThan(lateShort);
      expect(soonLong).toBeLessThan(lateLong);
    });

    it('speed of answers in one piece needs no first token, and hidden reasoning takes its time', () => {
      const whole: ModelPerformance = { tokensPerSecond: 70, failureShare: 0 };
      const reasoning = { supports: { ...aModel().supports, reasoning: true } };
      expect(scoreOf(whole).factors.speed).toBeGreaterThan(0.3);
      expect(scoreOf(whole, reasoning).factors.speed).toBeLessThan(scoreOf(whole).factors.speed);
    });

    it('failures cost the penalty by their share, in every strategy', () => {
      const failing = among({ 'openai/failing': { failureShare: 0.5 } });
      for (const strategy of ['auto', 'cheap', 'best', 'fast'] as const) {
        const [well, ill] = failing.score(
          [priced({ id: 'openai/failing' }), priced({ id: 'openai/well' })],
          aProfile(),
          failing.basis('nobody', strategy),
        );
        expect([well?.model.id, well?.factors.health, ill?.factors.health]).toEqual(['openai/well', 1, 0.5]);
        expect((well?.score ?? 0) - (ill?.score ?? 0)).toBeCloseTo(shipped.content.health.penalty / 2, 12);
      }
    });

    it('figures of others and the order of candidates change no score', () => {
      const content = { 'openai/a': QUICK, 'openai/b': SLOW };
      const candidates = ['openai/b', 'openai/c', 'openai/a'].map((id) => priced({ id }));
      const ranked = (given: typeof content, of: readonly PricedModel[]) => {
        const by = among(given);
        return by.score(of, aProfile(), by.basis('nobody', 'auto'));
      };
      const once = ranked(content, candidates);
      expect(ranked(content, candidates.toReversed())).toEqual(once);
      const [alone] = ranked({ 'openai/a': QUICK, 'openai/b': QUICK }, candidates.slice(2));
      expect(once.find(({ model }) => model.id === 'openai/a')?.score).toBe(alone?.score);
    });
  });

  describe('basis', () => {
    const own = { capability: 0, context: 0, speed: 0, cost: 1 };

    it('takes an owner’s own weights for the strategies that they name', () => {
      const { scoring: by, state } = aScoring();
      state.preferences = new Map([['ada', { strategies: { auto: own } }]]);
      expect(by.basis('ada', 'auto').weights).toEqual(own);
      expect(by.basis('ada', 'best').weights).toBe(shipped.content.strategies.best);
      expect(by.basis('bob', 'auto').weights).toBe(shipped.content.strategies.auto);
    });

    it('ranks by them', () => {
      const { scoring: by } = aScoring({ preferences: new Map([['ada', { strategies: { auto: own } }]]) });
      const good = priced({ id: 'openai/good', scores: scores(0.95) }, 3, 15);
      const cheap = priced({ id: 'openai/cheap', scores: scores(0.6) }, 0.1, 0.4);
      const first = (owner: string) =>
        by.score([good, cheap], typed('MATH'), by.basis(owner, 'auto'))[0]?.model.id;
      expect([first('ada'), first('bob')]).toEqual(['openai/cheap', 'openai/good']);
    });

    it('stays as it is when others come into force', () => {
      const { scoring: by, state } = aScoring();
      const before = by.basis('nobody', 'auto');
      state.performance = PerformanceTable.of({ 'openai/gpt-test': { failureShare: 1 } });
      const [scored] = by.score([priced({})], aProfile(), before);
      expect(scored?.factors.health).toBe(1);
      expect(by.basis('nobody', 'auto').performance).toBe(state.performance);
    });
  });

  it('orders equal scores by cost, the vendor’s own before deployments, then by id', () => {
    const deployment = priced({ id: 'azure/a', isDeployment: true });
    const [b, c] = [priced({ id: 'openai/b' }), priced({ id: 'openai/c' })];
    expect(order([c, deployment, b], aProfile(), 'auto')).toEqual(['openai/b', 'openai/c', 'azure/a']);
    const [dear, cheaper] = [priced({ id: 'openai/a' }, 1e4, 1e4), priced({ id: 'openai/z' }, 9e3, 9e3)];
    expect(order([dear, cheaper], aProfile(), 'auto')).toEqual(['openai/z', 'openai/a']);
  });
});

describe(RoutingWeights.name, () => {
  const text = JSON.stringify(shipped.content);

  it('has the weights of auto that are promised', () => {
    expect(shipped.content.strategies.auto).toEqual({
      capability: 0.5,
      context: 0.2,
      speed: 0.15,
      cost: 0.15,
    });
  });

  it('needs no paces and no penalty: a file of an earlier version goes on to be valid', () => {
    const { pace: _pace, health: _health, ...earlier } = shipped.content;
    expect(RoutingWeights.parse('weights.yaml', JSON.stringify(earlier)).content).toEqual(shipped.content);
  });

  it('takes what it was given', () => {
    expect(RoutingWeights.parse('weights.yaml', text).content).toEqual(shipped.content);
  });

  it.each([
    [
      'weights that do not sum to 1',
      text.replace('"capability":0.5', '"capability":0.6'),
      /strategies\.auto: the weights must sum to 1/,
    ],
    ['an unknown factor', text.replace('"speed":0.15', '"sped":0.15'), /strategies\.auto.*sped/],
    ['a missing strategy', text.replace('"fast":{"capability"', '"quick":{"capability"'), /strategies/],
    ['a missing task type', text.replace('"MATH":600,', ''), /output\.expectedTokens\.MATH/],
    [
      'anchors the wrong way round',
      text.replace('"cheapest":{"input":0.02', '"cheapest":{"input":99'),
      /cost: cheapest must be below dearest/,
    ],
    [
      'paces the wrong way round',
      text.replace('"quickest":{"firstTokenMs":300', '"quickest":{"firstTokenMs":30000'),
      /pace: quickest must be quicker than slowest/,
    ],
    ['no YAML', 'strategies: [', /weights\.yaml/],
  ])('refuses %s, naming file, place and reason', (_, wrong, message) => {
    expect(() => RoutingWeights.parse('weights.yaml', wrong)).toThrow(ConfigurationError);
    expect(() => RoutingWeights.parse('weights.yaml', wrong)).toThrow(/^weights\.yaml: /);
    expect(() => RoutingWeights.parse('weights.yaml', wrong)).toThrow(message);
  });
});
