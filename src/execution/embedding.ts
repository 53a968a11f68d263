import type { EmbeddingVector } from '../providers/index';
import type { CompletionMeta, CompletionTotals } from './completion';

/** Vectors in the order of the inputs, in the encoding that was asked for. */
export interface Embedding {
  readonly meta: CompletionMeta;
  readonly totals: CompletionTotals;
  readonly vectors: readonly EmbeddingVector[];
  /** As the provider named it. */
  readonly modelServed: string;
}
