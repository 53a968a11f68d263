import type { CatalogModel } from '../../../src/catalog/index';
import type { LatticeOptions } from '../../../src/common/index';
import { AppError } from '../../../src/errors/index';
import { decisionRecord, type ExecutionPlan } from '../../../src/selection/index';
import { aModel, aRequest } from '../../support/factories';
import { aRouter, type Surroundings } from './support';

const scored = (value: number): CatalogModel['scores'] =>
  Object.fromEntries(Object.keys(aModel().scores).map((type) => [type, value])) as CatalogModel['scores'];

const best = aModel({ id: 'openai/best', scores: scored(0.9) });
const sold = aModel({ id: 'openai/sold', baseModel: 'sold', scores: scored(0.8) });
const elsewhere = aModel({ id: 'anthropic/sold', baseModel: 'sold', scores: scored(0.7) });
const weak = aModel({ id: 'anthropic/weak', scores: scored(0.6) });
const models = [best, sold, elsewhere, weak];

const ids = (plan: ExecutionPlan): string[] => plan.candidates.map(({ model }) => model.id);

function plan(
  model: string,
  allowed: readonly string[] | undefined,
  options: Partial<LatticeOptions> = {},
  surroundings: Partial<Surroundings> = {},
): ExecutionPlan {
  return aRouter({ models, ...surroundings }).plan(aRequest({ model }, options), allowed);
}

function failure(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('It did not fail');
}

describe('the models that a key may use', () => {
  it('are all that is routed to, the others are filtered with the reason', () => {
    const made = plan('auto', ['openai/sold', 'anthropic/*']);
    expect(ids(made)).toEqual(['openai/sold', 'anthropic/sold', 'anthropic/weak']);
    expect(made.ranking.map(({ model }) => model.id)).toEqual(ids(made));
    expect(made.filtered).toEqual([
      { modelId: 'openai/best', reason: 'not_allowed', detail: 'The API key may not use it' },
    ]);
  });

  it('are all models without a restriction', () => {
    expect(ids(plan('auto', undefined))).toHaveLength(4);
  });

  const asks = ['auto', 'auto:cheap', 'auto:best', 'auto:fast', 'sold', 'anthropic/sold', 'anthropic/weak'];
  const options: Partial<LatticeOptions>[] = [
    {},
    { fallback: 'any' },
    { fallback: 'same-model' },
    { fallback: 'none' },
    { models: ['openai/best', 'sold', 'anthropic/weak'] },
    { fallback: 'any', models: ['openai/best'] },
  ];
  it.each(asks.flatMap((model) => options.map((option) => [model, option] as const)))(
    'are never left, asking for %s with %j',
    (model, option) => {
      const candidates = ids(plan(model, ['anthropic/*'], option));
      expect(candidates.length).toBeGreaterThan(0);
      expect(candidates.filter((id) => !id.startsWith('anthropic/'))).toEqual([]);
    },
  );

  it.each<[string, string[], Partial<LatticeOptions>]>([
    ['openai/best', ['anthropic/*'], {}],
    ['openai/best', ['anthropic/*'], { fallback: 'any' }],
    ['openai/best', ['anthropic/*'], { models: ['anthropic/weak'] }],
    ['best', ['anthropic/*'], {}],
    ['openai/sold', ['anthropic/sold'], {}],
    ['openai/best', ['openai/bes', 'openai/best2', 'opena/*'], {}],
  ])('refuse %s for a key with %j and %j', (model, allowed, option) => {
    const error = failure(() => plan(model, allowed, option));
    expect(error).toMatchObject({ code: 'MODEL_NOT_ALLOWED', status: 403, param: 'model' });
    expect(error.type).toBe('permission_error');
  });

  it('choose the seller of a bare name', () => {
    expect(ids(plan('sold', ['anthropic/sold']))).toEqual(['anthropic/sold']);
    expect(ids(plan('sold', ['anthropic/sold'], { fallback: 'none' }))).toEqual(['anthropic/sold']);
    expect(ids(plan('sold', undefined))).toEqual(['openai/sold', 'anthropic/sold']);
  });

  it('are none: 403, when the key names nothing that there is', () => {
    for (const model of ['auto', 'auto:cheap']) {
      const error = failure(() => plan(model, ['xai/*', 'openai/gone']));
      expect(error).toMatchObject({ code: 'MODEL_NOT_ALLOWED', status: 403 });
    }
    const retired = { models: [best, { ...weak, status: 'retired' as const }] };
    expect(failure(() => plan('auto', ['anthropic/*'], {}, retired))).toMatchObject({ status: 403 });
  });

  it('are away: 503, naming the variable of their provider only', () => {
    const error = failure(() => plan('auto', ['anthropic/*'], {}, { available: ['openai'] }));
    expect(error).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', status: 503 });
    expect(error.message).toContain('ANTHROPIC_API_KEY');
    expect(error.message).not.toContain('XAI_API_KEY');
  });

  it('lack what the request needs: 422, and says that the key is in the way too', () => {
    const small = { ...weak, contextWindowTokens: 1 };
    const error = failure(() => plan('auto', ['anthropic/weak'], {}, { models: [best, small] }));
    expect(error).toMatchObject({ code: 'NO_SUITABLE_MODEL', status: 422 });
    expect(error.message).toMatch(/1 are not allowed for this API key/);
    expect(error.message).toMatch(/use a key that allows more models/);
  });

  it('stand in the decision, which could not be replayed without them', () => {
    const made = plan('auto', ['anthropic/*']);
    expect(decisionRecord(made, aRequest())).toMatchObject({ allowed: ['anthropic/*'] });
    expect(JSON.stringify(decisionRecord(plan('auto', undefined), aRequest()))).not.toContain('"allowed"');
  });
});
