/** One request of a chain of redirects, and what follows from its answer. Pure. */
import type { OutboundAnswer, OutboundRequest } from '../../common/index';

export interface Hop {
  readonly url: string;
  readonly method: OutboundRequest['method'];
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** They go on whatever was sent. */
const KEEPING_METHOD = new Set([307, 308]);
/** What another host may see: everything else may be a credential. */
const HARMLESS_HEADERS = new Set(['accept', 'accept-encoding', 'accept-language', 'user-agent']);
const BODY_HEADERS = new Set(['content-type', 'content-encoding', 'content-language']);

/** Where an answer leads; undefined when it is the answer. A body is never handed to another host. */
export function nextHop(
  hop: Hop,
  { status, headers }: Pick<OutboundAnswer, 'status' | 'headers'>,
): Hop | undefined {
  const { location } = headers;
  if (!REDIRECTS.has(status) || typeof location !== 'string') return undefined;
  const target = URL.parse(location, hop.url);
  if (!target) return undefined;
  const isSame = target.origin === new URL(hop.url).origin;
  const kept = Object.entries(hop.headers).filter(([name]) => isSame || HARMLESS_HEADERS.has(name));
  const isRead = hop.method === 'GET' || hop.method === 'HEAD';
  if (isRead) return { url: target.href, method: hop.method, headers: Object.fromEntries(kept) };
  if (KEEPING_METHOD.has(status)) {
    return isSame ? { ...hop, url: target.href } : undefined;
  }
  const headersOfRead = Object.fromEntries(kept.filter(([name]) => !BODY_HEADERS.has(name)));
  return { url: target.href, method: 'GET', headers: headersOfRead };
}
