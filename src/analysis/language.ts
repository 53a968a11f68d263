/** Names the language of a text by its script, and Latin-script languages by their commonest words. */

import { CharacterTree } from './character-tree';
import { TextCodes } from './text-codes';

const SAMPLE_CHARS = 500;
const MIN_STOP_WORDS = 1;

const STOP_WORDS: Readonly<Record<string, string>> = {
  en: 'the of and to in is are that for with this what how you can i it be from on please write which an does',
  es: 'el la los las de que y en un una por con para del es cómo qué como escribe este esta al se su lo mi más',
  fr: 'le la les des et en un une que est pour dans du avec qui sur ce cette au je vous comment quel quelle à écris',
  de: 'der die das und ist ein eine zu mit für den dem von auf nicht wie was ich auch sich bitte im ins einen über',
  pt: 'o os as de que e em um uma para com não do da por no na como é você se ao mais escreva este esta',
  it: 'il lo gli di che e un una per con non del della è sono come cosa nel questo questa scrivi si dei alla',
  nl: 'de het een en van is dat op te in voor met niet zijn hoe wat ik deze die naar schrijf om ook',
  pl: 'i w na z do nie to się jest jak że co dla od czy po napisz przez jaki ten',
  tr: 've bir bu için ile ne nasıl da de çok olan mi mı gibi daha bana yaz',
  id: 'yang dan di ini itu untuk dengan dari ke pada adalah apa bagaimana tidak dalam buatlah saya tolong bahasa',
  vi: 'và là của có cho một các trong được với không này những bao nhiêu hãy viết tôi bạn để',
};

const LANGUAGES = Object.keys(STOP_WORDS);

/** All stop words, and by node where one ends: the places of its languages in `LANGUAGES`. */
const STOP_WORD_TREE = new CharacterTree();
const LANGUAGES_OF_WORD = stopWordTable();

function stopWordTable(): readonly (readonly number[])[] {
  const table: number[][] = [];
  for (const [place, language] of LANGUAGES.entries()) {
    for (const word of (STOP_WORDS[language] ?? '').split(' ')) {
      const node = STOP_WORD_TREE.add(word);
      while (table.length <= node) table.push([]);
      table[node]?.push(place);
    }
  }
  return table;
}

/** By character code, for the scripts that a Latin text is written in. */
const IS_LETTER = Uint8Array.from({ length: 0x2000 }, (_, code) => Number(isLetter(code)));

type Script =
  'latin' | 'han' | 'kana' | 'hangul' | 'cyrillic' | 'arabic' | 'hebrew' | 'thai' | 'devanagari' | 'greek';

/** Of the sample. */
const CODES = new TextCodes();

/** ISO 639-1 of the text's beginning; `und` when unclear. `lowerCased` is the text in lower case. */
export function detectLanguage(lowerCased: string): string {
  const sample = lowerCased.length > SAMPLE_CHARS ? lowerCased.slice(0, SAMPLE_CHARS) : lowerCased;
  CODES.read(sample);
  switch (mainScript()) {
    case undefined:
      return 'und';
    case 'latin':
      return latinLanguage(sample);
    case 'han':
      return 'zh';
    case 'kana':
      return 'ja';
    case 'hangul':
      return 'ko';
    case 'cyrillic':
      return /[іїєґ]/.test(sample) ? 'uk' : 'ru';
    case 'arabic':
      return /[پچژگ]/.test(sample) ? 'fa' : 'ar';
    case 'hebrew':
      return 'he';
    case 'thai':
      return 'th';
    case 'devanagari':
      return 'hi';
    case 'greek':
      return 'el';
  }
}

/** One syllable or ideograph says as much as about three letters, so that Chinese with English terms stays Chinese. */
function mainScript(): Script | undefined {
  const { codes, length } = CODES;
  const counts = new Map<Script, number>();
  let latin = 0;
  for (let at = 0; at < length; at += 1) {
    const code = codes[at] as number;
    if (code < 0x250) {
      if (isLatinLetter(code)) latin += 1;
      continue;
    }
    const script = scriptOf(code);
    if (script) counts.set(script, (counts.get(script) ?? 0) + (code >= 0x3040 ? 3 : 1));
  }
  if ((counts.get('kana') ?? 0) * 5 > (counts.get('han') ?? 0))
    counts.set('kana', (counts.get('kana') ?? 0) + (counts.get('han') ?? 0));
  let best: Script | undefined = latin > 0 ? 'latin' : undefined;
  let most = latin;
  for (const [script, count] of counts) {
    if (count > most) [best, most] = [script, count];
  }
  return best;
}

function isLatinLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || code >= 0xc0;
}

function scriptOf(code: number): Script | undefined {
  if (code >= 0x4e00 && code <= 0x9fff) return 'han';
  if (code >= 0x3040 && code <= 0x30ff) return 'kana';
  if (code >= 0xac00 && code <= 0xd7a3) return 'hangul';
  if (code >= 0x400 && code <= 0x52f) return 'cyrillic';
  if (code >= 0x600 && code <= 0x6ff) return 'arabic';
  if (code >= 0x590 && code <= 0x5ff) return 'hebrew';
  if (code >= 0xe00 && code <= 0xe7f) return 'thai';
  if (code >= 0x900 && code <= 0x97f) return 'devanagari';
  if (code >= 0x370 && code <= 0x3ff) return 'greek';
  return undefined;
}

/** The languages that a stop word belongs to share it. Of equals, the one that came first wins. */
function latinLanguage(sample: string): string {
  const { codes, length } = CODES;
  const scores = new Float64Array(LANGUAGES.length);
  const met: number[] = [];
  let at = 0;
  while (at < length) {
    const start = at;
    let node = CharacterTree.ROOT;
    for (; at < length && isLetterAt(sample, at); at += 1) {
      if (node !== CharacterTree.NONE || at === start) node = STOP_WORD_TREE.child(node, codes[at] as number);
    }
    if (node !== CharacterTree.NONE && STOP_WORD_TREE.isEnd(node)) countWord(node, scores, met);
    at += 1;
  }
  return bestOf(scores, met);
}

/** Adds the languages that had no word before to `met`. */
function countWord(node: number, scores: Float64Array, met: number[]): void {
  const languages = LANGUAGES_OF_WORD[node] ?? [];
  for (const language of languages) {
    const before = scores[language] as number;
    if (before === 0) met.push(language);
    scores[language] = before + 1 / languages.length;
  }
}

function bestOf(scores: Float64Array, met: readonly number[]): string {
  let best = 'und';
  let most = MIN_STOP_WORDS - 0.01;
  for (const language of met) {
    const score = scores[language] as number;
    if (score > most) [best, most] = [LANGUAGES[language] ?? best, score];
  }
  return best;
}

/** The second half of a character beyond the first plane is what its first half is. */
function isLetterAt(text: string, at: number): boolean {
  const code = CODES.codes[at] as number;
  if (code < IS_LETTER.length) return IS_LETTER[code] === 1;
  const isSecondHalf = isBetween(code, 0xdc00, 0xdfff) && isBetween(text.charCodeAt(at - 1), 0xd800, 0xdbff);
  return isLetter(text.codePointAt(isSecondHalf ? at - 1 : at) ?? 0);
}

function isBetween(code: number, first: number, last: number): boolean {
  return code >= first && code <= last;
}

function isLetter(code: number): boolean {
  return /\p{L}/u.test(String.fromCodePoint(code));
}
