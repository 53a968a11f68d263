/** Finds the JSON object that a model was asked for in whatever it wrote around it. Pure. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../common/index';

/** Beginnings that are tried; a text of nothing but braces must not cost more. */
const MAX_BEGINNINGS = 200;
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

/**
 * The first object with a list of `tasks`, bare or in fences, with prose before and after, one level deep in another
 * object, or as the bare list; with commas too many. Undefined: there is none that is whole.
 */
export function planIn(text: string): JsonObject | undefined {
  let from = 0;
  for (let tries = 0; tries < MAX_BEGINNINGS; tries += 1) {
    const start = nextBeginning(text, from);
    if (start < 0) return undefined;
    const end = endOf(text, start);
    const value = end < 0 ? undefined : parsed(text.slice(start, end));
    const plan = value === undefined ? undefined : asPlan(value);
    if (plan) return plan;
    // What was no JSON may hold some; what was, and is no plan, is behind us.
    from = value === undefined ? start + 1 : end;
  }
  return undefined;
}

function nextBeginning(text: string, from: number): number {
  const [object, list] = [text.indexOf('{', from), text.indexOf('[', from)];
  if (object < 0 || list < 0) return Math.max(object, list);
  return Math.min(object, list);
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
