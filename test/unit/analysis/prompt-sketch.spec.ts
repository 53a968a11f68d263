import { promptSketch } from '../../../src/analysis/index';

const FORMS = 'a) one\nb) two\n  三、x\n```\nif (x) {\n    y = $a+b$;\n}\n```';

describe(promptSketch.name, () => {
  // Outcomes keep these numbers: whoever has to change them makes all that was learned before useless.
  it.each([
    ['nothing', '', [850, 1367, 1473, 3169]],
    [
      'a question with numbers',
      'what is 12 times 9?',
      [129, 331, 547, 694, 958, 1133, 1367, 2875, 2957, 2960, 3233, 3320],
    ],
    ['a text longer than is read', 'x'.repeat(3_000), [914, 1367, 1562, 2751, 3043, 3169]],
    [
      'a word that the end of what is read cuts',
      `${'ab '.repeat(799)}abcdef`,
      [856, 1118, 1367, 1755, 3015, 3043, 3169, 4008],
    ],
    [
      'ideographs, which go on a word but begin none',
      'abc字def ・ 字abc',
      [764, 856, 1118, 1325, 1367, 1821, 1871, 2193, 3169, 3938],
    ],
    [
      'letters and signs beyond the first plane, and halves of such',
      'the \u{1d400}\u{1d401} \u{1f600}x \u{20000}b \ud800 \udc00',
      [331, 476, 490, 1306, 1367, 1918, 2404, 2663, 3043, 3169, 3446, 3995, 4006],
    ],
    [
      'a last word that is looked for from the middle of a character',
      `a ${'\u{1f600}'.repeat(12)}b`,
      [331, 523, 892, 1294, 1367, 1918, 2090, 3147, 3169],
    ],
    [
      'signs of form',
      FORMS,
      [
        82, 312, 402, 414, 523, 818, 849, 926, 1100, 1103, 1141, 1208, 1297, 1363, 1509, 1772, 2000, 2090,
        2390, 2510, 2663, 2777, 2819, 3147, 3169, 3236, 3785, 3807, 4051,
      ],
    ],
    [
      'gaps, white space and numbers of all kinds',
      '  a _ b\u00a0c\ufeff\u3000①②٣ 12th.  ',
      [311, 331, 523, 1332, 1367, 1516, 1812, 1923, 2090, 3147, 3320, 3337, 3787, 3798, 4014],
    ],
  ])('stays the same for %s', (_, lowered, expected) => {
    expect(promptSketch(lowered)).toEqual(expected);
    promptSketch('something else comes between, which is longer: x = 3; 字'.repeat(50));
    expect(promptSketch(lowered)).toEqual(expected);
  });
});
