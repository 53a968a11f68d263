/** What holds for the body of every inference route before any of its fields is looked at. */
import { isJsonObject, type JsonObject, type JsonValue } from '../common/index';
import { invalid } from './invalid';

/** Far beyond any schema that a model reads, and far below what cannot be written as JSON again. */
export const MAX_DEPTH = 200;

/** @throws ValidationError for what is no object, and naming the field that is nested too deeply. */
export function jsonBody(raw: unknown): JsonObject {
  if (!isJsonObject(raw)) invalid('body', 'must be a JSON object');
  for (const field of Object.keys(raw)) {
    if (isDeeper(raw[field], MAX_DEPTH)) {
      invalid(
        field.slice(0, 100),
        `is nested more than ${MAX_DEPTH} levels deep: flatten it or send the deep part as a string`,
      );
    }
  }
  return raw;
}

/** In UTF-8, as it goes on. */
export function jsonBytes(body: JsonObject): number {
  return Buffer.byteLength(JSON.stringify(body));
}

/**
 * How many bytes the JSON text of a value may have more than the text it was read from: `1e20` is written out, and a byte
 * that is no UTF-8 becomes the three of U+FFFD. Never less than that, and 0 for what is usual.
 * @param value no deeper than `MAX_DEPTH`.
 */
export function growthBytes(value: JsonValue | undefined): number {
  if (typeof value === 'number') return grownNumber(value);
  if (typeof value === 'string') return grownText(value);
  return typeof value === 'object' && value !== null ? grownParts(value) : 0;
}

function grownParts(value: readonly JsonValue[] | JsonObject): number {
  let growth = 0;
  if (isList(value)) {
    for (const item of value) growth += growthBytes(item);
    return growth;
  }
  for (const key of Object.keys(value)) growth += grownText(key) + growthBytes(value[key]);
  return growth;
}

/** The shortest text that is written longer, such as `1e3`. */
const SHORTEST_NUMBER = 3;

function grownNumber(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 1_000) return 0;
  return Math.max(0, String(value).length - SHORTEST_NUMBER);
}

const REPLACED = '\uFFFD';

function grownText(text: string): number {
  return text.includes(REPLACED) ? 2 * (text.split(REPLACED).length - 1) : 0;
}

function isDeeper(value: JsonValue | undefined, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const parts = isList(value) ? value : Object.values(value);
  for (const part of parts) if (isDeeper(part, levels - 1)) return true;
  return false;
}

function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}
