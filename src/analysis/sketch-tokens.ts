/** Cuts a text into a word, a number, a sign, or one character of a script without gaps, the way a sketch reads it. */

/** Not looked up yet, or half of a character beyond the first plane. */
const UNKNOWN = 0;
const SPACE = 1;
const SIGN = 2;
const NUMBER = 3;
const LETTER = 4;
/** A letter that is a token by itself, unless it goes on a word. */
const IDEOGRAPH = 5;

const NUMBER_SIGN = 0x23;

/** By character code; filled as characters are met. */
const KINDS = new Uint8Array(0x10000);

export class SketchTokens {
  /** Of the token that `next` came to. */
  private start: number;
  private end: number;
  private kind = UNKNOWN;

  /** Reads from `first` up to `limit`. */
  constructor(
    private readonly codes: Uint16Array,
    first: number,
    private readonly limit: number,
  ) {
    this.start = first;
    this.end = first;
  }

  /** Goes on to the next token; false when there is none, and stays. */
  next(): boolean {
    let at = this.end;
    while (at < this.limit && this.kindAt(at) === SPACE) at += 1;
    if (at >= this.limit) return false;
    this.start = at;
    this.kind = this.kindAt(at);
    at += this.widthAt(at);
    if (this.kind === LETTER) while (at < this.limit && this.kindAt(at) >= LETTER) at += this.widthAt(at);
    if (this.kind === NUMBER) while (at < this.limit && this.kindAt(at) === NUMBER) at += this.widthAt(at);
    this.end = at;
    return true;
  }

  /** Goes on with a hash; all numbers are alike. */
  hash(seed: number): number {
    if (this.kind === NUMBER) return hashCode(NUMBER_SIGN, seed);
    let hash = seed;
    for (let at = this.start; at < this.end; at += 1) hash = hashCode(this.codes[at] as number, hash);
    return hash;
  }

  private kindAt(at: number): number {
    const code = this.codes[at] as number;
    const known = KINDS[code] as number;
    if (known !== UNKNOWN) return known;
    const pair = this.pairAt(at);
    if (pair > 0) return kindOf(pair);
    const kind = kindOf(code);
    if (!isHighSurrogate(code)) KINDS[code] = kind;
    return kind;
  }

  private widthAt(at: number): number {
    return this.pairAt(at) > 0 ? 2 : 1;
  }

  /** The character beyond the first plane that begins there; 0 when none does. */
  private pairAt(at: number): number {
    const high = this.codes[at] as number;
    if (!isHighSurrogate(high) || at + 1 >= this.limit) return 0;
    const low = this.codes[at + 1] as number;
    return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : 0;
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function kindOf(code: number): number {
  const character = String.fromCodePoint(code);
  if (/\p{L}/u.test(character))
    return /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/.test(character) ? IDEOGRAPH : LETTER;
  if (/\p{N}/u.test(character)) return NUMBER;
  return /\s/.test(character) ? SPACE : SIGN;
}

/** FNV-1a of a text, gone on with. */
export function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = hashCode(text.charCodeAt(at), hash);
  return hash;
}

function hashCode(code: number, hash: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}
