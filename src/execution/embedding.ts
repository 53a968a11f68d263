import type { EmbeddingEncoding } from '../common/index';
import type { EmbeddingVector } from '../providers/index';
import type { CompletionMeta, CompletionTotals } from './completion';

export interface Embedding {
  readonly meta: CompletionMeta;
  readonly totals: CompletionTotals;
  /** In the order of the inputs, as the provider encoded them. */
  readonly vectors: readonly EmbeddingVector[];
  /** What the client asked for; see `encodeVector`. */
  readonly encoding: EmbeddingEncoding;
  /** As the provider named it; its id in the catalog where the provider did not. */
  readonly modelServed: string;
}
