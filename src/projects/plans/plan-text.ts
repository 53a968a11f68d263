/** Finds the JSON object that a model was asked for in whatever it wrote around it. Pure. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../common/index';

/** Of all beginnings together, so that a text of nothing but braces costs no more. */
const MAX_SCANNED_CHARS = 5_000_000;
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']' };
/** An object with a field, or a list of objects; most brackets of code and prose are neither. */
const BEGINNING = /\{(?=\s*")|\[(?=\s*\{)/g;

/**
 * The last object with a list of `tasks`, bare or in fences, with prose before and after, one level deep in another
 * object, or as the bare list; with commas too many. One that holds tasks goes before an empty one, and an object before a
 * bare list. Undefined: there is none that is whole.
 */
export function planIn(text: string): JsonObject | undefined {
  let [best, rank] = [undefined as JsonObject | undefined, 0];
  for (const value of valuesIn(text)) {
    const plan = asPlan(value);
    if (!plan || rankOf(plan, value) < rank) continue;
    [best, rank] = [plan, rankOf(plan, value)];
  }
  return best;
}

function rankOf({ tasks }: JsonObject, value: JsonValue): number {
  if (Array.isArray(value)) return 2;
  return Array.isArray(tasks) && tasks.length > 0 ? 3 : 1;
}

/** What is JSON in a text, the outermost of each, in its order. */
function* valuesIn(text: string): Generator<JsonValue> {
  let scanned = 0;
  let from = 0;
  while (scanned < MAX_SCANNED_CHARS) {
    const start = nextBeginning(text, from);
    if (start < 0) return;
    const end = endOf(text, start);
    scanned += (end < 0 ? text.length : end) - start;
    const value = end < 0 ? undefined : parsed(text.slice(start, end));
    if (value !== undefined) yield value;
    // What was no JSON may hold some; what was is behind us.
    from = value === undefined ? start + 1 : end;
  }
}

function nextBeginning(text: string, from: number): number {
  BEGINNING.lastIndex = from;
  return BEGINNING.exec(text)?.index ?? -1;
}

/** Behind the bracket that closes the one at `start`; -1: it is never closed. Brackets in strings do not count. */
function endOf(text: string, start: number): number {
  const open: string[] = [];
  for (let at = start; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === '"') {
      at = endOfString(text, at);
      if (at < 0) return -1;
    } else if (CLOSING[sign] !== undefined) open.push(CLOSING[sign]);
    else if (sign === '}' || sign === ']') {
      if (open.pop() !== sign) return -1;
      if (open.length === 0) return at + 1;
    }
  }
  return -1;
}

/** The closing quotation mark; -1: there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign === '\\') at += 1;
    else if (sign === '"') return at;
  }
  return -1;
}

function parsed(text: string): JsonValue | undefined {
  for (const variant of [text, withoutSpareCommas(text)]) {
    try {
      return JSON.parse(variant) as JsonValue;
    } catch {
      // The next variant may do.
    }
  }
  return undefined;
}

/** Strings are taken whole, so that a comma in one stays. */
const STRING_OR_COMMA = /"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/gs;

function withoutSpareCommas(text: string): string {
  return text.replace(STRING_OR_COMMA, (found) => (found === ',' ? '' : found));
}

function asPlan(value: JsonValue): JsonObject | undefined {
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    return items.length > 0 && items.every((item) => isJsonObject(item) && 'title' in item)
      ? { tasks: items }
      : undefined;
  }
  if (!isJsonObject(value)) return undefined;
  return [value, ...Object.values(value)].filter(isJsonObject).find(({ tasks }) => Array.isArray(tasks));
}
