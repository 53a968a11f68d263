import { isJsonObject, type JsonObject } from '../../../common/index';
import type { EmbedCall, EmbedResult } from '../../provider.port';
import type { Received } from '../ai-sdk/post-json';
import { embedReport, leftOut, numberVectors, tokenCount } from '../embedding';

const TASK_TYPES = { query: 'RETRIEVAL_QUERY', document: 'RETRIEVAL_DOCUMENT' } as const;

/** The body of `batchEmbedContents`: one request per text. */
export function googleEmbedBody({ model, inputs, dimensions, inputType }: EmbedCall): JsonObject {
  const taskType = inputType && model.embedding?.hasInputTypes ? TASK_TYPES[inputType] : undefined;
  return {
    requests: inputs.map((text) => ({
      model: `models/${model.upstreamId}`,
      content: { parts: [{ text }] },
      outputDimensionality: dimensions,
      taskType,
    })),
  };
}

/** Google did not always count here; then the tokens stay unknown. */
export function googleEmbedResult(call: EmbedCall, received: Received): EmbedResult | undefined {
  const { embeddings, usageMetadata } = received.body;
  if (!Array.isArray(embeddings)) return undefined;
  const vectors = numberVectors(
    embeddings.map((item: unknown) => (isJsonObject(item) ? item.values : undefined)),
  );
  if (!vectors) return undefined;
  const usage = isJsonObject(usageMetadata) ? usageMetadata : undefined;
  return {
    vectors,
    report: embedReport({
      promptTokens: tokenCount(usage?.promptTokenCount) ?? tokenCount(usage?.totalTokenCount),
      rawUsage: usage,
      upstreamRequestId: received.upstreamRequestId,
      warnings: leftOut(call, false),
    }),
  };
}
