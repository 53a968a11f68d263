/**
 * Reduces a prompt to a few dozen small numbers that tell alike prompts from others: hashed words and signs of its form.
 * Each number stands for many words, so the prompt cannot be read from it; it is what outcomes keep to be compared.
 */

/** A sketch's numbers are below this. */
export const SKETCH_BUCKETS = 4_096;
const MAX_NUMBERS = 64;
const READ_CHARS = 2_400;

/** A word, a number, a sign, one character of a script without gaps. */
const TOKENS = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu;
const NUMBER = /^\p{N}/u;

const SIGNS_OF_FORM: readonly (readonly [name: string, expression: RegExp])[] = [
  ['question', /[?？]\s*$/],
  ['fence', /```/],
  ['tex', /\$[^$\n]{1,80}\$|\\frac|\\\(|\\\[|\^\{?\d/],
  ['block', /[{};:][ \t]*\n/],
  ['indent', /\n\s{2,8}\S/],
  ['options', /(?:^|\n)\s{0,4}(?:[A-Da-d]|[1-4])[.)、]/],
  ['gap', /_{1,}\s/],
  ['ends', /[.。!！:：]\s*$/],
];

/** Ascending, without repetitions. `lowered` is the text in lower case. */
export function promptSketch(lowered: string): readonly number[] {
  const text = lowered.slice(0, READ_CHARS).trim();
  const numbers = new Set<number>();
  for (const sign of signsOfForm(text)) numbers.add(bucket(`form ${sign}`));
  let before = '';
  let place = 0;
  for (const [found] of text.matchAll(TOKENS)) {
    if (numbers.size >= MAX_NUMBERS) break;
    const token = NUMBER.test(found) ? '#' : found;
    numbers.add(bucket(token));
    if (place === 0) numbers.add(bucket(`first ${token}`));
    if (place === 1) numbers.add(bucket(`first ${before} ${token}`));
    before = token;
    place += 1;
  }
  return Object.freeze([...numbers].sort((one, other) => one - other));
}

function signsOfForm(text: string): readonly string[] {
  const lines = text.split('\n').length;
  const last = text.slice(-24).match(TOKENS)?.at(-1) ?? '';
  const digits = digitsIn(text) / Math.max(1, text.length);
  return [
    ...SIGNS_OF_FORM.filter(([, expression]) => expression.test(text)).map(([name]) => name),
    `length ${Math.floor(Math.log2(Math.max(1, text.length)))}`,
    `lines ${Math.floor(Math.log2(lines))}`,
    `digits ${Math.min(4, Math.floor(digits * 25))}`,
    `last ${NUMBER.test(last) ? '#' : last}`,
  ];
}

function digitsIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) count += 1;
  }
  return count;
}

/** FNV-1a, mixed once more. */
function bucket(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) % SKETCH_BUCKETS;
}
