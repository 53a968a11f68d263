import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject } from '../../../common/index';
import type { EmbedCall, EmbeddingVector, EmbedResult } from '../../provider.port';
import { embedReport, isNumbers, isPackedVector, leftOut, tokenCount } from '../embedding';
import { jsonText } from './request';
import { requestIdOf, text } from './response';

/**
 * The JSON text of an embeddings call; fields that nobody here knows go along. Packed vectors are asked for wherever they
 * can be had, whatever the client asked for: as numbers they are several times as long to receive and to parse.
 */
export function embeddingsBody(call: EmbedCall): string {
  const { model, inputs, dimensions, encoding, inputType, user, extra } = call;
  return jsonText({
    ...extra,
    model: model.upstreamId,
    input: inputs,
    encoding_format: model.embedding?.hasBase64 ? 'base64' : encoding,
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
    if (typeof index !== 'number' || !isVector(embedding)) return undefined;
    vectors.set(index, embedding);
  }
  const ordered = Array.from({ length: data.length }, (_, index) => vectors.get(index));
  return ordered.every((vector) => vector !== undefined) ? ordered : undefined;
}

function isVector(value: unknown): value is EmbeddingVector {
  return typeof value === 'string' ? isPackedVector(value) : isNumbers(value);
}
