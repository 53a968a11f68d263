import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream';
import type { OutboundClient, OutboundRequest, OutboundStream } from '../../common/index';
import type { FetchLike } from './mcp-sdk';

/** Of one message. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const WITHOUT_BODY = new Set([204, 205, 304]);
/** The caller's own limit comes first; this one ends what a server never ends. */
const SPARE_MS = 5000;

/** The library's way to the network: through the outbound client and its rule, at every request and every redirect. */
export function mcpFetch(client: OutboundClient, timeoutMs: number): FetchLike {
  return async (url, { method = 'GET', headers, body, signal } = {}) => {
    // A GET stands for as long as the connection and brings notifications.
    const limits = method === 'GET' ? [] : [AbortSignal.timeout(timeoutMs + SPARE_MS)];
    const answer = await client.open(
      String(url),
      {
        method: method as OutboundRequest['method'],
        headers: { 'user-agent': 'Lattice', ...Object.fromEntries(new Headers(headers)) },
        body: typeof body === 'string' ? body : undefined,
      },
      AbortSignal.any([...limits, ...(signal ? [signal] : [])]),
    );
    return responseOf(answer);
  };
}

function responseOf({ status, headers, body }: OutboundStream): Response {
  const head = { status, headers: entriesOf(headers) };
  if (WITHOUT_BODY.has(status)) {
    body.on('error', () => undefined).destroy();
    return new Response(null, head);
  }
  const isStream = String(headers['content-type'] ?? '').startsWith('text/event-stream');
  const bounded = pipeline(body, new MessageLimit(isStream), () => undefined);
  return new Response(Readable.toWeb(bounded) as ReadableStream<Uint8Array>, head);
}

function entriesOf(headers: OutboundStream['headers']): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
}

/** Ends a body whose message grows too long. In a stream of events a blank line ends one. */
class MessageLimit extends Transform {
  private bytes = 0;

  constructor(private readonly isStream: boolean) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const end = this.isStream ? Math.max(chunk.lastIndexOf('\n\n'), chunk.lastIndexOf('\r\n\r\n')) : -1;
    this.bytes = end < 0 ? this.bytes + chunk.length : chunk.length - end;
    if (this.bytes > MAX_MESSAGE_BYTES) done(new Error(`A message has more than ${MAX_MESSAGE_BYTES} bytes`));
    else done(null, chunk);
  }
}
