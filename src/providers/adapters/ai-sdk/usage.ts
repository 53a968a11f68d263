import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import type { JsonObject, TokenUsage } from '../../../common/index';

/** V4 totals already include cache on the prompt side and reasoning on the completion side; undefined stays undefined. */
export function tokenUsage(usage: LanguageModelV4Usage): TokenUsage {
  const { inputTokens, outputTokens } = usage;
  return {
    promptTokens: inputTokens.total,
    cachedReadTokens: inputTokens.cacheRead,
    cacheWriteTokens: inputTokens.cacheWrite,
    completionTokens: outputTokens.total,
    reasoningTokens: outputTokens.reasoning,
  };
}

/** The `usage` object of a chat completion, or undefined when the provider did not say enough for one. */
export function openAiUsage(usage: TokenUsage): JsonObject | undefined {
  const { promptTokens, completionTokens } = usage;
  if (promptTokens === undefined || completionTokens === undefined) return undefined;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(usage.cachedReadTokens !== undefined && {
      prompt_tokens_details: { cached_tokens: usage.cachedReadTokens },
    }),
    ...(usage.reasoningTokens !== undefined && {
      completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    }),
  };
}
