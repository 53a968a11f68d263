import { lookup, Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { CONNECT_CAP_MS, orAborted } from './or-aborted';
import { checkAddresses, checkUrl, isAllowedHost, type OutboundRules } from './outbound-url';

export interface OutboundRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For everything: looking up the name, connecting, the answer to its end. */
  readonly timeoutMs: number;
  /** Of the answer's body; what is beyond is not read. 0: the answer is its head, whatever becomes of the body. */
  readonly maxBytes: number;
  /** What this and other calls may read together; it is drawn from as bytes arrive. */
  readonly budget?: ByteBudget;
  readonly signal?: AbortSignal;
}

export interface ByteBudget {
  left: number;
}

export interface OutboundAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** There was, or may have been, more than `maxBytes` or what the budget had left. */
  readonly isCut: boolean;
}

/** An answer of which only the head has arrived. */
export interface OutboundStream extends Pick<OutboundAnswer, 'status' | 'headers'> {
  /** Whoever asked reads it to its end or destroys it. */
  readonly body: Readable;
}

export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

export type ResolveHost = (hostname: string) => Promise<readonly HostAddress[]>;

/** Of one question to one name server. */
const DNS_LIMITS = { timeout: 2000, tries: 2 };

/**
 * Calls URLs that users have set. A name is resolved once, every address is checked, and the connection is made to
 * those very addresses, so that a name which changes its mind in between (DNS rebinding) gains nothing. Redirects are
 * answers like any other and never followed; proxies of the environment are not used.
 */
export class OutboundClient {
  private readonly agent: Agent;

  constructor(
    private readonly rules: OutboundRules,
    resolve?: ResolveHost,
  ) {
    const limits = { timeout: CONNECT_CAP_MS, allowH2: false };
    const toAnything = buildConnector({
      ...limits,
      lookup: lookupWith(resolve ?? localAddressesOf, () => undefined),
    });
    const toPublic = buildConnector({
      ...limits,
      lookup: lookupWith(resolve ?? publicAddressesOf, checkAddresses),
    });
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

  /**
   * The head of the answer, and its body as it comes; all of it for as long as the signal lets it.
   * @throws OutboundUrlError, the signal's reason, or the connection's failure; any status is an answer.
   */
  async open(
    url: string,
    { method, headers, body }: Pick<OutboundRequest, 'method' | 'headers' | 'body'>,
    signal: AbortSignal,
  ): Promise<OutboundStream> {
    const target = checkUrl(url, this.rules);
    const options = { dispatcher: this.agent, method, headers, body: body ?? null, signal };
    const answer = await orAborted(request(target, options), signal);
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async exchange(
    target: URL,
    { method, headers, body, maxBytes, budget }: OutboundRequest,
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
      ...(await readUpTo(answer.body, maxBytes, budget)),
    };
  }

  private isAllowed({ protocol, hostname, port }: buildConnector.Options): boolean {
    const url = URL.parse(`${protocol}//${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`);
    return url !== null && isAllowedHost(url, this.rules);
  }
}

/** As this machine sees the name, its hosts file included. */
async function localAddressesOf(hostname: string): Promise<readonly HostAddress[]> {
  return await lookup(hostname, { all: true, order: 'verbatim' });
}

/**
 * As the internet sees the name. It asks the name servers itself: `lookup` would keep one of the process's few threads
 * for as long as somebody's name server is silent.
 */
async function publicAddressesOf(hostname: string): Promise<readonly HostAddress[]> {
  const resolver = new Resolver(DNS_LIMITS);
  const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const found = [...addressesOf(ipv4, 4), ...addressesOf(ipv6, 6)];
  if (found.length === 0 && ipv4.status === 'rejected') throw ipv4.reason;
  return found;
}

function addressesOf(answer: PromiseSettledResult<string[]>, family: number): readonly HostAddress[] {
  return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : [];
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
  budget: ByteBudget = { left: maxBytes },
): Promise<Pick<OutboundAnswer, 'body' | 'isCut'>> {
  if (maxBytes === 0) {
    // Destroying it before its end is an error to undici.
    stream.on('error', () => undefined).destroy();
    return { body: Buffer.alloc(0), isCut: true };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the stream.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    budget.left -= chunk.length;
    if (size > maxBytes || budget.left < 0) break;
  }
  const isCut = size > maxBytes || budget.left < 0;
  return { body: Buffer.concat(chunks).subarray(0, maxBytes), isCut };
}
