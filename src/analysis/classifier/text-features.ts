/**
 * Cuts a prompt into hashed features for the task classifier: words, runs of words and runs of characters of its
 * beginning and its end, words of the rest, its first and last words by place, its shape and the patterns that matched.
 * The trained weights belong to exactly these features: whoever changes anything here trains anew.
 */
import {
  BLANK,
  FEATURE_BITS,
  finish,
  FIRST_WORD_CHARACTER,
  hashCode,
  hashText,
  kindOf,
  mix,
  SPACE,
  tokenHashes,
} from './text-hashes';
import { textShape } from './text-shape';

const HEAD_CHARS = 300;
const TAIL_CHARS = 200;
const HEAD_NGRAM_CHARS = 240;
const TAIL_NGRAM_CHARS = 160;
const BODY_CHARS = 2_400;
const HEAD_TOKENS = 80;
const TAIL_TOKENS = 50;
const BODY_TOKENS = 260;
const FIRST_TOKENS = 5;
const LAST_TOKENS = 4;
const LAST_CHARS = 60;

/** What each kind of feature counts beside the others, whatever the number of its features. */
const WEIGHT = {
  head: 1,
  tail: 0.8,
  headChars: 0.8,
  tailChars: 0.64,
  places: 1,
  body: 0.6,
  shape: 1,
  patterns: 1,
};

/** Keeps the same word apart in different places. */
const SEED = {
  head: 11,
  tail: 211,
  headChars: 101,
  tailChars: 301,
  first: 401,
  last: 431,
  body: 501,
  shape: 601,
  pattern: 701,
};

/** Features of one kind; each counts `scale`. */
export interface FeatureGroup {
  /** Places in the table of weights; the first `count` are valid. */
  readonly ids: Int32Array;
  readonly count: number;
  readonly scale: number;
}

export interface ReadPrompt {
  /** The windows of the last user message that are read, in their order. */
  readonly text: string;
  readonly lowered: string;
  readonly language: string;
  /** Ids of the patterns that matched. */
  readonly patterns: readonly string[];
}

/** By feature id: the list that had it last. */
const lastUse = new Uint32Array(2 ** FEATURE_BITS);
let use = 0;

/** Feature ids of one kind, in a buffer that the next prompt overwrites. */
class Ids {
  readonly ids: Int32Array;
  count = 0;

  constructor(capacity: number) {
    this.ids = new Int32Array(capacity);
  }

  /** Counts once, however often it comes: a text is no more of its kind for repeating itself. */
  add(hash: number): void {
    const id = finish(hash);
    if (lastUse[id] === use) return;
    lastUse[id] = use;
    this.ids[this.count] = id;
    this.count += 1;
  }

  group(weight: number, power = 0.5): FeatureGroup {
    return { ids: this.ids, count: this.count, scale: this.count === 0 ? 0 : weight / this.count ** power };
  }
}

const RUN_SIZES = 3;
const MAX_NAMES = 512;
const BUFFERS = {
  head: new Ids(HEAD_TOKENS * RUN_SIZES),
  tail: new Ids(TAIL_TOKENS * RUN_SIZES),
  headChars: new Ids((HEAD_NGRAM_CHARS + 2) * RUN_SIZES),
  tailChars: new Ids((TAIL_NGRAM_CHARS + 2) * RUN_SIZES),
  places: new Ids(FIRST_TOKENS + LAST_TOKENS + 1),
  body: new Ids(BODY_TOKENS * RUN_SIZES),
  shape: new Ids(MAX_NAMES),
  patterns: new Ids(MAX_NAMES),
};

function emptied(ids: Ids): Ids {
  use = (use + 1) >>> 0;
  ids.count = 0;
  return ids;
}

/** The groups are valid until the next call. */
export function textFeatures(prompt: ReadPrompt): readonly FeatureGroup[] {
  const { text, lowered } = prompt;
  const head = lowered.slice(0, HEAD_CHARS);
  const tail = lowered.length > HEAD_CHARS ? lowered.slice(-TAIL_CHARS) : '';
  const headTokens = tokenHashes(head, HEAD_TOKENS);
  const lastTokens = tokenHashes(lowered.slice(-LAST_CHARS), LAST_CHARS).slice(-LAST_TOKENS);
  const tailTokens = tokenHashes(tail, TAIL_TOKENS);
  const bodyTokens = tokenHashes(lowered.slice(0, BODY_CHARS), BODY_TOKENS);
  return [
    wordRuns(BUFFERS.head, headTokens, { seed: SEED.head, longest: 3 }).group(WEIGHT.head),
    wordRuns(BUFFERS.tail, tailTokens, { seed: SEED.tail, longest: 3 }).group(WEIGHT.tail),
    characterRuns(BUFFERS.headChars, head.slice(0, HEAD_NGRAM_CHARS), SEED.headChars).group(WEIGHT.headChars),
    characterRuns(BUFFERS.tailChars, tail.slice(-TAIL_NGRAM_CHARS), SEED.tailChars).group(WEIGHT.tailChars),
    places(BUFFERS.places, headTokens, lastTokens).group(WEIGHT.places),
    wordRuns(BUFFERS.body, bodyTokens, { seed: SEED.body, longest: 2 }).group(WEIGHT.body),
    named(BUFFERS.shape, textShape(text, prompt.language), SEED.shape).group(WEIGHT.shape),
    named(BUFFERS.patterns, prompt.patterns, SEED.pattern).group(WEIGHT.patterns, 0.25),
  ];
}

function named(buffer: Ids, names: readonly string[], seed: number): Ids {
  const ids = emptied(buffer);
  for (const name of names.slice(0, MAX_NAMES)) ids.add(hashText(name, seed));
  return ids;
}

function wordRuns(
  buffer: Ids,
  tokens: readonly number[],
  { seed, longest }: { readonly seed: number; readonly longest: 2 | 3 },
): Ids {
  const ids = emptied(buffer);
  let before = 0;
  let beforeThat = 0;
  for (let place = 0; place < tokens.length; place += 1) {
    const token = tokens[place] ?? 0;
    ids.add(mix(token, seed));
    if (place > 0) ids.add(mix(token, mix(before, seed + 1)));
    if (longest > 2 && place > 1) ids.add(mix(token, mix(before, mix(beforeThat, seed + 2))));
    beforeThat = before;
    before = token;
  }
  return ids;
}

/** Runs of 3 and of 5 characters, of 2 where a character is a word; gaps count as one. */
function characterRuns(buffer: Ids, text: string, seed: number): Ids {
  const ids = emptied(buffer);
  const codes = spaced(text);
  for (let at = 0; at < codes.length; at += 1) {
    const [one, two, three] = [codes[at] ?? 0, codes[at + 1], codes[at + 2]];
    if (two === undefined) break;
    const pair = hashCode(two, hashCode(one, seed));
    if (one > FIRST_WORD_CHARACTER) ids.add(mix(pair, 2));
    if (three === undefined) continue;
    const triple = hashCode(three, pair);
    ids.add(mix(triple, 3));
    const [four, five] = [codes[at + 3], codes[at + 4]];
    if (four !== undefined && five !== undefined) ids.add(mix(hashCode(five, hashCode(four, triple)), 5));
  }
  return ids;
}

/** Its character codes with one gap before, after and between. */
function spaced(text: string): readonly number[] {
  if (text === '') return [];
  const codes = [BLANK];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (kindOf(code) !== SPACE) codes.push(code);
    else if (codes.at(-1) !== BLANK) codes.push(BLANK);
  }
  codes.push(BLANK);
  return codes;
}

function places(buffer: Ids, head: readonly number[], end: readonly number[]): Ids {
  const ids = emptied(buffer);
  for (const [place, token] of head.slice(0, FIRST_TOKENS).entries())
    ids.add(mix(token, SEED.first + Math.min(place, 2)));
  if (head.length > 1) ids.add(mix(head[1] ?? 0, mix(head[0] ?? 0, SEED.first + 3)));
  for (const [place, token] of end.entries()) ids.add(mix(token, SEED.last + place));
  return ids;
}
