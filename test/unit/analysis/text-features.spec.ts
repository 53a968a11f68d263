import { createHash } from 'node:crypto';
import { textFeatures } from '../../../src/analysis/index';
import { textShape } from '../../../src/analysis/classifier/text-shape';

const WORDS =
  'Write a summary of the 12345678 reports, please: "Ünïted" 字節 — naïve? x = 3;\n- one\n- two\n';

function read(text: string) {
  const prompt = { text, lowered: text.toLowerCase(), language: 'en', patterns: ['summary', 'list'] };
  return textFeatures(prompt).map(({ ids, count, scale }) => ({ ids: [...ids.subarray(0, count)], scale }));
}

function fingerprint(text: string): string {
  return createHash('sha256')
    .update(JSON.stringify(read(text)))
    .digest('hex')
    .slice(0, 12);
}

describe('textFeatures', () => {
  // Whoever has to change these changes what the trained weights mean: train anew.
  it.each([
    ['nothing', '', '865df10fc5f0'],
    ['a short text', 'Translate "good night" into Finnish.', 'c9f72b1d262a'],
    ['a text as long as its head', 'ab '.repeat(100), 'bbfbf5d3468b'],
    [
      'a word that the end of the head cuts',
      `${'ab '.repeat(98)}antidisestablishmentarianism and more`,
      '029bc52c5f4d',
    ],
    ['more words than the head may have', 'a b c '.repeat(40), '4437f81e1e38'],
    ['a long text of all kinds', WORDS.repeat(40), 'f1565d648ca7'],
    ['a script without gaps', '请把下面的句子翻译成英文:今天天气很好。'.repeat(20), 'b10ac57e7fa9'],
  ])('stay the same for %s', (_, text, expected) => {
    expect(fingerprint(text)).toBe(expected);
  });

  it('counts each feature of a kind once', () => {
    for (const { ids } of read('the same again and again '.repeat(50)))
      expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('textShape', () => {
  it.each([
    ['fence', 'see ```this'],
    ['question', 'why? well'],
    ['question-end', 'why？ '],
    ['tex', 'the \\frac of'],
    ['tex', 'is $a+b$ even'],
    ['tex', 'take x^2'],
    ['equation', 'so x = 3'],
    ['equation', '3 × y'],
    ['braces', 'begin {\n'],
    ['indent', 'a:\n    b'],
    ['options', 'A) one'],
    ['options', '    D) one'],
    ['options', 'pick\n 2、two'],
    ['trace', 'on LINE 7'],
    ['trace', 'TypeError: no'],
    ['quote', 'say “night'],
    ['dialogue', 'A: hi\nB: ho\nA: bye'],
    ['table', 'a,b,c,d\n1,2,3,4\n5|6|7|8'],
  ])('sees %s in %j', (name, text) => {
    expect(textShape(text, 'en')).toContain(name);
  });

  it.each(['', 'Nothing to be seen here', '12 apples', 'a - b', 'it is “ok”', '= and +', 'one: two'])(
    'sees no sign in %j',
    (text) => {
      const names = textShape(text, 'en').filter(
        (name) => !/^(length|lines|digits|sentences|language)/.test(name),
      );
      expect(names).toEqual([]);
    },
  );
});
