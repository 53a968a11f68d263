const FIRST_CAPACITY = 64;
const CODES = 0x10000;
const CODE_BITS = 0xffff;
const END_BIT = 0x10000;

/**
 * A tree whose branches are characters, in flat arrays: a lookup follows no object and allocates nothing. Nodes are
 * numbers.
 */
export class CharacterTree {
  static readonly ROOT = 0;
  /** What `child` says when there is none: the root is no node's child. */
  static readonly NONE = 0;

  private size = 1;
  /** By character: the child of the root. */
  private readonly firsts = new Int32Array(CODES);
  /** Two numbers a node, side by side for the processor's cache: its parent, and the character that leads to it with `END_BIT`. */
  private nodes = new Int32Array(FIRST_CAPACITY * 2);
  /** A hash table of the other nodes, without those right behind their parent, which are most. */
  private slots = new Int32Array(FIRST_CAPACITY);
  private hashed = 0;

  child(node: number, code: number): number {
    if (node === CharacterTree.ROOT) return this.firsts[code] as number;
    if (this.isChild(node + 1, node, code)) return node + 1;
    const mask = this.slots.length - 1;
    for (let slot = hashOf(node, code) & mask; ; slot = (slot + 1) & mask) {
      const child = this.slots[slot] as number;
      if (child === CharacterTree.NONE || this.isChild(child, node, code)) return child;
    }
  }

  /** Whether a word that was added ends there. */
  isEnd(node: number): boolean {
    return ((this.nodes[node * 2 + 1] as number) & END_BIT) !== 0;
  }

  /** The node where the word ends. */
  add(word: string): number {
    let node = CharacterTree.ROOT;
    for (let at = 0; at < word.length; at += 1) node = this.grow(node, word.charCodeAt(at));
    this.nodes[node * 2 + 1] = (this.nodes[node * 2 + 1] as number) | END_BIT;
    return node;
  }

  private isChild(child: number, node: number, code: number): boolean {
    return this.nodes[child * 2] === node && ((this.nodes[child * 2 + 1] as number) & CODE_BITS) === code;
  }

  private grow(node: number, code: number): number {
    const known = this.child(node, code);
    if (known !== CharacterTree.NONE) return known;
    const made = this.size;
    this.size += 1;
    // There is always room for one more, which `child` looks at.
    if (this.size * 2 >= this.nodes.length) this.nodes = doubled(this.nodes);
    this.nodes[made * 2] = node;
    this.nodes[made * 2 + 1] = code;
    if (node === CharacterTree.ROOT) this.firsts[code] = made;
    else if (made !== node + 1) this.insert(made);
    return made;
  }

  private insert(node: number): void {
    this.hashed += 1;
    if (this.hashed * 4 > this.slots.length) {
      const before = this.slots;
      this.slots = new Int32Array(before.length * 2);
      for (const other of before) if (other !== CharacterTree.NONE) this.place(other);
    }
    this.place(node);
  }

  private place(node: number): void {
    const mask = this.slots.length - 1;
    const [parent, code] = [this.nodes[node * 2] as number, this.nodes[node * 2 + 1] as number];
    let slot = hashOf(parent, code & CODE_BITS) & mask;
    while (this.slots[slot] !== CharacterTree.NONE) slot = (slot + 1) & mask;
    this.slots[slot] = node;
  }
}

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

function hashOf(node: number, code: number): number {
  const mixed = Math.imul(node ^ Math.imul(code, 0x01000193), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 15);
}
