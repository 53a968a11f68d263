import { canonicalDigest, canonicalJson } from '../../../../src/execution/response-cache/canonical-digest';

describe(canonicalDigest.name, () => {
  const same = (left: unknown, right: unknown): boolean => canonicalDigest(left) === canonicalDigest(right);

  it.each<[string, unknown, unknown]>([
    ['another order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['another order deep inside', [{ a: [{ x: 1, y: {} }] }], [{ a: [{ y: {}, x: 1 }] }]],
    ['keys that look like numbers', { 2: 'b', 1: 'a', x: 0 }, { x: 0, 1: 'a', 2: 'b' }],
    ['what JSON leaves out', { a: 1, b: undefined }, { a: 1 }],
  ])('is the same for %s', (_, left, right) => {
    expect(same(left, right)).toBe(true);
  });

  it.each<[string, unknown, unknown]>([
    ['another order in a list', [1, 2], [2, 1]],
    ['null and nothing', { a: null }, {}],
    ['text and number', { a: '1' }, { a: 1 }],
    ['a list of pairs and an object', [['a', 1]], { a: 1 }],
    ['a deeper key', { a: { b: 1 } }, { a: {}, b: 1 }],
    ['an object that looks like the canonical form', { a: 1 }, { object: [['a', 1]] }],
    ['an empty object and an empty list', {}, []],
    ['blanks', { a: 'x' }, { a: 'x ' }],
  ])('is another one for %s', (_, left, right) => {
    expect(same(left, right)).toBe(false);
  });

  it('keeps its parts apart', () => {
    expect(canonicalDigest('ab', 'c')).not.toBe(canonicalDigest('a', 'bc'));
    expect(canonicalDigest('a', undefined, 'b')).not.toBe(canonicalDigest('a', 'b'));
    expect(canonicalJson(undefined)).toBe('null');
  });
});
