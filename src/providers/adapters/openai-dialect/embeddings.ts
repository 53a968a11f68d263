import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject } from '../../../common/index';
import type { EmbedCall, EmbeddingVector, EmbedResult } from '../../provider.port';
import { embedReport, isNumbers, leftOut, tokenCount } from '../embedding';
import { requestIdOf, text } from './response';

/** The JSON text of an embeddings call; fields that nobody here knows go along. */
export function embeddingsBody(call: EmbedCall): string {
  const { model, inputs, dimensions, encoding, inputType, user, extra } = call;
  return JSON.stringify({
    ...extra,
    model: model.upstreamId,
    input: inputs,
    encoding_format: encoding,
    dimensions,
    input_type: model.embedding?.hasInputTypes ? inputType : undefined,
    user,
  });
}

/** The result of a parsed list of embeddings, in the order of their `index`; undefined when it is none. */
export function embedResult(
  call: EmbedCall,
  body: JsonObject,
  headers: IncomingHttpHeaders,
): EmbedResult | undefined {
  const vectors = vectorsOf(body.data);
  if (!vectors) return undefined;
  const usage = isJsonObject(body.usage) ? body.usage : undefined;
  return {
    vectors,
    report: embedReport({
      promptTokens: tokenCount(usage?.prompt_tokens) ?? tokenCount(usage?.total_tokens),
      rawUsage: usage,
      modelServed: text(body.model),
      upstreamRequestId: requestIdOf(headers),
      warnings: leftOut(call, true),
    }),
  };
}

function vectorsOf(data: unknown): readonly EmbeddingVector[] | undefined {
  if (!Array.isArray(data)) return undefined;
  const vectors = new Map<number, EmbeddingVector>();
  for (const [position, item] of (data as readonly unknown[]).entries()) {
    if (!isJsonObject(item)) return undefined;
    const { embedding, index = position } = item;
    if (typeof index !== 'number' || !(typeof embedding === 'string' || isNumbers(embedding)))
      return undefined;
    vectors.set(index, embedding);
  }
  const ordered = Array.from({ length: data.length }, (_, index) => vectors.get(index));
  return ordered.every((vector) => vector !== undefined) ? ordered : undefined;
}
