import { isJsonObject, type JsonObject } from '../../../common/index';
import type { EmbedCall, EmbedResult } from '../../provider.port';
import { textsOf } from '../embedding';
import { type ErrorDialect, toProviderError, upstreamRequestId } from './errors';
import { Exchange } from './exchange';
import type { UndiciTransport } from './undici-fetch';

export interface Received {
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
  readonly upstreamRequestId?: string;
}

export interface EmbedPost {
  readonly call: EmbedCall;
  readonly body: object;
  /** The headers for a body of this text. */
  readonly headers: (text: string) => Readonly<Record<string, string>>;
  readonly transport: UndiciTransport;
  readonly dialect: ErrorDialect;
  /** Undefined when the answer is not what the dialect says. */
  readonly read: (received: Received) => EmbedResult | undefined;
}

/** One POST that asks for vectors, under the model's own timers. @throws ProviderError like a chat. */
export async function postForVectors(url: string, post: EmbedPost): Promise<EmbedResult> {
  const { call, transport, dialect } = post;
  const { timeouts } = call.model;
  const prompts = textsOf(call.inputs);
  const exchange = new Exchange({ timeouts, signal: call.signal, isStream: false, prompts });
  try {
    const sent = JSON.stringify(post.body);
    const response = await transport.fetchFor(exchange)(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': call.requestId, ...post.headers(sent) },
      body: sent,
    });
    const text = await response.text();
    if (!response.ok) throw Object.assign(new Error(), { statusCode: response.status, responseBody: text });
    const body: unknown = JSON.parse(text);
    const result = isJsonObject(body)
      ? post.read({
          body,
          headers: exchange.headers,
          upstreamRequestId: upstreamRequestId(exchange, dialect),
        })
      : undefined;
    if (!result) throw new TypeError('The answer holds no vectors');
    return result;
  } catch (error) {
    throw toProviderError(error, exchange, dialect);
  } finally {
    exchange.finish();
  }
}
