/** THE rule for URLs that users may set: what can be said before the host is resolved. */
import { isIP } from 'node:net';
import { isPublicAddress } from './public-address';

export interface OutboundRules {
  /** `host` or `host:port`, lower-case, as the URL names it: reachable although private, and without TLS. */
  readonly allowedHosts: readonly string[];
  /** False: only `https`. */
  readonly isHttpAllowed: boolean;
}

/** A URL, or the address behind it, that may not be reached. The message is safe to show and names no address. */
export class OutboundUrlError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'OutboundUrlError';
  }
}

export const MAX_URL_LENGTH = 2048;

const NOT_PUBLIC =
  'the host is not a public address; an administrator may allow it with OUTBOUND_ALLOWED_HOSTS';
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * The URL in its normal form: odd spellings of IP addresses (decimal, octal, hexadecimal, short) are resolved by it.
 * @throws OutboundUrlError
 */
export function checkUrl(text: string, rules: OutboundRules): URL {
  if (text.length > MAX_URL_LENGTH) refuse(`the URL has more than ${MAX_URL_LENGTH} characters`);
  if (/[\s\\\p{Cc}]/u.test(text)) refuse('the URL has spaces, backslashes or control characters');
  const url = URL.parse(text) ?? refuse('it is not an absolute URL such as https://example.com/hook');
  if (DEFAULT_PORTS[url.protocol] === undefined) refuse('only http and https are possible');
  if (url.username !== '' || url.password !== '') refuse('a URL may not contain a user name or password');
  url.hash = '';
  if (isAllowedHost(url, rules)) return url;
  if (url.protocol === 'http:' && !rules.isHttpAllowed) refuse('https is required');
  if (!mayBePublic(hostOf(url))) refuse(NOT_PUBLIC);
  return url;
}

/** Does the administrator's configuration name this host? */
export function isAllowedHost(url: URL, { allowedHosts }: OutboundRules): boolean {
  const host = url.hostname.replace(/\.$/, '');
  const port = url.port || DEFAULT_PORTS[url.protocol];
  return allowedHosts.includes(host) || allowedHosts.includes(`${host}:${port}`);
}

/** @throws OutboundUrlError unless every address is public: one of them would be chosen. */
export function checkAddresses(addresses: readonly string[]): void {
  if (addresses.length === 0 || !addresses.every(isPublicAddress)) refuse(NOT_PUBLIC);
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

/** Names are resolved later, apart from those that always mean this machine. */
function mayBePublic(host: string): boolean {
  if (host === '' || host === 'localhost' || host.endsWith('.localhost')) return false;
  return isIP(host) === 0 || isPublicAddress(host);
}

function refuse(reason: string): never {
  throw new OutboundUrlError(`The URL is not allowed: ${reason}`);
}
