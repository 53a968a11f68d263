import type { CatalogModel, PriceVersion } from '../../../src/catalog/index';
import {
  type ChatBody,
  type JsonObject,
  type LatticeOptions,
  type ProviderId,
  TASK_TYPES,
} from '../../../src/common/index';
import {
  type CapabilityTable,
  type FactorWeights,
  PerformanceTable,
  type RoutingPreferences,
} from '../../../src/scoring/index';
import { DecisionReplay } from '../../../src/selection/decisions/decision-replay.service';
import { decisionRecord } from '../../../src/selection/index';
import { aModel, aPrice, aRequest } from '../../support/factories';
import { aRouter, OWNER, type Surroundings } from './support';

const scored = (value: number): CatalogModel['scores'] =>
  Object.fromEntries(TASK_TYPES.map((type) => [type, value])) as CatalogModel['scores'];
const PROVIDERS: readonly ProviderId[] = ['openai', 'anthropic', 'google'];
const models = Array.from({ length: 12 }, (_, index) =>
  aModel({
    id: `${PROVIDERS[index % 3]}/m${index}`,
    baseModel: `base-${index % 9}`,
    scores: scored(0.4 + index / 25),
    speed: (['fast', 'medium', 'slow'] as const)[index % 3] ?? 'fast',
  }),
);
const book = (rates: (index: number) => number, from = 1): ReadonlyMap<string, PriceVersion> =>
  new Map(
    models.map(({ id }, index) => {
      const perToken = BigInt(rates(index)) * 400_000n;
      const prices = { inputPicoUsd: perToken, outputPicoUsd: perToken * 4n };
      return [id, aPrice({ model: id, version: from + index, prices })] as const;
    }),
  );
const PRICES = book((index) => index + 1);
const then: Surroundings = { models, available: PROVIDERS, prices: PRICES, book: 12 };

interface Asked {
  readonly body?: Partial<ChatBody>;
  readonly options?: Partial<LatticeOptions>;
  readonly allowed?: readonly string[];
}

/** What was stored of a decision, as JSON. */
function recordOf(surroundings: Surroundings, { body, options, allowed }: Asked = {}): JsonObject {
  const request = aRequest(body, { taskType: 'MATH', ...options });
  return decisionRecord(aRouter(surroundings).plan(request, allowed), request);
}
const whatChanged = ({ changed }: { changed: readonly { what: string }[] }) =>
  changed.map(({ what }) => what);

/** Opinions of its own on every model. */
const learned = (version: string, seed: number): CapabilityTable => ({
  version,
  estimate: ({ id }: CatalogModel) => ({
    quality: 0.3 + ((id.length * 7 + Number(id.replaceAll(/\D/g, '')) * seed) % 13) / 20,
    deviation: 0,
    observations: 9,
  }),
  isNovel: () => false,
});
const preferring = (preferences: Partial<RoutingPreferences>): ReadonlyMap<string, RoutingPreferences> =>
  new Map([[OWNER, { strategies: {}, ...preferences }]]);
const CHEAP_ONLY: FactorWeights = { capability: 0, context: 0, speed: 0, cost: 1 };

describe(DecisionReplay.name, () => {
  const messages: ChatBody['messages'] = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is on it?' },
        { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
      ],
    },
  ];
  const json = { response_format: { type: 'json_object' } };

  it.each<[string, Asked]>([
    ['a routed request', {}],
    ['every strategy', { body: { model: 'auto:fast' } }],
    ['a recognised task', { options: { taskType: undefined }, body: { model: 'auto:best' } }],
    ['needs', { body: { messages, stream: true, tools: [{ type: 'function' }], ...json, max_tokens: 9000 } }],
    ['a target', { options: { quality: 0.8 } }],
    ['a target and a list', { options: { quality: 0.8, models: ['google/m2', 'openai/m9'] } }],
    ['a list', { options: { models: ['google/m2', 'openai/m9'] } }],
    ['no fallback', { options: { fallback: 'none' } }],
    ['a restricted key', { allowed: ['openai/*', 'google/m5'] }],
    ['a named model', { body: { model: 'google/m5' } }],
    ['a named model, then any', { body: { model: 'google/m5' }, options: { fallback: 'any' } }],
    ['a script only', { options: { useDirect: false } }],
  ])('gives the same for %s', async (_, asked) => {
    const router = aRouter(then);
    const shown = await router.replay(recordOf(then, asked), asked.allowed);
    expect(shown).toMatchObject({ isSame: true, changed: [], today: null });
    expect(shown.replayed).toEqual(shown.decision);
    expect(shown.decision.candidates.length).toBeGreaterThan(0);
  });

  it('gives the same under the owner’s preferences, and in an experiment', async () => {
    for (const surroundings of [
      { ...then, scoring: { preferences: preferring({ strategies: { auto: CHEAP_ONLY } }) } },
      { ...then, scoring: { preferences: preferring({ quality: 0.9 }) } },
      { ...then, assign: () => ({ experimentId: OWNER, arm: 'b', models: [], strategy: 'cheap' as const }) },
      { ...then, assign: () => ({ experimentId: OWNER, arm: 'b', models: [], model: 'openai/m0' }) },
      { ...then, assign: () => ({ experimentId: OWNER, arm: 'b', models: [], quality: 0.7 }) },
    ] as Surroundings[]) {
      const shown = await aRouter(surroundings).replay(recordOf(surroundings));
      expect(shown).toMatchObject({ isSame: true, changed: [], today: null });
    }
  });

  it('sees the prices of then, and says what they would lead to today', async () => {
    const now = {
      ...then,
      prices: book((index) => 12 - index, 13),
      book: 24,
      books: new Map([[12, PRICES]]),
    };
    const shown = await aRouter(now).replay(recordOf(then, { body: { model: 'auto:cheap' } }));
    expect(shown).toMatchObject({
      isSame: true,
      changed: [{ what: 'prices', before: '12', now: '24', isKept: true }],
    });
    expect(shown.today?.model).not.toBe(shown.decision.model);
    expect(shown.today?.candidates[0]?.priceVersion).toBeGreaterThan(12);
  });

  it('sees the capabilities and the performance of then', async () => {
    const slow = PerformanceTable.of({
      'openai/m9': { failureShare: 0.9 },
      'google/m11': { failureShare: 0.9 },
    });
    const before = { ...then, scoring: { capabilities: learned('1', 3), performance: slow } };
    const now = { ...then, scoring: { capabilities: learned('2', 5) } };
    const record = recordOf(before, { options: { quality: 0.9 } });
    const kept = await aRouter({ ...now, kept: [learned('1', 3), slow] }).replay(record);
    expect([kept.isSame, whatChanged(kept)]).toEqual([true, ['capabilities', 'performance']]);
    expect(kept.changed.every(({ isKept }) => isKept)).toBe(true);
    expect(kept.today?.candidates).not.toEqual(kept.decision.candidates);
    const lost = await aRouter(now).replay(record);
    expect(lost.isSame).toBe(false);
    expect(lost.changed.map(({ isKept }) => isKept)).toEqual([false, false]);
    expect(lost.replayed).toEqual(lost.today);
  });

  it('sees who could be called then', async () => {
    const shown = await aRouter({ ...then, available: ['openai'] }).replay(recordOf(then));
    expect(shown).toMatchObject({
      isSame: true,
      changed: [{ what: 'providers', before: JSON.stringify(PROVIDERS) }],
    });
    expect(shown.today?.candidates.every(({ model }) => model.startsWith('openai/'))).toBe(true);
  });

  it('says what today’s error would be when nothing can be called any more', async () => {
    const shown = await aRouter({ ...then, available: [] }).replay(recordOf(then));
    expect(shown.isSame).toBe(true);
    expect(shown.today).toMatchObject({
      model: null,
      candidates: [],
      error: { code: 'PROVIDER_UNAVAILABLE', message: expect.stringContaining('OPENAI_API_KEY') as string },
    });
  });

  it('sees the owner’s weights and target of then', async () => {
    const mine = { ...then, scoring: { preferences: preferring({ strategies: { auto: CHEAP_ONLY } }) } };
    const weighed = await aRouter(then).replay(recordOf(mine));
    expect([weighed.isSame, whatChanged(weighed)]).toEqual([true, ['ownWeights']]);
    expect(weighed.today?.model).not.toBe(weighed.decision.model);
    const aimed = await aRouter({ ...then, scoring: { preferences: preferring({ quality: 0.6 }) } }).replay(
      recordOf(then),
    );
    expect(aimed).toMatchObject({
      isSame: true,
      changed: [{ what: 'quality', before: null, now: '0.6', isKept: true }],
      today: { target: { quality: 0.6, source: 'owner' } },
    });
  });

  it('sees what an answer was worth to the owner then', async () => {
    const worth = (answerWorthUsd: number) => ({
      ...then,
      scoring: { preferences: preferring({ answerWorthUsd }) },
    });
    const shown = await aRouter(worth(0.5)).replay(recordOf(worth(2)));
    expect(shown).toMatchObject({
      isSame: true,
      decision: { target: { quality: 0, answerWorthUsd: 2, source: 'owner' } },
      changed: [{ what: 'answerWorth', before: '2', now: '0.5', isKept: true }],
      today: { target: { answerWorthUsd: 0.5 } },
    });
  });

  it('says which files are others now; of those only the present content is known', async () => {
    const better = models.map((model) => ({ ...model, scores: scored(1 - model.scores.MATH) }));
    const shown = await aRouter({ ...then, models: better, guide: 'prior: 0.1' }).replay(recordOf(then));
    expect(shown.isSame).toBe(false);
    expect(shown.changed.map(({ what, isKept }) => [what, isKept])).toEqual([
      ['catalog', false],
      ['guide', false],
    ]);
    expect(shown.replayed).toEqual(shown.today);
    expect(shown.today?.model).not.toBe(shown.decision.model);
  });

  it('says that a named model is no longer known', async () => {
    const record = recordOf(then, { body: { model: 'google/m5' } });
    const rest = models.filter(({ baseModel }) => baseModel !== 'base-5');
    const shown = await aRouter({ ...then, models: rest }).replay(record);
    expect(shown).toMatchObject({
      isSame: false,
      replayed: { model: null, error: { code: 'model_not_found' } },
    });
  });

  describe('a long list of allowed models, of which the digest is stored', () => {
    const allowed = [...Array.from({ length: 40 }, (_, index) => `google/long-name-${index}`), 'openai/*'];

    it('is the key’s, as long as that is the same', async () => {
      const shown = await aRouter(then).replay(recordOf(then, { allowed }), allowed);
      expect(shown).toMatchObject({ isSame: true, changed: [] });
      expect(shown.decision.candidates.every(({ model }) => model.startsWith('openai/'))).toBe(true);
    });

    it('is lost when the key allows others now', async () => {
      const shown = await aRouter(then).replay(recordOf(then, { allowed }), ['google/*']);
      expect(shown).toMatchObject({ isSame: false, changed: [{ what: 'allowedModels', isKept: false }] });
      expect(shown.today?.candidates.every(({ model }) => model.startsWith('google/'))).toBe(true);
    });
  });

  it('notices a record that was changed', async () => {
    const record = JSON.parse(JSON.stringify(recordOf(then))) as { candidates: { score: number }[] };
    const [first] = record.candidates;
    if (first) first.score += 0.001;
    expect(await aRouter(then).replay(record as unknown as JsonObject)).toMatchObject({
      isSame: false,
      changed: [],
    });
  });

  it('refuses what was stored before, naming what is missing', async () => {
    const { versions, needs, ...old } = recordOf(then);
    await expect(
      aRouter(then).replay({ ...old, versions: { ...(versions as JsonObject), prices: undefined } }),
    ).rejects.toMatchObject({
      status: 422,
      code: 'DECISION_NOT_REPLAYABLE',
      details: { missing: ['needs', 'versions.prices'] },
    });
    expect(needs).toEqual([]);
  });

  it('refuses decisions about embeddings', async () => {
    await expect(aRouter(then).replay({ task: { type: 'EMBEDDING' } })).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('embedding') as string,
    });
  });
});
