import type { Capacity } from '../../../../src/catalog/index';
import { claimsOf, patienceMs } from '../../../../src/providers/capacity/capacity-claim';
import { catalogModel } from '../../../support/contract/catalog-model';

const capacity = (limits: Partial<Capacity>): Capacity => ({ queueMs: 10_000, queueLength: 100, ...limits });

describe(claimsOf.name, () => {
  const model = {
    ...catalogModel({ upstreamId: 'gpt' }),
    capacity: capacity({ tokensPerMinute: 1000, concurrency: 2 }),
  };

  it('asks the provider’s capacity and the model’s', () => {
    const ofProvider = capacity({ requestsPerMinute: 5, queueLength: 7 });
    expect(claimsOf(model, ofProvider, { prompt: 100, completion: 50.5 })).toEqual([
      { scope: 'openai', requests: 5, need: 151, queueLength: 7 },
      { scope: 'openai/gpt', tokens: 1000, concurrency: 2, need: 151, queueLength: 100 },
    ]);
  });

  it('asks nothing of what is not limited', () => {
    expect(claimsOf(catalogModel(), undefined, { prompt: 1, completion: 1 })).toEqual([]);
  });

  it('claims a whole minute for an answer that may be longer, and nothing for a prompt that never fits', () => {
    expect(claimsOf(model, undefined, { prompt: 1000, completion: 50 })).toMatchObject([{ need: 1000 }]);
    expect(claimsOf(model, undefined, { prompt: 1001, completion: 50 })).toEqual({
      tooLargeFor: 'openai/gpt',
    });
  });
});

describe(patienceMs.name, () => {
  const both = [capacity({ queueMs: 8000 }), capacity({ queueMs: 5000 })];

  it.each([
    ['the shortest of its capacities', both, false, Infinity, 5000],
    ['a fifth with a fallback behind it', both, true, Infinity, 1000],
    ['what is left until the deadline', both, false, 300, 300],
    ['nothing when the deadline has passed', both, false, -5, 0],
    ['nothing where no queue is wanted', [capacity({ queueMs: 0 }), undefined], false, Infinity, 0],
  ])('is %s', (_, capacities, hasFallback, timeLeftMs, expected) => {
    expect(patienceMs(capacities, { hasFallback, timeLeftMs })).toBe(expected);
  });
});
