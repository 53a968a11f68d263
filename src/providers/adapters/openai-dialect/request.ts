import type { JsonObject } from '../../../common/index';
import { ValidationError } from '../../../errors/index';
import type { ChatCall } from '../../provider.port';

/**
 * The JSON text of a non-streaming call: every field as the caller wrote it, unknown ones too; only `model` is the
 * upstream's.
 */
export function chatBody(call: ChatCall): string {
  const { body, model } = call;
  if (body.model === model.upstreamId && !body.stream) return jsonText(body);
  const { stream: _stream, stream_options: _options, ...rest } = body;
  return jsonText({ ...(body.stream ? rest : body), model: model.upstreamId });
}

/**
 * The JSON text of a streaming call. The upstream is asked for a final usage chunk even when the caller wants none,
 * because the books need it; one that cannot be asked never is, and whoever wants the figures gets the books'.
 * @param asksUsage what is usual at the provider
 */
export function streamBody(call: ChatCall, asksUsage: boolean): string {
  const { body, model } = call;
  const sent: Record<string, JsonObject[string]> = { ...body, model: model.upstreamId, stream: true };
  if (model.asksStreamUsage ?? asksUsage)
    sent.stream_options = { ...body.stream_options, include_usage: true };
  else if (model.asksStreamUsage === false) delete sent.stream_options;
  return jsonText(sent);
}

/**
 * The text of an upstream request. Written before anything is sent, and told so to whoever books it.
 * @throws ValidationError when it cannot be written.
 */
export function jsonText(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new ValidationError('The request is nested too deeply to be sent: flatten it', { cause });
  }
}
