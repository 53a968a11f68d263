/** When two requests are the same: by everything in them, whatever the order of the keys. */
import { createHash } from 'node:crypto';

/** SHA-256 over the canonical JSON of all parts. */
export function canonicalDigest(...parts: readonly unknown[]): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('base64');
}

/** JSON with the keys of every object in one order; what JSON leaves out is left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isRecord(part) ? sorted(part) : part)) ?? 'null';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Entries, so that keys that look like numbers keep the order too. */
function sorted(record: Readonly<Record<string, unknown>>): unknown {
  const names = Object.keys(record)
    .filter((name) => record[name] !== undefined)
    .toSorted();
  return { object: names.map((name) => [name, record[name]]) };
}
