/** Cohere's dialect of embeddings, as it is spoken at Cohere and on Bedrock. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import type { EmbedCall } from '../../provider.port';
import { numberVectors } from '../embedding';

const INPUT_TYPES = { query: 'search_query', document: 'search_document' } as const;

/** Its models must be told what a text is for; a text that is too long is refused, as elsewhere, and not cut. */
export function cohereEmbedBody({ inputs, dimensions, inputType = 'document' }: EmbedCall): JsonObject {
  return {
    texts: inputs as readonly JsonValue[],
    input_type: INPUT_TYPES[inputType],
    embedding_types: ['float'],
    output_dimension: dimensions,
    truncate: 'NONE',
  };
}

/** `{float: [[…]]}`, or the bare list of older models. */
export function cohereVectors({ embeddings }: JsonObject): (readonly number[])[] | undefined {
  return numberVectors(isJsonObject(embeddings) ? embeddings.float : embeddings);
}
