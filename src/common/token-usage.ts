/**
 * Tokens of one upstream attempt. `promptTokens` INCLUDES cached reads and cache writes, `completionTokens` INCLUDES
 * reasoning, whatever the provider's own convention. Unknown is undefined, never 0.
 */
export interface TokenUsage {
  readonly promptTokens?: number;
  readonly cachedReadTokens?: number;
  /** All cache writes, the one-hour ones included. */
  readonly cacheWriteTokens?: number;
  readonly cacheWriteOneHourTokens?: number;
  readonly completionTokens?: number;
  readonly reasoningTokens?: number;
}

/**
 * Where the figures of a usage line come from. `cached` and `shared` lines cost nothing: the answer was one that had come
 * before, or that another request was getting just then.
 */
export const USAGE_SOURCES = ['provider', 'estimated', 'upper_bound', 'cached', 'shared'] as const;
export type UsageSource = (typeof USAGE_SOURCES)[number];
