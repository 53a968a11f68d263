import { expandPhrase } from './phrase';

/** Most nodes of the tree continue in one way and end nothing, so what is empty is shared. */
interface TrieNode {
  next: Map<number, TrieNode>;
  /** Expressions that match when the word ends here. */
  whole: readonly number[];
  /** Expressions that match whatever follows. */
  beginning: readonly number[];
}

const NO_NEXT = new Map<number, TrieNode>();
const NONE: readonly number[] = [];

const SPACE = 0x20;
const APOSTROPHE = 0x27;
const LAST_ASCII = 0x7f;

/**
 * Finds thousands of phrases in one pass: from every word's beginning (and every ideograph) down a tree of characters. Time is
 * linear in the text, at most its length × the longest phrase; no text makes it slower than that.
 * Phrases in scripts with word gaps match whole words only; any white space matches a space.
 */
export class PhraseTrie {
  private readonly root = newNode();

  /**
   * Adds a phrase in the syntax of `expandPhrase`; a match reports `index`.
   * @throws SyntaxError when the phrase is malformed or empty.
   */
  add(phrase: string, index: number): void {
    for (const text of expandPhrase(phrase)) {
      const isOpen = text.endsWith('*');
      const literal = isOpen ? text.slice(0, -1) : text;
      if (literal.trim() === '') throw new SyntaxError('is empty');
      const node = this.nodeOf(literal);
      const isUnbounded = isOpen || !isWordCode(literal.charCodeAt(literal.length - 1));
      if (isUnbounded) node.beginning = [...node.beginning, index];
      else node.whole = [...node.whole, index];
    }
  }

  /** Calls `found` for every match in a lower-cased text; an index may come more than once. */
  scan(text: string, found: (index: number) => void): void {
    let isInsideWord = false;
    for (let start = 0; start < text.length; start += 1) {
      const code = text.charCodeAt(start);
      const isWord = isWordCode(code);
      if (!(isWord && isInsideWord)) this.matchFrom(text, start, found);
      isInsideWord = isWord;
    }
  }

  private matchFrom(text: string, start: number, found: (index: number) => void): void {
    let node = this.root.next.get(normalize(text.charCodeAt(start)));
    let position = start + 1;
    while (node) {
      if (node.beginning.length > 0) for (const index of node.beginning) found(index);
      const code = position < text.length ? text.charCodeAt(position) : SPACE;
      if (node.whole.length > 0 && !isWordCode(code)) for (const index of node.whole) found(index);
      if (position >= text.length) return;
      node = node.next.get(normalize(code));
      position += 1;
    }
  }

  private nodeOf(literal: string): TrieNode {
    let node = this.root;
    for (let position = 0; position < literal.length; position += 1) {
      const code = normalize(literal.charCodeAt(position));
      let next = node.next.get(code);
      if (!next) {
        next = newNode();
        if (node.next === NO_NEXT) node.next = new Map();
        node.next.set(code, next);
      }
      node = next;
    }
    return node;
  }
}

function newNode(): TrieNode {
  return { next: NO_NEXT, whole: NONE, beginning: NONE };
}

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
