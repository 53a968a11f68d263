import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import { isJsonObject, type JsonObject, type TokenUsage } from '../../../common/index';

/**
 * Google counts thoughts beside the candidates; here they are inside the completion. What Google did not mention
 * stays unknown, where the library would say 0.
 */
export function googleUsage({ raw }: LanguageModelV4Usage): TokenUsage {
  if (!isJsonObject(raw)) return {};
  const prompt = promptSide(raw);
  const reasoningTokens = count(raw.thoughtsTokenCount);
  const completionTokens =
    sum(count(raw.candidatesTokenCount), reasoningTokens) ?? remainder(raw, prompt.promptTokens);
  return { ...prompt, completionTokens, reasoningTokens };
}

/** Every event of a stream tells the prompt side; the completion side is known at the end only. */
export function googleEarlyUsage(part: LanguageModelV4StreamPart): TokenUsage | undefined {
  if (part.type !== 'raw' || !isJsonObject(part.rawValue)) return undefined;
  const { usageMetadata } = part.rawValue;
  return isJsonObject(usageMetadata) ? promptSide(usageMetadata) : undefined;
}

/** What tools of Google's own put into the prompt is counted apart and billed as input. */
function promptSide(raw: JsonObject): TokenUsage {
  return {
    promptTokens: sum(count(raw.promptTokenCount), count(raw.toolUsePromptTokenCount)),
    cachedReadTokens: count(raw.cachedContentTokenCount),
  };
}

/** A refused prompt has no count of candidates, and a total that says there were none. */
function remainder(raw: JsonObject, promptTokens: number | undefined): number | undefined {
  const total = count(raw.totalTokenCount);
  return total === undefined || promptTokens === undefined ? undefined : Math.max(0, total - promptTokens);
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0);
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
