import { isJsonObject, type JsonObject, type JsonValue, type TokenUsage } from '../../../common/index';

const UNKNOWN: TokenUsage = Object.freeze({});

/**
 * Normalises a `usage` object of the chat dialect. OpenAI counts cached tokens inside the prompt and reasoning inside
 * the completion; some compatible servers leave reasoning out, which shows in their own total.
 */
export function tokenUsage(raw: JsonValue | undefined): TokenUsage {
  if (!isJsonObject(raw)) return UNKNOWN;
  const promptDetails = objectIn(raw, 'prompt_tokens_details');
  const completionDetails = objectIn(raw, 'completion_tokens_details');
  const promptTokens = count(raw.prompt_tokens);
  const reasoningTokens = count(completionDetails?.reasoning_tokens);
  return {
    promptTokens,
    cachedReadTokens: count(promptDetails?.cached_tokens) ?? count(raw.prompt_cache_hit_tokens),
    cacheWriteTokens: count(promptDetails?.cache_write_tokens),
    completionTokens: withReasoning(raw, promptTokens, reasoningTokens),
    reasoningTokens,
  };
}

function withReasoning(raw: JsonObject, prompt?: number, reasoning?: number): number | undefined {
  const completion = count(raw.completion_tokens);
  if (completion === undefined || prompt === undefined || !reasoning) return completion;
  const isLeftOut = count(raw.total_tokens) === prompt + completion + reasoning;
  return isLeftOut ? completion + reasoning : completion;
}

function objectIn(raw: JsonObject, key: string): JsonObject | undefined {
  const value = raw[key];
  return isJsonObject(value) ? value : undefined;
}

function count(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
