import type { JsonObject, JsonValue } from '../../common/index';

/** How an answer ended, as far as OpenAI's dialect tells. */
export interface Ending {
  readonly finishReason?: JsonValue;
  /** The matched sequence, where a server says it (vLLM does, in `stop_reason`). */
  readonly matched?: JsonValue;
  readonly hasCalls: boolean;
  readonly isRefusal: boolean;
}

/** Anthropic's fields about the end. An upstream that gave no reason gets none made up here. */
export function stopFields(ending: Ending, stopSequences: readonly string[]): JsonObject {
  const reason = stopReason(ending);
  const { matched } = ending;
  const isMatch = reason === 'end_turn' && typeof matched === 'string' && stopSequences.includes(matched);
  return {
    stop_reason: isMatch ? 'stop_sequence' : reason,
    stop_sequence: isMatch ? matched : null,
    stop_details: null,
  };
}

/** Some servers say `stop` behind tool calls; clients go on only when told of them. */
function stopReason({ finishReason, hasCalls, isRefusal }: Ending): string | null {
  if (finishReason === 'length') return 'max_tokens';
  if (finishReason === 'content_filter' || isRefusal) return 'refusal';
  if (hasCalls) return 'tool_use';
  return typeof finishReason === 'string' ? 'end_turn' : null;
}
