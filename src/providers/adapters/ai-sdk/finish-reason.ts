import type { LanguageModelV4FinishReason, SharedV4ProviderMetadata } from '@ai-sdk/provider';
import { isJsonObject, type JsonObject } from '../../../common/index';
import type { FinishReason } from '../../provider.port';

/** Only an answer with its own end is whole: without one the stream was cut, whatever the transport said. */
export function isCompleted({ unified, raw }: LanguageModelV4FinishReason): boolean {
  if (unified === 'error' || unified === 'interrupted') return false;
  return unified !== 'other' || raw !== undefined;
}

/** The library's word for a reason, or the vendor's own where the library has none. */
export function knownReason(
  reason: LanguageModelV4FinishReason,
  stopReasons: Readonly<Record<string, LanguageModelV4FinishReason['unified']>> = {},
): LanguageModelV4FinishReason {
  const { unified, raw } = reason;
  if (unified !== 'other' || raw === undefined) return reason;
  return { unified: stopReasons[raw] ?? unified, raw };
}

export function finishReason({ unified }: LanguageModelV4FinishReason): FinishReason {
  switch (unified) {
    case 'stop':
    case 'length':
    case 'error':
      return unified;
    case 'tool-calls':
      return 'tool_calls';
    case 'content-filter':
      return 'content_filter';
    case 'interrupted':
    case 'other':
      return 'unknown';
    default:
      return unified satisfies never;
  }
}

/** OpenAI's dialect knows four reasons; a reason of the provider's own is a normal end. */
export function openAiFinishReason(reason: FinishReason): string {
  return reason === 'unknown' || reason === 'error' ? 'stop' : reason;
}

/** The stop sequence that ended the answer, where the provider names it, in the field that vLLM has for it. */
export function matchedStop(metadata: SharedV4ProviderMetadata | undefined): JsonObject {
  for (const own of Object.values(metadata ?? {})) {
    if (isJsonObject(own) && typeof own.stopSequence === 'string') return { stop_reason: own.stopSequence };
  }
  return {};
}
