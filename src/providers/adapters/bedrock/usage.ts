import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import { isJsonObject, type JsonObject, type TokenUsage } from '../../../common/index';
import { tokenUsage } from '../ai-sdk/usage';

/**
 * Bedrock's `inputTokens` exclude cache reads and writes; the library's totals include them. What Bedrock did not
 * mention stays unknown, where the library would say 0. Reasoning is inside the output and not told apart.
 */
export function bedrockUsage(usage: LanguageModelV4Usage): TokenUsage {
  const raw = isJsonObject(usage.raw) ? usage.raw : {};
  return {
    ...tokenUsage(usage),
    cachedReadTokens: count(raw.cacheReadInputTokens),
    cacheWriteTokens: count(raw.cacheWriteInputTokens),
    cacheWriteOneHourTokens: oneHourWrites(raw),
  };
}

function oneHourWrites({ cacheDetails }: JsonObject): number | undefined {
  if (!Array.isArray(cacheDetails)) return undefined;
  return (cacheDetails as readonly unknown[])
    .map((detail) => (isJsonObject(detail) && detail.ttl === '1h' ? (count(detail.inputTokens) ?? 0) : 0))
    .reduce((sum, tokens) => sum + tokens, 0);
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
