import { isJsonObject, type JsonObject } from '../../../common/index';
import { type ErrorDialect, toProviderError } from './errors';
import { Exchange } from './exchange';
import type { UndiciTransport } from './undici-fetch';

export interface GetJsonOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly transport: UndiciTransport;
  readonly dialect: ErrorDialect;
}

const TIMEOUT_MS = 10_000;
const TIMEOUTS = { connectMs: TIMEOUT_MS, firstByteMs: TIMEOUT_MS, idleMs: TIMEOUT_MS, totalMs: TIMEOUT_MS };

/** A small unbilled read, for instance the list of models. @throws ProviderError like a chat. */
export async function getJson(url: string, options: GetJsonOptions): Promise<JsonObject> {
  const exchange = new Exchange({ timeouts: TIMEOUTS, signal: options.signal, isStream: false });
  try {
    const response = await options.transport.fetchFor(exchange)(url, { headers: options.headers });
    const text = await response.text();
    if (!response.ok) throw Object.assign(new Error(), { statusCode: response.status, responseBody: text });
    const body: unknown = JSON.parse(text);
    if (!isJsonObject(body)) throw new TypeError('not an object');
    return body;
  } catch (error) {
    throw toProviderError(error, exchange, options.dialect);
  } finally {
    exchange.finish();
  }
}
