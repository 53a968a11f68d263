/** Pure: how the inputs of an embedding request are counted and split over upstream requests. */
import type { EmbeddingFacts } from '../catalog/index';
import type { EmbeddingInput } from '../common/index';

/** A model's own marks around a text, in tokens; the bound counts one per byte. */
const INPUT_OVERHEAD = 8;
const ESTIMATED_TOKENS_PER_BYTE = 1.1 / 4;
/**
 * What one upstream request may bring. Its answer is parsed in one go, while everybody else waits; far below the length
 * at which reading is given up, and the least that a script may write by default.
 */
const ANSWER_BYTES = 16 * 1024 * 1024;
/** Of one number with its sign, 17 digits, exponent and indentation. */
const NUMBER_BYTES = 32;
const PACKED_NUMBER_BYTES = (Float32Array.BYTES_PER_ELEMENT * 4) / 3;
/** What stands around a vector. */
const VECTOR_OVERHEAD_BYTES = 128;
/** Longer than most vectors of the models nobody said it of. */
const CAUTIOUS_DIMENSIONS = 4096;

export interface InputTokens {
  /** The input cannot have more. */
  readonly bound: number;
  readonly estimated: number;
}

export type BatchLimits = Pick<EmbeddingFacts, 'maxBatch' | 'maxBatchTokens'>;

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
 * What one upstream request may hold: as much as the model takes, and no more than a whole answer is sure to fit.
 * @param asked the vectors' length, where the request names one
 */
export function batchLimits(facts: EmbeddingFacts, asked: number | undefined): BatchLimits {
  const { dimensions = CAUTIOUS_DIMENSIONS, hasBase64, maxBatch, maxBatchTokens } = facts;
  const numberBytes = hasBase64 ? PACKED_NUMBER_BYTES : NUMBER_BYTES;
  const vectorBytes = (asked ?? dimensions) * numberBytes + VECTOR_OVERHEAD_BYTES;
  const vectors = Math.max(1, Math.floor(ANSWER_BYTES / vectorBytes));
  return { maxBatch: Math.min(maxBatch, vectors), maxBatchTokens };
}

/**
 * In the order of the inputs, each batch as large as it may be; an input that is too long by itself gets a batch
 * of its own, for its provider to judge.
 */
export function splitInputs(
  inputs: readonly EmbeddingInput[],
  tokens: readonly InputTokens[],
  { maxBatch, maxBatchTokens = Infinity }: BatchLimits,
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
