import type { JsonObject, TokenUsage } from '../common/index';

const FIELDS = [
  'promptTokens',
  'cachedReadTokens',
  'cacheWriteTokens',
  'cacheWriteOneHourTokens',
  'completionTokens',
  'reasoningTokens',
] as const satisfies readonly (keyof TokenUsage)[];

/** Adds two usages; what neither knows stays unknown. */
export function addUsage(left: TokenUsage, right: TokenUsage): TokenUsage {
  const sum: { -readonly [K in keyof TokenUsage]: TokenUsage[K] } = {};
  for (const field of FIELDS) {
    const value = left[field] === undefined ? right[field] : left[field] + (right[field] ?? 0);
    if (value !== undefined) sum[field] = value;
  }
  return sum;
}

/** A usage in OpenAI's shape; unknown details are left out. */
export function openAiUsage(usage: TokenUsage): JsonObject {
  const prompt = usage.promptTokens ?? 0;
  const completion = usage.completionTokens ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(usage.cachedReadTokens === undefined
      ? {}
      : { prompt_tokens_details: { cached_tokens: usage.cachedReadTokens } }),
    ...(usage.reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: usage.reasoningTokens } }),
  };
}
