import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import { isJsonObject, type JsonObject, type TokenUsage } from '../../../common/index';
import { tokenUsage } from '../ai-sdk/usage';

/**
 * Anthropic's `input_tokens` exclude cache reads and writes; the library's totals include them. What Anthropic did
 * not mention stays unknown, where the library would say 0.
 */
export function anthropicUsage(usage: LanguageModelV4Usage): TokenUsage {
  const raw = isJsonObject(usage.raw) ? usage.raw : {};
  return { ...tokenUsage(usage), ...cacheUsage(raw), reasoningTokens: thinkingTokens(raw) };
}

/** The prompt side stands in the first event of a stream already; the completion side is known at the end only. */
export function anthropicEarlyUsage(part: LanguageModelV4StreamPart): TokenUsage | undefined {
  if (part.type !== 'custom' || part.kind !== 'anthropic.message_start') return undefined;
  const raw = part.providerMetadata?.anthropic?.usage;
  if (!isJsonObject(raw)) return undefined;
  const cache = cacheUsage(raw);
  const input = count(raw.input_tokens);
  const cached = (cache.cachedReadTokens ?? 0) + (cache.cacheWriteTokens ?? 0);
  return { ...cache, promptTokens: input === undefined ? undefined : input + cached };
}

function cacheUsage(raw: JsonObject): TokenUsage {
  const creation = isJsonObject(raw.cache_creation) ? raw.cache_creation : {};
  return {
    cachedReadTokens: count(raw.cache_read_input_tokens),
    cacheWriteTokens: count(raw.cache_creation_input_tokens),
    cacheWriteOneHourTokens: count(creation.ephemeral_1h_input_tokens),
  };
}

function thinkingTokens(raw: JsonObject): number | undefined {
  const details = isJsonObject(raw.output_tokens_details) ? raw.output_tokens_details : {};
  return count(details.thinking_tokens);
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
