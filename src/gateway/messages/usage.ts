import type { JsonObject, TokenUsage } from '../../common/index';

/** Anthropic's counts exclude one another: `input_tokens` are those neither read from a cache nor written to one. */
export function messageUsage(usage: TokenUsage): JsonObject {
  const {
    promptTokens = 0,
    cachedReadTokens,
    cacheWriteTokens,
    completionTokens = 0,
    reasoningTokens,
  } = usage;
  return {
    input_tokens: Math.max(0, promptTokens - (cachedReadTokens ?? 0) - (cacheWriteTokens ?? 0)),
    cache_creation_input_tokens: cacheWriteTokens ?? null,
    cache_read_input_tokens: cachedReadTokens ?? null,
    output_tokens: completionTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  };
}

/** The whole `usage` object of a message, which has fields that its change in a stream has not. */
export function wholeUsage(usage: TokenUsage): JsonObject {
  return {
    ...messageUsage(usage),
    cache_creation: cacheCreation(usage),
    inference_geo: null,
    service_tier: null,
    speed: null,
  };
}

function cacheCreation({ cacheWriteTokens, cacheWriteOneHourTokens }: TokenUsage): JsonObject | null {
  if (cacheWriteTokens === undefined || cacheWriteOneHourTokens === undefined) return null;
  return {
    ephemeral_5m_input_tokens: Math.max(0, cacheWriteTokens - cacheWriteOneHourTokens),
    ephemeral_1h_input_tokens: cacheWriteOneHourTokens,
  };
}
