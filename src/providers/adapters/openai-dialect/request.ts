import type { JsonObject } from '../../../common/index';
import type { ChatCall } from '../../provider.port';

/**
 * The JSON text of a non-streaming call: every field as the caller wrote it, unknown ones too; only `model` is the
 * upstream's.
 */
export function chatBody(call: ChatCall): string {
  const { body, model } = call;
  if (body.model === model.upstreamId && !body.stream) return JSON.stringify(body);
  const { stream: _stream, stream_options: _options, ...rest } = body;
  return JSON.stringify({ ...(body.stream ? rest : body), model: model.upstreamId });
}

/**
 * The JSON text of a streaming call. With `asksForUsage` the upstream is asked for a final usage chunk even when the
 * caller was not: the books need it.
 */
export function streamBody(call: ChatCall, asksForUsage: boolean): string {
  const { body, model } = call;
  const sent: Record<string, JsonObject[string]> = { ...body, model: model.upstreamId, stream: true };
  if (asksForUsage) sent.stream_options = { ...body.stream_options, include_usage: true };
  return JSON.stringify(sent);
}
