/** What a character can be a sign of, as bits. */
const LINE_END = 1;
const DIGIT = 2;
const SEPARATOR = 4;
const SENTENCE_END = 8;
const COLON = 16;
const QUESTION = 32;
const FENCE = 64;
const FORMULA = 128;
const OPERATOR = 256;
const CODE = 512;
const OPTION_END = 1024;
const QUOTE = 2048;

const CHARACTERS: readonly (readonly [characters: string, sign: number])[] = [
  ['\n', LINE_END],
  ['0123456789', DIGIT],
  [',;|\t', SEPARATOR],
  ['.!?。！？', SENTENCE_END],
  [':：', COLON],
  ['?？', QUESTION],
  ['`', FENCE],
  ['$\\^', FORMULA],
  ['=+*/×÷<>≤≥', OPERATOR],
  ['{};', CODE],
  ['.)、', OPTION_END],
  ['"“「『', QUOTE],
];

/** By character code. */
const SIGNS = signTable();

function signTable(): Uint16Array {
  const table = new Uint16Array(0x10000);
  for (const [characters, sign] of CHARACTERS) {
    for (let at = 0; at < characters.length; at += 1) {
      const code = characters.charCodeAt(at);
      table[code] = (table[code] ?? 0) | sign;
    }
  }
  return table;
}

interface ShapeSign {
  readonly name: string;
  /** Signs without which the expression cannot match; most texts need not be searched. */
  readonly needs: number;
  readonly expression: RegExp;
}

const SHAPE_SIGNS: readonly ShapeSign[] = [
  { name: 'fence', needs: FENCE, expression: /```/ },
  { name: 'question-end', needs: QUESTION, expression: /[?？]\s*$/ },
  { name: 'question', needs: QUESTION, expression: /[?？]/ },
  { name: 'tex', needs: FORMULA, expression: /\$[^$\n]{1,80}\$|\\frac|\\\(|\\\[|\^\{?\d/ },
  { name: 'equation', needs: OPERATOR | DIGIT, expression: /[=+*/×÷<>≤≥]\s?\d|\d\s?[=+*/×÷<>]/ },
  { name: 'braces', needs: CODE | LINE_END, expression: /[{};][ \t]*\n/ },
  { name: 'indent', needs: LINE_END, expression: /\n\s{2,8}\S/ },
  { name: 'options', needs: OPTION_END, expression: /(?:^|\n)\s{0,4}(?:[A-Da-d]|[1-4])[.)、]/ },
  { name: 'trace', needs: 0, expression: /\bline \d+|traceback|exception|error:/i },
  { name: 'quote', needs: QUOTE, expression: /["“「『][^"“”「」『』]{3}/ },
];

/** Names of what can be seen of a text without reading it: lengths, lines, signs of code, tables, formulas. */
export function textShape(text: string, language: string): readonly string[] {
  const { seen, lines, digits, sentences, spoken, rows } = counts(text);
  const names: string[] = [];
  for (const { name, needs, expression } of SHAPE_SIGNS)
    if ((seen & needs) === needs && expression.test(text)) names.push(name);
  names.push(
    `length${magnitude(text.length, 11)}`,
    `lines${magnitude(lines, 6)}`,
    `digits${Math.min(5, Math.floor((digits * 25) / Math.max(1, text.length)))}`,
    `sentences${magnitude(sentences + 1, 6)}`,
    `language-${language === 'en' || language === 'zh' ? language : 'other'}`,
  );
  if (spoken >= 3) names.push('dialogue');
  if (rows >= 3) names.push('table');
  return names;
}

function counts(text: string) {
  let [seen, lines, digits, sentences, spoken, rows] = [0, 1, 0, 0, 0, 0];
  let [lineStart, separators, hasSpeaker] = [0, 0, false];
  for (let at = 0; at <= text.length; at += 1) {
    const signs = at < text.length ? (SIGNS[text.charCodeAt(at)] ?? 0) : LINE_END;
    if (signs === 0) continue;
    seen |= at < text.length ? signs : 0;
    if ((signs & DIGIT) !== 0) digits += 1;
    else if ((signs & SENTENCE_END) !== 0) sentences += 1;
    else if ((signs & SEPARATOR) !== 0) separators += 1;
    else if ((signs & COLON) !== 0 && at - lineStart <= 20 && at > lineStart) hasSpeaker = true;
    else if ((signs & LINE_END) !== 0) {
      if (separators >= 3) rows += 1;
      if (hasSpeaker) spoken += 1;
      if (at < text.length) lines += 1;
      [lineStart, separators, hasSpeaker] = [at + 1, 0, false];
    }
  }
  return { seen, lines, digits, sentences, spoken, rows };
}

function magnitude(value: number, max: number): number {
  return Math.min(max, Math.floor(Math.log2(Math.max(1, value))));
}
