/**
 * Reduces a prompt to a few dozen small numbers that tell alike prompts from others: hashed words and signs of its form.
 * Each number stands for many words, so the prompt cannot be read from it; it is what outcomes keep to be compared.
 * Outcomes are kept for long: the same prompt has to give the same numbers in every version.
 */
import { hashText, SketchTokens } from './sketch-tokens';
import { TextCodes } from './text-codes';
import {
  DIGIT,
  FENCE_SIGN,
  type FormSign,
  GAP,
  hasForm,
  INDENT_SIGN,
  LINE_END,
  OPTIONS_SIGN,
  QUESTION_END,
  SIGNS,
  TEX_SIGN,
} from './text-signs';

/** A sketch's numbers are below this. */
export const SKETCH_BUCKETS = 4_096;
const MAX_NUMBERS = 64;
const READ_CHARS = 2_400;
const LAST_CHARS = 24;

const SIGNS_OF_FORM: readonly FormSign[] = [
  { name: 'question', ...QUESTION_END },
  FENCE_SIGN,
  TEX_SIGN,
  { name: 'block', needs: LINE_END, expression: /[{};:][ \t]*\n/ },
  INDENT_SIGN,
  OPTIONS_SIGN,
  { name: 'gap', needs: GAP, expression: /_\s/ },
  { name: 'ends', needs: 0, expression: /[.。!！:：]/, place: 'end' },
];

/** What the hashes of words, and of names of signs, begin with. */
const WORD = 0x811c9dc5;
const FIRST_WORD = hashText('first ', WORD);
const FORM = hashText('form ', WORD);
const LAST_WORD = hashText('last ', FORM);

const CODES = new TextCodes();
/** One bit for each number of the sketch in work, and how many they are. */
const bits = new Int32Array(SKETCH_BUCKETS / 32);
let count = 0;

/** Ascending, without repetitions. `lowered` is the text in lower case. */
export function promptSketch(lowered: string): readonly number[] {
  const text = lowered.slice(0, READ_CHARS).trim();
  CODES.read(text);
  bits.fill(0);
  count = 0;
  addForm(text);
  addWords();
  return Object.freeze(ascending());
}

function addForm(text: string): void {
  const { codes, length } = CODES;
  const { seen, lines, digits } = counts();
  for (const sign of SIGNS_OF_FORM) if (hasForm(text, seen, sign)) add(hashText(sign.name, FORM));
  add(hashText(`length ${magnitude(length)}`, FORM));
  add(hashText(`lines ${magnitude(lines)}`, FORM));
  add(hashText(`digits ${Math.min(4, Math.floor((digits / Math.max(1, length)) * 25))}`, FORM));
  const last = new SketchTokens(codes, Math.max(0, length - LAST_CHARS), length);
  while (last.next());
  add(last.hash(LAST_WORD));
}

function counts() {
  const { codes, length } = CODES;
  let [seen, lines, digits] = [0, 1, 0];
  for (let at = 0; at < length; at += 1) {
    const signs = SIGNS[codes[at] as number] as number;
    if (signs === 0) continue;
    seen |= signs;
    if ((signs & DIGIT) !== 0) digits += 1;
    else if ((signs & LINE_END) !== 0) lines += 1;
  }
  return { seen, lines, digits };
}

function addWords(): void {
  const words = new SketchTokens(CODES.codes, 0, CODES.length);
  let afterFirst = 0;
  for (let place = 0; count < MAX_NUMBERS && words.next(); place += 1) {
    add(words.hash(WORD));
    if (place === 0) {
      const first = words.hash(FIRST_WORD);
      add(first);
      afterFirst = hashText(' ', first);
    } else if (place === 1) add(words.hash(afterFirst));
  }
}

function magnitude(value: number): number {
  return Math.floor(Math.log2(Math.max(1, value)));
}

function add(hash: number): void {
  const number = mixed(hash) % SKETCH_BUCKETS;
  const word = number >>> 5;
  const before = bits[word] as number;
  const after = before | (1 << (number & 31));
  if (after === before) return;
  bits[word] = after;
  count += 1;
}

function mixed(hash: number): number {
  let result = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  result = Math.imul(result ^ (result >>> 12), 0x297a2d39);
  return (result ^ (result >>> 15)) >>> 0;
}

function ascending(): number[] {
  const numbers: number[] = [];
  for (let word = 0; word < bits.length; word += 1) {
    for (let rest = bits[word] as number; rest !== 0; rest &= rest - 1)
      numbers.push(word * 32 + 31 - Math.clz32(rest & -rest));
  }
  return numbers;
}
