const LINE_FEED = 0x0a;

const SIGNS_OF_SHAPE: readonly (readonly [name: string, expression: RegExp])[] = [
  ['fence', /```/],
  ['question-end', /[?？]\s*$/],
  ['question', /[?？]/],
  ['tex', /\$[^$\n]{1,80}\$|\\frac|\\\(|\\\[|\^\{?\d/],
  ['equation', /[=+*/×÷<>≤≥]\s?\d|\d\s?[=+*/×÷<>]/],
  ['braces', /[{};][ \t]*\n/],
  ['indent', /\n\s{2,8}\S/],
  ['options', /(?:^|\n)\s{0,4}(?:[A-Da-d]|[1-4])[.)、]/],
  ['trace', /\bline \d+|traceback|exception|error:/i],
  ['quote', /["“「『][^"“”「」『』]{3}/],
];

/** Names of what can be seen of a text without reading it: lengths, lines, signs of code, tables, formulas. */
export function textShape(text: string, language: string): readonly string[] {
  const names = SIGNS_OF_SHAPE.filter(([, expression]) => expression.test(text)).map(([name]) => name);
  const { lines, digits, sentences, spoken, rows } = counts(text);
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
  let [lines, digits, sentences, spoken, rows] = [1, 0, 0, 0, 0];
  let [lineStart, separators, hasSpeaker] = [0, 0, false];
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : LINE_FEED;
    if (code === LINE_FEED) {
      if (separators >= 3) rows += 1;
      if (hasSpeaker) spoken += 1;
      if (at < text.length) lines += 1;
      [lineStart, separators, hasSpeaker] = [at + 1, 0, false];
    } else if (code >= 0x30 && code <= 0x39) digits += 1;
    else if (code === 0x2c || code === 0x3b || code === 0x7c || code === 0x09) separators += 1;
    else if (
      code === 0x2e ||
      code === 0x21 ||
      code === 0x3f ||
      code === 0x3002 ||
      code === 0xff01 ||
      code === 0xff1f
    )
      sentences += 1;
    else if ((code === 0x3a || code === 0xff1a) && at - lineStart <= 20 && at > lineStart) hasSpeaker = true;
  }
  return { lines, digits, sentences, spoken, rows };
}

function magnitude(value: number, max: number): number {
  return Math.min(max, Math.floor(Math.log2(Math.max(1, value))));
}
