import { Agent, type Dispatcher, request } from 'undici';
import { CONNECT_CAP_MS, orAborted } from '../../../common/index';
import { ERROR_LIMIT_BYTES } from '../answer-limits';
import type { Exchange } from './exchange';

const WITHOUT_BODY = new Set([204, 205, 304]);

/** A 2xx answer to a streaming call that is no stream; the body may hold an error object. */
export class UnexpectedBodyError extends Error {
  constructor(readonly responseBody: string) {
    super('The answer is not an event stream');
  }
}

/**
 * A `fetch` over undici's faster `request`, with one keep-alive agent for all calls of an adapter. It has no timeouts
 * of its own, decodes nothing and follows no redirects; the timers are those of the Exchange.
 */
export class UndiciTransport {
  readonly #agent = new Agent({
    connect: { timeout: CONNECT_CAP_MS },
    // Over HTTP/2 undici sends a request again by itself that the server refused on its way out.
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  readonly #dispatcher = this.#agent.compose(tellWhenSent);

  /** A fetch whose one request is recorded in `exchange`. */
  fetchFor(exchange: Exchange): typeof globalThis.fetch {
    return async (url, init = {}) => {
      exchange.requested();
      const { statusCode, headers, body } = await this.#request(urlOf(url), init, exchange);
      const flat = flatHeaders(headers);
      exchange.answered(statusCode, flat);
      if (exchange.isStream && statusCode < 300 && !isEventStream(flat)) {
        throw new UnexpectedBodyError(await new Response(webStream(body, exchange)).text());
      }
      return new Response(WITHOUT_BODY.has(statusCode) ? null : webStream(body, exchange), {
        status: statusCode,
        headers: flat,
      });
    };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #request(
    url: string,
    init: RequestInit,
    exchange: Exchange,
  ): Promise<Dispatcher.ResponseData<unknown>> {
    exchange.signal.throwIfAborted();
    const pending = request(url, {
      dispatcher: this.#dispatcher,
      method: init.method ?? 'GET',
      headers: sentHeaders(init.headers),
      body: typeof init.body === 'string' ? init.body : null,
      signal: exchange.signal,
      opaque: exchange,
    });
    try {
      return await orAborted(pending, exchange.signal);
    } catch (error) {
      exchange.networkError = error;
      throw error;
    }
  }
}

/** Marks the exchange (passed as `opaque`) at the moment its request goes onto a connected socket. */
const tellWhenSent: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const exchange = (options as Dispatcher.RequestOptions<Exchange>).opaque;
  const start = handler.onRequestStart?.bind(handler);
  handler.onRequestStart = (controller, context) => {
    exchange?.sent();
    start?.(controller, context);
  };
  return dispatch(options, handler);
};

/** The text of an error status ends at its limit; of any other answer the exchange decides. */
function webStream(body: Dispatcher.ResponseData['body'], exchange: Exchange): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const isError = (exchange.status ?? 0) >= 300;
  let readBytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        exchange.awaitingBytes();
        try {
          const { done, value } = await iterator.next();
          const bytes = done ? 0 : value.length;
          exchange.received(bytes);
          readBytes += bytes;
          if (!done) controller.enqueue(value);
          const isCut = isError && readBytes > ERROR_LIMIT_BYTES;
          if (done || isCut) controller.close();
          if (isCut) body.destroy();
        } catch (error) {
          exchange.networkError = error;
          controller.error(error);
        }
      },
      cancel() {
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

function isEventStream(headers: Readonly<Record<string, string>>): boolean {
  return /event-?stream/.test(headers['content-type'] ?? 'event-stream');
}

function urlOf(input: string | URL | Request): string {
  if (typeof input === 'string') return input;
  return input instanceof URL ? input.href : input.url;
}

function flatHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** Empty values are left out: a base URL without a key has an empty key header. */
function sentHeaders(headers: RequestInit['headers']): Record<string, string> {
  const entries = headers instanceof Headers ? [...headers.entries()] : Object.entries(headers ?? {});
  return Object.fromEntries(entries.filter(([, value]) => value)) as Record<string, string>;
}
