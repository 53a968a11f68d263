import { CharacterTree } from './character-tree';
import { expandPhrase } from './phrase';
import { TextCodes } from './text-codes';

const NONE: readonly number[] = [];
const SPACE = 0x20;
const APOSTROPHE = 0x27;
const LAST_ASCII = 0x7f;
const CODES = 0x10000;

/** By character code, what `normalize` and `isWordCode` say. */
const NORMALIZED = Uint16Array.from({ length: CODES }, (_, code) => normalize(code));
const IS_WORD = Uint8Array.from({ length: CODES }, (_, code) => Number(isWordCode(code)));

/** The text in work, normalized. */
const WINDOW = new TextCodes();

/**
 * Finds thousands of phrases in one pass: from every word's beginning (and every ideograph) down a tree of characters. Time is
 * linear in the text, at most its length × the longest phrase; no text makes it slower than that.
 * Phrases in scripts with word gaps match whole words only; any white space matches a space.
 */
export class PhraseTrie {
  private readonly tree = new CharacterTree();
  /** By node: the expressions that match when the word ends there. */
  private readonly whole = new Map<number, readonly number[]>();
  /** By node: the expressions that match whatever follows. */
  private readonly beginning = new Map<number, readonly number[]>();

  /**
   * Adds a phrase in the syntax of `expandPhrase`; a match reports `index`.
   * @throws SyntaxError when the phrase is malformed or empty.
   */
  add(phrase: string, index: number): void {
    for (const text of expandPhrase(phrase)) {
      const isOpen = text.endsWith('*');
      const literal = isOpen ? text.slice(0, -1) : text;
      if (literal.trim() === '') throw new SyntaxError('is empty');
      const node = this.tree.add(normalized(literal));
      const isUnbounded = isOpen || !isWordCode(literal.charCodeAt(literal.length - 1));
      const matches = isUnbounded ? this.beginning : this.whole;
      matches.set(node, [...(matches.get(node) ?? []), index]);
    }
  }

  /** Calls `found` for every match in a lower-cased text; an index may come more than once. */
  scan(text: string, found: (index: number) => void): void {
    const { codes, length } = WINDOW.read(text);
    for (let at = 0; at < length; at += 1) codes[at] = NORMALIZED[codes[at] as number] as number;
    let isInsideWord = 0;
    for (let start = 0; start < length; start += 1) {
      const isWord = IS_WORD[codes[start] as number] as number;
      if ((isWord & isInsideWord) === 0) this.matchFrom(start, found);
      isInsideWord = isWord;
    }
  }

  private matchFrom(start: number, found: (index: number) => void): void {
    const { tree } = this;
    const { codes, length } = WINDOW;
    let node = CharacterTree.ROOT;
    for (let position = start; position < length; position += 1) {
      node = tree.child(node, codes[position] as number);
      if (node === CharacterTree.NONE) return;
      if (tree.isEnd(node)) this.report(node, position + 1, found);
    }
  }

  private report(node: number, end: number, found: (index: number) => void): void {
    for (const index of this.beginning.get(node) ?? NONE) found(index);
    if (end < WINDOW.length && IS_WORD[WINDOW.codes[end] as number] === 1) return;
    for (const index of this.whole.get(node) ?? NONE) found(index);
  }
}

function normalized(text: string): string {
  let result = '';
  for (let at = 0; at < text.length; at += 1) result += String.fromCharCode(normalize(text.charCodeAt(at)));
  return result;
}

/** What a character counts as in a phrase. */
function normalize(code: number): number {
  if (code > LAST_ASCII) return code === 0x2019 ? APOSTROPHE : code === 0xa0 ? SPACE : code;
  return code < SPACE ? SPACE : code;
}

/** Letters of scripts that put gaps between words, digits and `_`; every other character is a word of its own. */
function isWordCode(code: number): boolean {
  if (code <= LAST_ASCII) {
    return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f;
  }
  return code >= 0xc0 && code < 0x2000 && code !== 0xd7 && code !== 0xf7 && !(code >= 0xe00 && code < 0xe80);
}
