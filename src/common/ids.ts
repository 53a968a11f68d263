import { randomBytes } from 'node:crypto';

/** Prefixes of the ids that callers see; the database stores the bare UUID. */
export type IdPrefix =
  | 'req'
  | 'dec'
  | 'usr'
  | 'key'
  | 'inv'
  | 'prj'
  | 'run'
  | 'tsk'
  | 'pln'
  | 'agt'
  | 'ses'
  | 'bud'
  | 'lim'
  | 'evt'
  | 'whk'
  | 'dlv'
  | 'aud'
  | 'msg'
  | 'crd'
  | 'mcp'
  | 'exp'
  | 'out'
  | 'resp';

const pool = { bytes: Buffer.alloc(0), offset: 0 };
const POOL_BYTES = 4096;

function randomSlice(length: number): Buffer {
  if (pool.offset + length > pool.bytes.length) {
    pool.bytes = randomBytes(POOL_BYTES);
    pool.offset = 0;
  }
  const slice = pool.bytes.subarray(pool.offset, pool.offset + length);
  pool.offset += length;
  return slice;
}

/** A W3C trace id: 32 random hexadecimal digits. */
export function newTraceId(): string {
  return randomSlice(16).toString('hex');
}

/** A UUIDv7: 48 bits of milliseconds, then random bits, so that ids made later sort later. */
export function newId(nowMs: number = Date.now()): string {
  const random = randomSlice(10).toString('hex');
  const time = nowMs.toString(16).padStart(12, '0');
  const variant = ((Number.parseInt(random.charAt(3), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

const TIME_DIGITS = 12;

/** The lowest UUIDv7 of a millisecond: what was made from then on has a higher one. */
export function firstIdAt(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(TIME_DIGITS, '0').slice(-TIME_DIGITS);
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/** The form callers see: `req_` and the UUID's 32 hexadecimal digits. */
export function toApiId(prefix: IdPrefix, uuid: string): string {
  return `${prefix}_${uuid.replaceAll('-', '')}`;
}

const UUID_DIGITS = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;

/** The UUID behind an API id, or undefined when the text is not an id with that prefix. */
export function fromApiId(prefix: IdPrefix, id: string): string | undefined {
  if (!id.startsWith(`${prefix}_`)) return undefined;
  return UUID_DIGITS.exec(id.slice(prefix.length + 1))
    ?.slice(1)
    .join('-');
}
