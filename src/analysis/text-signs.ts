/** What single characters of a text can be a sign of, and what is looked for where they stand. */

/** As bits. */
export const LINE_END = 1;
export const DIGIT = 2;
export const SEPARATOR = 4;
export const SENTENCE_END = 8;
export const COLON = 16;
export const QUESTION = 32;
export const FENCE = 64;
export const FORMULA = 128;
export const OPERATOR = 256;
export const CODE = 512;
export const OPTION_END = 1024;
export const QUOTE = 2048;
export const GAP = 4096;

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
  ['_', GAP],
];

/** By character code. */
export const SIGNS = signTable();

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

export interface FormSign {
  readonly name: string;
  /** Signs without which the expression cannot match; most texts need not be searched. */
  readonly needs: number;
  readonly expression: RegExp;
  /** Where it can match, if not anywhere: at the beginning of a line, or as the last character before white space. */
  readonly place?: 'line-start' | 'end';
}

/** What a match at the beginning of a line takes at most. */
const LINE_START_CHARS = 6;

/** What both a text's shape and its sketch look for. */
export const FENCE_SIGN: FormSign = { name: 'fence', needs: FENCE, expression: /```/ };
export const QUESTION_END = { needs: QUESTION, expression: /[?？]/, place: 'end' } as const;
export const TEX_SIGN: FormSign = {
  name: 'tex',
  needs: FORMULA,
  expression: /\$[^$\n]{1,80}\$|\\frac|\\\(|\\\[|\^\{?\d/,
};
export const INDENT_SIGN: FormSign = { name: 'indent', needs: LINE_END, expression: /\n\s{2,8}\S/ };
export const OPTIONS_SIGN: FormSign = {
  name: 'options',
  needs: OPTION_END,
  expression: /(?:^|\n)\s{0,4}(?:[A-Da-d]|[1-4])[.)、]/,
  place: 'line-start',
};

/** @param seen the signs of all characters of the text. */
export function hasForm(text: string, seen: number, { needs, expression, place }: FormSign): boolean {
  if ((seen & needs) !== needs) return false;
  if (place === 'end') return expression.test(text.trimEnd().slice(-1));
  if (place === 'line-start' && (seen & LINE_END) === 0)
    return expression.test(text.slice(0, LINE_START_CHARS));
  return expression.test(text);
}
