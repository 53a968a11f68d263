import type { JsonObject, JsonValue } from '../../common/index';
import type { Hop } from './hop';

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const MAX_BODY_BYTES = 256 * 1024;
const MAX_HEADERS = 50;
const MAX_HEADER_BYTES = 8 * 1024;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The connection's own. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The first request, as a model wrote it by the tool's schema. @throws Error saying what it may not be */
export function hopOf({ url, method = 'GET', headers = {}, body }: JsonObject): Hop {
  const hop = { url: url as string, method: method as Hop['method'] };
  const own = headersOf(headers);
  if (body === undefined || body === null) return { ...hop, headers: own };
  if (hop.method === 'GET' || hop.method === 'HEAD') throw new Error(`${hop.method} takes no body`);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) throw new Error(`body has more than ${MAX_BODY_BYTES} bytes`);
  const contentType = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return { ...hop, headers: { 'content-type': contentType, ...own }, body: text };
}

function headersOf(headers: JsonValue): Record<string, string> {
  const entries = Object.entries(headers as Readonly<Record<string, string>>);
  const named = entries.map(([name, value]) => [name.toLowerCase(), value] as const);
  if (named.length > MAX_HEADERS) throw new Error(`there are more than ${MAX_HEADERS} headers`);
  if (JSON.stringify(named).length > MAX_HEADER_BYTES)
    throw new Error(`the headers have more than ${MAX_HEADER_BYTES} bytes`);
  for (const [name, value] of named) {
    if (!HEADER_NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a header`);
    if (RESERVED.has(name) || name.startsWith('proxy-')) throw new Error(`the header ${name} cannot be set`);
    if (!HEADER_VALUE.test(value)) throw new Error(`the header ${name} has characters that cannot be sent`);
  }
  return {
    accept: '*/*',
    'user-agent': 'Lattice',
    ...Object.fromEntries(named),
    'accept-encoding': 'identity',
  };
}
