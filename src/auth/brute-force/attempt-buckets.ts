/** What failed attempts are counted by. Names are digests: the table shows neither addresses nor accounts. */
import { createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { KeyRing } from '../../config/index';

const KEY_PURPOSE = 'attempt/v1';
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const GROUPS = 8;
const NETWORK_GROUPS = 4;

export interface Bucket {
  readonly name: string;
  /** Attempts in one window. */
  readonly limit: number;
}

export function bucketName(keys: KeyRing, kind: string, ...parts: readonly string[]): string {
  const { key } = keys.current(KEY_PURPOSE);
  return `${kind}:${createHmac('sha256', key).update(parts.join('\0')).digest('base64url')}`;
}

/** Whoever has one IPv6 address has the other 2^64 of its network too: they count as one. */
export function addressGroup(address: string): string {
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const bare = address.replace(/%.*$/, '');
  return isIPv6(bare) ? `${groupsOf(bare).slice(0, NETWORK_GROUPS).join(':')}::/64` : address;
}

function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const [left, right] = [split(head), split(tail ?? '')];
  const missing = tail === undefined ? 0 : Math.max(0, GROUPS - left.length - right.length);
  return [...left, ...Array.from({ length: missing }, () => '0'), ...right].map((group) =>
    group.replace(/^0+(?=.)/, ''),
  );
}

function split(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}
