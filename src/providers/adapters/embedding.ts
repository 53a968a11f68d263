/** What adapters that embed share: the texts of a call, the report of its answer, and what could not be passed on. */
import type { EmbeddingInput, JsonValue } from '../../common/index';
import type { AttemptReport, EmbedCall } from '../provider.port';

export interface EmbedFacts {
  readonly promptTokens?: number;
  readonly rawUsage?: JsonValue;
  readonly modelServed?: string;
  readonly upstreamRequestId?: string;
  readonly warnings?: readonly string[];
}

/** Vectors hold no tokens, so the completion is 0 as soon as the prompt is known. */
export function embedReport(facts: EmbedFacts): AttemptReport {
  const { promptTokens, warnings = [], ...rest } = facts;
  return {
    ...rest,
    usage: promptTokens === undefined ? {} : { promptTokens, completionTokens: 0 },
    finishReason: 'stop',
    warnings,
  };
}

export function textsOf(inputs: readonly EmbeddingInput[]): string[] {
  return inputs.filter((input) => typeof input === 'string');
}

/** Parameters that the model does not know and that were not sent. */
export function leftOut(call: EmbedCall, takesExtra: boolean): readonly string[] {
  const { id, embedding } = call.model;
  const names = takesExtra ? [] : Object.keys(call.extra);
  if (call.inputType && !embedding?.hasInputTypes) names.unshift('input_type');
  return names.length > 0 ? [`${names.join(', ')} left out: ${id} does not know it`] : [];
}

/** A list of vectors as numbers, or undefined when it is none. */
export function numberVectors(value: unknown): (readonly number[])[] | undefined {
  return Array.isArray(value) && value.every(isNumbers) ? value : undefined;
}

export function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

/** Base64 of whole 32-bit floats, by its length. */
export function isPackedVector(text: string): boolean {
  return text !== '' && Buffer.byteLength(text, 'base64') % Float32Array.BYTES_PER_ELEMENT === 0;
}

export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
