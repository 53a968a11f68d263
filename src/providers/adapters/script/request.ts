import type { JsonObject } from '../../../common/index';
import type { ChatCall, EmbedCall } from '../../provider.port';
import { embeddingsBody } from '../openai-dialect/embeddings';

const VERSION = 1;

/** What a script reads from standard input for a chat: one JSON object. */
export function chatInput({ model, body, requestId }: ChatCall, isStream: boolean): string {
  const { stream: _stream, stream_options: options, ...rest } = body;
  const request: JsonObject = isStream
    ? { ...rest, stream: true, stream_options: { ...options, include_usage: true } }
    : { ...rest, stream: false };
  return JSON.stringify({
    version: VERSION,
    kind: 'chat',
    model: model.upstreamId,
    request: { ...request, model: model.upstreamId },
    requestId,
    stream: isStream,
  });
}

/** The same for vectors; `request` is the body of an embeddings call. */
export function embeddingInput(call: EmbedCall): string {
  const { model, requestId } = call;
  const head = JSON.stringify({
    version: VERSION,
    kind: 'embedding',
    model: model.upstreamId,
    requestId,
    stream: false,
  });
  return `${head.slice(0, -1)},"request":${embeddingsBody(call)}}`;
}
