import type { JsonObject, TokenUsage } from '../../common/index';

/** OpenAI's counts include one another; its clients add the details up, so that unknown ones have to be 0. */
export function responseUsage(usage: TokenUsage): JsonObject {
  const { promptTokens = 0, completionTokens = 0 } = usage;
  return {
    input_tokens: promptTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedReadTokens ?? 0,
      cache_write_tokens: usage.cacheWriteTokens ?? 0,
    },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: promptTokens + completionTokens,
  };
}
