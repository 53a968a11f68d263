import { TextCodes } from '../text-codes';
import {
  CODE,
  COLON,
  DIGIT,
  FENCE_SIGN,
  type FormSign,
  hasForm,
  INDENT_SIGN,
  LINE_END,
  OPERATOR,
  OPTIONS_SIGN,
  QUESTION,
  QUESTION_END,
  QUOTE,
  SENTENCE_END,
  SEPARATOR,
  SIGNS,
  TEX_SIGN,
} from '../text-signs';

const SHAPE_SIGNS: readonly FormSign[] = [
  FENCE_SIGN,
  { name: 'question-end', ...QUESTION_END },
  { name: 'question', needs: QUESTION, expression: /[?？]/ },
  TEX_SIGN,
  { name: 'equation', needs: OPERATOR | DIGIT, expression: /[=+*/×÷<>≤≥]\s?\d|\d\s?[=+*/×÷<>]/ },
  { name: 'braces', needs: CODE | LINE_END, expression: /[{};][ \t]*\n/ },
  INDENT_SIGN,
  OPTIONS_SIGN,
  { name: 'trace', needs: 0, expression: /\bline \d+|traceback|exception|error:/i },
  { name: 'quote', needs: QUOTE, expression: /["“「『][^"“”「」『』]{3}/ },
];
const CODES = new TextCodes();

/** Names of what can be seen of a text without reading it: lengths, lines, signs of code, tables, formulas. */
export function textShape(text: string, language: string): readonly string[] {
  const { seen, lines, digits, sentences, spoken, rows } = counts(text);
  const names: string[] = [];
  for (const sign of SHAPE_SIGNS) if (hasForm(text, seen, sign)) names.push(sign.name);
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
  const { codes, length } = CODES.read(text);
  let [seen, lines, digits, sentences, spoken, rows] = [0, 1, 0, 0, 0, 0];
  let [lineStart, separators, hasSpeaker] = [0, 0, false];
  for (let at = 0; at <= length; at += 1) {
    const signs = at < length ? (SIGNS[codes[at] as number] as number) : LINE_END;
    if (signs === 0) continue;
    seen |= at < length ? signs : 0;
    if ((signs & DIGIT) !== 0) digits += 1;
    else if ((signs & SENTENCE_END) !== 0) sentences += 1;
    else if ((signs & SEPARATOR) !== 0) separators += 1;
    else if ((signs & COLON) !== 0 && at - lineStart <= 20 && at > lineStart) hasSpeaker = true;
    else if ((signs & LINE_END) !== 0) {
      if (separators >= 3) rows += 1;
      if (hasSpeaker) spoken += 1;
      if (at < length) lines += 1;
      [lineStart, separators, hasSpeaker] = [at + 1, 0, false];
    }
  }
  return { seen, lines, digits, sentences, spoken, rows };
}

function magnitude(value: number, max: number): number {
  return Math.min(max, Math.floor(Math.log2(Math.max(1, value))));
}
