import type { JsonObject } from '../../../common/index';
import type { EmbedCall, EmbedResult } from '../../provider.port';
import { invalidRequest } from '../ai-sdk/invalid-request';
import type { Received } from '../ai-sdk/post-json';
import { cohereEmbedBody, cohereVectors } from '../cohere/embed';
import { embedReport, isNumbers, leftOut, tokenCount } from '../embedding';

/** Some models count in their answer, all of them in a header. */
const TOKENS_HEADER = 'x-amzn-bedrock-input-token-count';

/** The body of InvokeModel in the dialect of the model's maker; Amazon's models take one text at a time. */
export function bedrockEmbedBody(call: EmbedCall): JsonObject {
  if (isCohere(call)) return cohereEmbedBody(call);
  const [inputText, ...more] = call.inputs;
  if (typeof inputText !== 'string' || more.length > 0) {
    throw invalidRequest('input', `${call.model.id} takes one text per request: set its maxBatch to 1`);
  }
  return { inputText, dimensions: call.dimensions };
}

export function bedrockEmbedResult(call: EmbedCall, received: Received): EmbedResult | undefined {
  const { body, headers } = received;
  const vectors = isCohere(call)
    ? cohereVectors(body)
    : isNumbers(body.embedding)
      ? [body.embedding]
      : undefined;
  if (!vectors) return undefined;
  const counted = tokenCount(body.inputTextTokenCount);
  const inHeader = headers[TOKENS_HEADER];
  const promptTokens = counted ?? (inHeader ? tokenCount(Number(inHeader)) : undefined);
  return {
    vectors,
    report: embedReport({
      promptTokens,
      rawUsage: promptTokens === undefined ? undefined : { inputTokens: promptTokens },
      upstreamRequestId: received.upstreamRequestId,
      warnings: leftOut(call, false),
    }),
  };
}

/** An application's inference profile hides the maker in its name; the catalog's base model tells it. */
function isCohere({ model }: EmbedCall): boolean {
  return /cohere|^embed-/.test(`${model.upstreamId}`) || /^(?:cohere\.)?embed-/.test(model.baseModel);
}
