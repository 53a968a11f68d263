import { CharacterTree } from '../../../src/analysis/character-tree';

/** Every beginning of a word, with whether a word ends there. */
function beginnings(words: readonly string[]): ReadonlyMap<string, boolean> {
  const known = new Map<string, boolean>();
  for (const word of words)
    for (let end = 1; end <= word.length; end += 1) known.set(word.slice(0, end), false);
  for (const word of words) known.set(word, true);
  return known;
}

function nodeOf(tree: CharacterTree, text: string): number {
  let node: number = CharacterTree.ROOT;
  for (let at = 0; at < text.length; at += 1) {
    node = tree.child(node, text.charCodeAt(at));
    if (node === CharacterTree.NONE) return node;
  }
  return node;
}

describe(CharacterTree.name, () => {
  const words = Array.from({ length: 2_000 }, (_, index) => `${(index * 7919) % 1_000}-${index}字\uffff`);
  const tree = new CharacterTree();
  const nodes = words.map((word) => tree.add(word));
  const known = beginnings(words);

  it('leads to every word and every beginning of one, each at a node of its own', () => {
    const reached = new Map([...known.keys()].map((text) => [text, nodeOf(tree, text)]));
    expect([...reached.values()]).not.toContain(CharacterTree.NONE);
    expect(new Set(reached.values()).size).toBe(known.size);
    expect(words.map((word) => reached.get(word))).toEqual(nodes);
    expect([...reached].filter(([text, node]) => tree.isEnd(node) !== known.get(text))).toEqual([]);
  });

  it('leads nowhere else', () => {
    const strangers = [...known.keys()]
      .flatMap((text) => ['0', '9', '-', 'x', '\0', '\uffff'].map((other) => text + other))
      .filter((text) => !known.has(text));
    expect(strangers.length).toBeGreaterThan(10_000);
    expect(strangers.filter((text) => nodeOf(tree, text) !== CharacterTree.NONE)).toEqual([]);
  });

  it('keeps the node of a word that is added again', () => {
    expect(tree.add(words[17] ?? '')).toBe(nodes[17]);
  });
});
