/** Pure: how the inputs of an embedding request are counted and split over upstream requests. */
import type { EmbeddingFacts } from '../catalog/index';
import type { EmbeddingInput } from '../common/index';

/** A model's own marks around a text, in tokens; the bound counts one per byte. */
const INPUT_OVERHEAD = 8;
const ESTIMATED_TOKENS_PER_BYTE = 1.1 / 4;

export interface InputTokens {
  /** The input cannot have more. */
  readonly bound: number;
  readonly estimated: number;
}

/** The inputs of one upstream request. */
export interface Batch {
  /** Where the first one stands in the request. */
  readonly start: number;
  readonly inputs: readonly EmbeddingInput[];
  readonly tokens: InputTokens;
}

export function inputTokens(input: EmbeddingInput): InputTokens {
  if (typeof input !== 'string') return { bound: input.length + INPUT_OVERHEAD, estimated: input.length };
  const bytes = Buffer.byteLength(input);
  return { bound: bytes + INPUT_OVERHEAD, estimated: Math.ceil(bytes * ESTIMATED_TOKENS_PER_BYTE) };
}

export function addTokens(parts: readonly { readonly tokens: InputTokens }[]): InputTokens {
  let bound = 0;
  let estimated = 0;
  for (const { tokens } of parts) {
    bound += tokens.bound;
    estimated += tokens.estimated;
  }
  return { bound, estimated };
}

/**
 * In the order of the inputs, each batch as large as the model allows; an input that is too long by itself gets a batch
 * of its own, for its provider to judge.
 */
export function splitInputs(
  inputs: readonly EmbeddingInput[],
  tokens: readonly InputTokens[],
  { maxBatch, maxBatchTokens = Infinity }: Pick<EmbeddingFacts, 'maxBatch' | 'maxBatchTokens'>,
): readonly Batch[] {
  const batches: Batch[] = [];
  let start = 0;
  let bound = 0;
  let estimated = 0;
  const close = (end: number): void => {
    if (end > start) batches.push({ start, inputs: inputs.slice(start, end), tokens: { bound, estimated } });
    start = end;
    bound = 0;
    estimated = 0;
  };
  for (const [index, own] of tokens.entries()) {
    if (index - start >= maxBatch || bound + own.bound > maxBatchTokens) close(index);
    bound += own.bound;
    estimated += own.estimated;
  }
  close(inputs.length);
  return batches;
}
