import type { TokenUsage } from '../../../src/common/index';
import { reconcileUsage, type UsageClaim } from '../../../src/ledger/index';

const claim = (usage: TokenUsage, rest: Partial<UsageClaim> = {}): UsageClaim => ({
  usage,
  isHard: false,
  heldPicoUsd: 0n,
  answerBytes: 40,
  cost: ({ promptTokens = 0, completionTokens = 0 }) => BigInt(promptTokens + 10 * completionTokens),
  ...rest,
});

describe(reconcileUsage.name, () => {
  const AGREEING: [string, UsageClaim][] = [
    ['plain figures', claim({ promptTokens: 10, completionTokens: 5 })],
    [
      'a total that adds up',
      claim({ promptTokens: 10, completionTokens: 5 }, { rawUsage: { total_tokens: 15 } }),
    ],
    [
      'a usage object without a total',
      claim({ promptTokens: 10, completionTokens: 5 }, { rawUsage: { other: 1 } }),
    ],
    ['unknown figures', claim({})],
    [
      'all of the prompt from the cache',
      claim({ promptTokens: 10, cachedReadTokens: 6, cacheWriteTokens: 4, completionTokens: 1 }),
    ],
    ['all of the answer reasoning', claim({ promptTokens: 1, completionTokens: 5, reasoningTokens: 5 })],
    ['an empty answer', claim({ promptTokens: 10, completionTokens: 0 }, { answerBytes: 0 })],
    ['an answer as long as allowed', claim({ promptTokens: 1, completionTokens: 8 }, { maxTokensSent: 8 })],
    [
      'a cost as high as held',
      claim({ promptTokens: 10, completionTokens: 1 }, { isHard: true, heldPicoUsd: 20n }),
    ],
    ['a cost above a soft hold', claim({ promptTokens: 10, completionTokens: 1 }, { heldPicoUsd: 1n })],
    [
      'an unknown price',
      claim({ promptTokens: 10, completionTokens: 1 }, { isHard: true, cost: () => undefined }),
    ],
  ];

  it.each(AGREEING)('finds nothing wrong with %s', (_, good) => {
    expect(reconcileUsage(good)).toEqual({ usage: good.usage, disputes: [] });
  });

  const DISPUTED: [string, UsageClaim, TokenUsage, string][] = [
    [
      'a total above its parts',
      claim({ promptTokens: 10, completionTokens: 5 }, { rawUsage: { total_tokens: 18 } }),
      { promptTokens: 10, completionTokens: 8 },
      'total tokens 18 differ from prompt plus completion tokens 15',
    ],
    [
      'a total below its parts',
      claim({ promptTokens: 10, completionTokens: 5 }, { rawUsage: { totalTokenCount: 12 } }),
      { promptTokens: 10, completionTokens: 5 },
      'total tokens 12 differ from prompt plus completion tokens 15',
    ],
    [
      'more cached than prompted',
      claim({ promptTokens: 10, cachedReadTokens: 9, cacheWriteTokens: 4, completionTokens: 1 }),
      { promptTokens: 13, cachedReadTokens: 9, cacheWriteTokens: 4, completionTokens: 1 },
      'cached tokens 13 exceed prompt tokens 10',
    ],
    [
      'more one-hour writes than writes',
      claim({ promptTokens: 10, cacheWriteTokens: 2, cacheWriteOneHourTokens: 5, completionTokens: 1 }),
      { promptTokens: 10, cacheWriteTokens: 5, cacheWriteOneHourTokens: 5, completionTokens: 1 },
      'one-hour cache writes 5 exceed cache writes 2',
    ],
    [
      'more reasoning than completion',
      claim({ promptTokens: 10, completionTokens: 5, reasoningTokens: 7 }),
      { promptTokens: 10, completionTokens: 7, reasoningTokens: 7 },
      'reasoning tokens 7 exceed completion tokens 5',
    ],
    [
      'zero usage of an answer',
      claim({ promptTokens: 0, completionTokens: 0 }, { answerBytes: 41 }),
      { promptTokens: 0, completionTokens: 11 },
      'zero usage for an answer that is not empty',
    ],
    [
      'more than was allowed',
      claim({ promptTokens: 10, completionTokens: 9 }, { maxTokensSent: 8 }),
      { promptTokens: 10, completionTokens: 9 },
      'completion tokens 9 exceed the 8 that were allowed',
    ],
    [
      'a cost above a hard hold',
      claim({ promptTokens: 10, completionTokens: 1 }, { isHard: true, heldPicoUsd: 19n }),
      { promptTokens: 10, completionTokens: 1 },
      'cost 20 exceeds the held 19 pico-USD',
    ],
    [
      'a fraction',
      claim({ promptTokens: 1.5, completionTokens: 1 }),
      { promptTokens: 2, completionTokens: 1 },
      'promptTokens is not a count',
    ],
    [
      'a negative figure',
      claim({ promptTokens: -1, completionTokens: 1 }),
      { promptTokens: undefined, completionTokens: 1 },
      'promptTokens is not a count',
    ],
    [
      'an answer without a count',
      claim({ promptTokens: 1, completionTokens: -3 }, { answerBytes: 41 }),
      { promptTokens: 1, completionTokens: 11 },
      'completionTokens is not a count',
    ],
  ];

  it.each(DISPUTED)('disputes %s and takes the larger figure', (_, bad, usage, dispute) => {
    expect(reconcileUsage(bad)).toEqual({ usage, disputes: [dispute] });
    expect(reconcileUsage(bad).disputes).toEqual([dispute]);
  });

  it('says everything that does not agree', () => {
    const bad = claim({ promptTokens: 1, cachedReadTokens: 2, completionTokens: 1, reasoningTokens: 2 });
    expect(reconcileUsage(bad).disputes).toHaveLength(2);
  });

  it('leaves the claim as it was', () => {
    const usage = Object.freeze({ promptTokens: 1, cachedReadTokens: 2, completionTokens: 0 });
    reconcileUsage(claim(usage));
    expect(usage).toEqual({ promptTokens: 1, cachedReadTokens: 2, completionTokens: 0 });
  });
});
