import path from 'node:path';
import { PatternSet } from '../../../src/analysis/index';
import { expandPhrase } from '../../../src/analysis/phrase';
import { ConfigurationError } from '../../../src/errors/index';

interface Parts {
  readonly signals?: string;
  readonly features?: string;
  readonly patterns?: string;
}

function fileOf({ signals = 'code: { words: code }', features, patterns }: Parts): string {
  return [
    `signals: { ${signals} }`,
    `features: ${features ?? '{ code: [code], demanding: [], simple: [] }'}`,
    `patterns: [${patterns ?? '{ id: a, taskType: MATH, weight: 0.5, words: sum }'}]`,
  ].join('\n');
}

const patternsOf = (parts: Parts): PatternSet => PatternSet.parse('patterns.yaml', fileOf(parts));
const windows = (instruction: string, rest = {}) => ({
  instruction,
  material: '',
  earlier: '',
  system: '',
  ...rest,
});
const matched = (set: PatternSet, text: string, language = 'en'): string[] =>
  set.read(windows(text), language).matches.map(({ id }) => id);

describe(PatternSet.name, () => {
  it('reads the shipped file', () => {
    expect(PatternSet.load([path.join(__dirname, '../../../config')]).version).toMatch(/^[0-9a-f]{12}$/);
  });

  it('changes its version with the text of the file', () => {
    expect(patternsOf({}).version).not.toBe(patternsOf({ signals: 'code: { words: codes }' }).version);
  });

  describe('words', () => {
    const set = (words: string): PatternSet =>
      patternsOf({ patterns: `{ id: hit, taskType: MATH, weight: 0.5, words: "${words}" }` });

    it.each([
      ['sum', 'a sum of it', true],
      ['sum', 'the summit', false],
      ['sum', 'the sum', true],
      ['sum', 'no-sum!', true],
      ['summ*', 'the summit', true],
      ['tell me', 'please tell\nme more', true],
      ['tell me', 'tell  mexico', false],
      ["what's wrong", 'what’s wrong here', true],
      ['翻译', '请把它翻译成英文', true],
      ['c++', 'in c++, please', true],
      ['.net', 'use .net 9', true],
      ['код', 'напиши код сейчас', true],
      ['код', 'кодекс', false],
    ])('%j in %j: %s', (words, text, expected) => {
      expect(matched(set(words), text)).toEqual(expected ? ['hit'] : []);
    });

    it('stand for every combination of their alternatives', () => {
      expect(expandPhrase('(write|make) (a|an |)poem(s|)')).toHaveLength(12);
      expect(expandPhrase('i(s|z(e|ing))')).toEqual(['is', 'ize', 'izing']);
    });
  });

  describe('combination', () => {
    const set = patternsOf({
      signals: 'code: { words: code }, make: { words: make }',
      patterns: `{ id: both, taskType: MATH, weight: 0.6, all: [make, code] },
        { id: not_code, taskType: MATH, weight: 0.5, all: [make], none: [code] },
        { id: own, taskType: MATH, weight: 0.5, all: [make], regex: '\\d+ times' },
        { id: german, taskType: MATH, weight: 0.5, words: make, languages: [de] }`,
    });

    it.each([
      ['make code', ['both']],
      ['make tea', ['not_code']],
      ['make tea 3 times', ['not_code', 'own']],
      ['3 times', []],
    ])('%j matches %j', (text, expected) => {
      expect(matched(set, text)).toEqual(expected);
    });

    it('counts a pattern in its languages only, and in all when the language is unclear', () => {
      expect(matched(set, 'make', 'de')).toContain('german');
      expect(matched(set, 'make', 'und')).toContain('german');
      expect(matched(set, 'make', 'en')).not.toContain('german');
    });

    it('is as strong as the weakest window of its parts', () => {
      const inMaterial = set.read(windows('make it', { material: 'code' }), 'en').matches;
      const full = set.read(windows('make code'), 'en').matches;
      expect(full.find(({ id }) => id === 'both')?.weight).toBe(0.6);
      expect(inMaterial.find(({ id }) => id === 'both')?.weight).toBeLessThan(0.3);
    });
  });

  it('reads hostile text in bounded time', () => {
    const set = patternsOf({ patterns: `{ id: a, taskType: MATH, weight: 0.5, regex: '(a+)+$|(a|aa)*b' }` });
    expect(matched(set, `${'a'.repeat(50_000)}!`)).toEqual([]);
  });

  it.each<[string, Parts, RegExp]>([
    [
      'a broken expression',
      { patterns: `{ id: a, taskType: MATH, weight: 0.5, regex: '(oops' }` },
      /patterns\[0\]\.regex: .*missing/,
    ],
    [
      'a look-ahead, which RE2 has not',
      { patterns: `{ id: a, taskType: MATH, weight: 0.5, regex: 'a(?=b)' }` },
      /patterns\[0\]\.regex/,
    ],
    [
      'capitals, which would never match',
      { patterns: `{ id: a, taskType: MATH, weight: 0.5, regex: 'Sum' }` },
      /patterns\.?\[0\]\.regex: must be lower case/,
    ],
    [
      'unbalanced brackets',
      { patterns: '{ id: a, taskType: MATH, weight: 0.5, words: "(sum" }' },
      /patterns\[0\]\.words: "\(sum": "\(" without "\)"/,
    ],
    [
      'too many alternatives',
      { patterns: `{ id: a, taskType: MATH, weight: 0.5, words: "${'(a|b)'.repeat(13)}" }` },
      /more than 5000/,
    ],
    [
      'an unknown signal',
      { patterns: '{ id: a, taskType: MATH, weight: 0.5, all: [nope] }' },
      /patterns\[0\]\.all\[0\]: there is no signal "nope"/,
    ],
    [
      'an unknown feature signal',
      { features: '{ code: [nope], demanding: [], simple: [] }' },
      /features\.code\[0\]/,
    ],
    [
      'a doubled id',
      {
        patterns:
          '{ id: a, taskType: MATH, weight: 0.5, words: x }, { id: a, taskType: MATH, weight: 0.5, words: y }',
      },
      /patterns\[1\]\.id: "a" is there twice/,
    ],
    [
      'an unknown task type',
      { patterns: '{ id: a, taskType: POETRY, weight: 0.5, words: x }' },
      /patterns\[0\]\.taskType/,
    ],
    [
      'a weight above 1',
      { patterns: '{ id: a, taskType: MATH, weight: 2, words: x }' },
      /patterns\[0\]\.weight/,
    ],
    [
      'a pattern that matches nothing',
      { patterns: '{ id: a, taskType: MATH, weight: 0.5 }' },
      /patterns\[0\]: needs "words"/,
    ],
    [
      'an unknown key',
      { patterns: '{ id: a, taskType: MATH, weight: 0.5, words: x, wieght: 1 }' },
      /patterns\[0\].*wieght/,
    ],
  ])('refuses %s, naming file, place and reason', (_, parts, message) => {
    expect(() => patternsOf(parts)).toThrow(ConfigurationError);
    expect(() => patternsOf(parts)).toThrow(/^patterns\.yaml: /);
    expect(() => patternsOf(parts)).toThrow(message);
  });
});
