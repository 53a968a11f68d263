import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { checkAddresses, checkUrl, isAllowedHost, type OutboundRules } from './outbound-url';

export interface OutboundRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything: looking up the name, connecting, the answer to its end. */
  readonly timeoutMs: number;
  /** Of the answer's body; what is beyond is not read. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface OutboundAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** There was more than `maxBytes`. */
  readonly isCut: boolean;
}

export type ResolveHost = (hostname: string) => Promise<readonly { address: string; family: number }[]>;

/** An attempt to connect goes on this long after its call was given up; undici cannot stop it. */
const CONNECT_CAP_MS = 15_000;

/**
 * Calls URLs that users have set. A name is resolved once, every address is checked, and the connection is made to
 * those very addresses, so that a name which changes its mind in between (DNS rebinding) gains nothing. Redirects are
 * answers like any other and never followed; proxies of the environment are not used.
 */
export class OutboundClient {
  private readonly agent: Agent;

  constructor(
    private readonly rules: OutboundRules,
    resolve: ResolveHost = (hostname) => lookup(hostname, { all: true, order: 'verbatim' }),
  ) {
    const limits = { timeout: CONNECT_CAP_MS, allowH2: false };
    const toAnything = buildConnector({ ...limits, lookup: lookupWith(resolve, () => undefined) });
    const toPublic = buildConnector({ ...limits, lookup: lookupWith(resolve, checkAddresses) });
    this.agent = new Agent({
      connect: (target, done) => (this.isAllowed(target) ? toAnything : toPublic)(target, done),
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 1000,
      keepAliveMaxTimeout: 1000,
    });
  }

  /**
   * @throws OutboundUrlError, the signal's reason, a `TimeoutError`, or the connection's failure; any status is an
   * answer.
   */
  async send(url: string, outbound: OutboundRequest): Promise<OutboundAnswer> {
    const target = checkUrl(url, this.rules);
    const signal = AbortSignal.any([
      AbortSignal.timeout(outbound.timeoutMs),
      ...(outbound.signal ? [outbound.signal] : []),
    ]);
    return await orAborted(this.exchange(target, outbound, signal), signal);
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async exchange(
    target: URL,
    { method, headers, body, maxBytes }: OutboundRequest,
    signal: AbortSignal,
  ): Promise<OutboundAnswer> {
    const answer = await request(target, {
      dispatcher: this.agent,
      method,
      headers,
      body: body ?? null,
      signal,
    });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      ...(await readUpTo(answer.body, maxBytes)),
    };
  }

  private isAllowed({ protocol, hostname, port }: buildConnector.Options): boolean {
    const url = URL.parse(`${protocol}//${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`);
    return url !== null && isAllowedHost(url, this.rules);
  }
}

/** What `net.connect` asks for the addresses of a name. */
function lookupWith(resolve: ResolveHost, check: (addresses: readonly string[]) => void): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname)
      .then((found) => {
        check(found.map(({ address }) => address));
        return found;
      })
      .then(
        (found) => {
          const [first] = found;
          if (options.all || !first) done(null, [...found]);
          else done(null, first.address, first.family);
        },
        (error: Error) => done(error, []),
      );
  };
}

async function readUpTo(
  stream: Dispatcher.ResponseData['body'],
  maxBytes: number,
): Promise<Pick<OutboundAnswer, 'body' | 'isCut'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the stream.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return { body: Buffer.concat(chunks).subarray(0, maxBytes), isCut: size > maxBytes };
}

/** undici keeps an aborted request waiting until its socket is connected; the caller shall not. */
function orAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
