/**
 * Cuts a prompt into hashed features for the task classifier: words, runs of words and runs of characters of its
 * beginning and its end, words of the rest, its first and last words by place, its shape and the patterns that matched.
 * The trained weights belong to exactly these features: whoever changes anything here trains anew.
 */
import { TextCodes } from '../text-codes';
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
  Tokens,
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

/** One bit for each feature id that the list in work has. */
const seen = new Int32Array(2 ** FEATURE_BITS / 32);

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
    const word = id >>> 5;
    const bits = seen[word] as number;
    const bit = 1 << (id & 31);
    if ((bits & bit) !== 0) return;
    seen[word] = bits | bit;
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
const TOKENS = { body: new Tokens(BODY_TOKENS), tail: new Tokens(TAIL_TOKENS), last: new Tokens(LAST_CHARS) };
const LOWERED = new TextCodes();
/** Character codes of a window with gaps as one blank, and a blank before and after. */
const spacedCodes = new Uint16Array(Math.max(HEAD_NGRAM_CHARS, TAIL_NGRAM_CHARS) + 2);

/** Whose bits are in `seen`. */
let inWork: Ids = BUFFERS.head;

function emptied(ids: Ids): Ids {
  for (let place = 0; place < inWork.count; place += 1) seen[(inWork.ids[place] as number) >>> 5] = 0;
  inWork = ids;
  ids.count = 0;
  return ids;
}

/** The groups are valid until the next call. */
export function textFeatures({ text, lowered, language, patterns }: ReadPrompt): readonly FeatureGroup[] {
  const { codes, length: end } = LOWERED.read(lowered);
  const headEnd = Math.min(end, HEAD_CHARS);
  const hasTail = end > HEAD_CHARS;
  const tailStart = hasTail ? end - TAIL_CHARS : end;
  const tailCharsStart = hasTail ? end - TAIL_NGRAM_CHARS : end;
  const lastTokens = TOKENS.last.startAt(Math.max(0, end - LAST_CHARS)).read(codes, end);
  const tailTokens = TOKENS.tail.startAt(tailStart).read(codes, end);
  const headTokens = TOKENS.body.startAt(0).read(codes, headEnd, HEAD_TOKENS);
  const head = wordRuns(BUFFERS.head, headTokens, { seed: SEED.head, longest: 3 }).group(WEIGHT.head);
  const placed = places(BUFFERS.places, headTokens, lastTokens).group(WEIGHT.places);
  const bodyTokens = headTokens.rereadLast().read(codes, Math.min(end, BODY_CHARS));
  return [
    head,
    wordRuns(BUFFERS.tail, tailTokens, { seed: SEED.tail, longest: 3 }).group(WEIGHT.tail),
    characterRuns(BUFFERS.headChars, spaced(codes, 0, Math.min(end, HEAD_NGRAM_CHARS)), SEED.headChars).group(
      WEIGHT.headChars,
    ),
    characterRuns(BUFFERS.tailChars, spaced(codes, tailCharsStart, end), SEED.tailChars).group(
      WEIGHT.tailChars,
    ),
    placed,
    wordRuns(BUFFERS.body, bodyTokens, { seed: SEED.body, longest: 2 }).group(WEIGHT.body),
    named(BUFFERS.shape, textShape(text, language), SEED.shape).group(WEIGHT.shape),
    named(BUFFERS.patterns, patterns, SEED.pattern).group(WEIGHT.patterns, 0.25),
  ];
}

function named(buffer: Ids, names: readonly string[], seed: number): Ids {
  const ids = emptied(buffer);
  for (const name of names.slice(0, MAX_NAMES)) ids.add(hashText(name, seed));
  return ids;
}

function wordRuns(
  buffer: Ids,
  { hashes, count }: Tokens,
  { seed, longest }: { readonly seed: number; readonly longest: 2 | 3 },
): Ids {
  const ids = emptied(buffer);
  let before = 0;
  let beforeThat = 0;
  for (let place = 0; place < count; place += 1) {
    const token = hashes[place] as number;
    ids.add(mix(token, seed));
    if (place > 0) ids.add(mix(token, mix(before, seed + 1)));
    if (longest > 2 && place > 1) ids.add(mix(token, mix(before, mix(beforeThat, seed + 2))));
    beforeThat = before;
    before = token;
  }
  return ids;
}

/** Runs of 3 and of 5 of the first `count` character codes, of 2 where a character is a word. */
function characterRuns(buffer: Ids, count: number, seed: number): Ids {
  const ids = emptied(buffer);
  for (let at = 0; at + 1 < count; at += 1) {
    const one = spacedCodes[at] as number;
    const pair = hashCode(spacedCodes[at + 1] as number, hashCode(one, seed));
    if (one > FIRST_WORD_CHARACTER) ids.add(mix(pair, 2));
    if (at + 2 >= count) break;
    const triple = hashCode(spacedCodes[at + 2] as number, pair);
    ids.add(mix(triple, 3));
    if (at + 4 >= count) continue;
    ids.add(mix(hashCode(spacedCodes[at + 4] as number, hashCode(spacedCodes[at + 3] as number, triple)), 5));
  }
  return ids;
}

/** Fills `spacedCodes` and says how many there are. */
function spaced(codes: Uint16Array, start: number, end: number): number {
  if (start >= end) return 0;
  let count = 1;
  let before = BLANK;
  spacedCodes[0] = BLANK;
  for (let at = start; at < end; at += 1) {
    const found = codes[at] as number;
    const code = kindOf(found) === SPACE ? BLANK : found;
    if (code === BLANK && before === BLANK) continue;
    spacedCodes[count] = code;
    count += 1;
    before = code;
  }
  spacedCodes[count] = BLANK;
  return count + 1;
}

function places(buffer: Ids, head: Tokens, end: Tokens): Ids {
  const ids = emptied(buffer);
  for (let place = 0; place < Math.min(head.count, FIRST_TOKENS); place += 1)
    ids.add(mix(head.hashes[place] ?? 0, SEED.first + Math.min(place, 2)));
  if (head.count > 1) ids.add(mix(head.hashes[1] ?? 0, mix(head.hashes[0] ?? 0, SEED.first + 3)));
  const first = Math.max(0, end.count - LAST_TOKENS);
  for (let place = first; place < end.count; place += 1)
    ids.add(mix(end.hashes[place] ?? 0, SEED.last + place - first));
  return ids;
}
