import type { JsonValue } from '../../../src/common/index';
import { tokenUsage } from '../../../src/providers/adapters/openai-dialect/usage';

describe(tokenUsage.name, () => {
  it.each<[string, JsonValue | undefined, object]>([
    ['nothing', undefined, {}],
    ['null', null, {}],
    ['only totals', { prompt_tokens: 3, completion_tokens: 0 }, { promptTokens: 3, completionTokens: 0 }],
    [
      'details',
      {
        prompt_tokens: 10,
        completion_tokens: 8,
        total_tokens: 18,
        prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 6 },
      },
      { promptTokens: 10, cachedReadTokens: 4, cacheWriteTokens: 2, completionTokens: 8, reasoningTokens: 6 },
    ],
    [
      'reasoning that the completion leaves out',
      {
        prompt_tokens: 10,
        completion_tokens: 8,
        total_tokens: 24,
        completion_tokens_details: { reasoning_tokens: 6 },
      },
      { promptTokens: 10, completionTokens: 14, reasoningTokens: 6 },
    ],
    [
      'cache hits beside the details',
      { prompt_tokens: 10, prompt_cache_hit_tokens: 7 },
      { promptTokens: 10, cachedReadTokens: 7 },
    ],
    [
      'what is no count',
      { prompt_tokens: -1, completion_tokens: 1.5, prompt_tokens_details: { cached_tokens: '3' } },
      {},
    ],
  ])('reads %s', (_name, raw, expected) => {
    expect(tokenUsage(raw)).toEqual(
      Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined)),
    );
  });
});
