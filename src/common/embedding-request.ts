import type { CachingOption, DirectUse } from './chat-request';
import type { JsonObject } from './json';

/** One text, or its token ids in the model's own vocabulary. */
export type EmbeddingInput = string | readonly number[];

export const EMBEDDING_ENCODINGS = ['float', 'base64'] as const;
export type EmbeddingEncoding = (typeof EMBEDDING_ENCODINGS)[number];

/** What a text is for; some models make better vectors when they know. */
export type EmbeddingInputType = 'query' | 'document';

/** What the gateway hands to the embedding pipeline: validated, frozen. */
export interface EmbeddingRequest {
  readonly model: string;
  /** At least one; none is empty. */
  readonly inputs: readonly EmbeddingInput[];
  readonly dimensions?: number;
  readonly encoding: EmbeddingEncoding;
  readonly inputType?: EmbeddingInputType;
  readonly user?: string;
  /** Fields that nobody here knows, as they came. */
  readonly extra: JsonObject;
  /** May another seller of the same model take over? Default `same-model`. */
  readonly fallback?: 'same-model' | 'none';
  readonly useDirect?: DirectUse;
  /** May earlier vectors be given? Default: what the key says. */
  readonly cache?: CachingOption;
}
