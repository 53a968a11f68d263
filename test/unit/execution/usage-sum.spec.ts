import { addUsage, openAiUsage } from '../../../src/execution/usage-sum';

describe('addUsage', () => {
  it('adds what is known and leaves unknown what neither knows', () => {
    expect(
      addUsage({ promptTokens: 1, cachedReadTokens: 2 }, { promptTokens: 10, completionTokens: 5 }),
    ).toEqual({
      promptTokens: 11,
      cachedReadTokens: 2,
      completionTokens: 5,
    });
    expect(addUsage({}, {})).toEqual({});
  });
});

describe('openAiUsage', () => {
  it('shows details only where they are known', () => {
    expect(openAiUsage({ promptTokens: 3, completionTokens: 4 })).toEqual({
      prompt_tokens: 3,
      completion_tokens: 4,
      total_tokens: 7,
    });
    expect(
      openAiUsage({ promptTokens: 3, completionTokens: 4, cachedReadTokens: 0, reasoningTokens: 2 }),
    ).toMatchObject({
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 2 },
    });
  });
});
