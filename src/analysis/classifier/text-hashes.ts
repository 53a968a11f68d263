/** Tokens and hashes of lower-cased text. */

/** The table of weights has two to this power rows. */
export const FEATURE_BITS = 17;
const MASK = 2 ** FEATURE_BITS - 1;

/** Longer numbers are not told apart. */
const MAX_DIGITS = 5;
/** Longest part of a word that is told apart. */
const MAX_WORD_CHARS = 24;

export const SPACE = 0;
const SIGN = 1;
const LETTER = 2;
const DIGIT = 3;
export const BLANK = 0x20;
/** From here on, a character is a word or part of one. */
export const FIRST_WORD_CHARACTER = 0x2e80;
const HASH_SIGN = 0x23;

const KINDS = Uint8Array.from({ length: 0x10000 }, (_, code) => kind(code));

export function kindOf(code: number): number {
  return KINDS[code] as number;
}

/** Characters of scripts without word gaps are signs: each stands for itself. */
function kind(code: number): number {
  if (code <= BLANK || code === 0xa0 || code === 0x3000 || (code >= 0x2000 && code <= 0x200b)) return SPACE;
  if (code >= 0x30 && code <= 0x39) return DIGIT;
  if (code < 0x80) return /\w/.test(String.fromCharCode(code)) ? LETTER : SIGN;
  const isThai = code >= 0x0e00 && code <= 0x0e7f;
  const isLetter = code >= 0xc0 && code < 0x200c && !isThai;
  return isLetter || (code > 0x2bff && code < FIRST_WORD_CHARACTER) ? LETTER : SIGN;
}

/** Hashes of the tokens of a text, one after the other, in a buffer that the next text overwrites. */
export class Tokens {
  /** The first `count` are valid. */
  readonly hashes: Int32Array;
  count = 0;
  /** Where reading goes on. */
  private at = 0;
  private lastStart = 0;

  constructor(private readonly capacity: number) {
    this.hashes = new Int32Array(capacity);
  }

  startAt(place: number): this {
    this.count = 0;
    this.at = place;
    this.lastStart = place;
    return this;
  }

  /**
   * One hash a token: a word, a sign, a character of a script without word gaps; digits are told by their number.
   * Reads until there are `max`; a word is cut at `end`.
   */
  read(codes: Uint16Array, end: number, max = this.capacity): this {
    let { at, count, lastStart } = this;
    while (at < end && count < max) {
      const start = at;
      const kind = kindOf(codes[start] as number);
      at = start + 1;
      if (kind === SPACE) continue;
      let hash = hashCode(codes[start] as number, 0);
      while (at < end && kind !== SIGN && kindOf(codes[at] as number) === kind) {
        if (at - start < MAX_WORD_CHARS) hash = hashCode(codes[at] as number, hash);
        at += 1;
      }
      this.hashes[count] = kind === DIGIT ? numberHash(at - start) : hash;
      count += 1;
      lastStart = start;
    }
    this.at = at;
    this.count = count;
    this.lastStart = lastStart;
    return this;
  }

  /** Forgets the last token, which the end may have cut. */
  rereadLast(): this {
    this.at = this.lastStart;
    this.count = Math.max(0, this.count - 1);
    return this;
  }
}

function numberHash(digits: number): number {
  let hash = 0;
  for (let count = Math.min(digits, MAX_DIGITS); count > 0; count -= 1) hash = hashCode(HASH_SIGN, hash);
  return hash;
}

export function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = hashCode(text.charCodeAt(at), hash);
  return hash;
}

export function hashCode(code: number, hash: number): number {
  return Math.imul(hash ^ code ^ 0x811c9dc5, 0x01000193);
}

export function mix(one: number, other: number): number {
  return Math.imul(one ^ (other << 7) ^ (other >>> 3), 0x2c1b3c6d) ^ other;
}

export function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) & MASK;
}
