import { detectLanguage } from '../../../src/analysis/language';

describe('detectLanguage', () => {
  it.each([
    ['what is the capital of this country', 'en'],
    ['wie ist das wetter und was ist mit dem', 'de'],
    ['hãy viết một đoạn văn cho tôi', 'vi'],
    ['và là của những được', 'vi'],
    ['请翻译', 'zh'],
    ['これは何ですか', 'ja'],
    ['zorp blarg', 'und'],
    ['', 'und'],
    // A word is read whole, whatever its letters are.
    ['the\u{10428} \u{10428}the the字 atheist thecode', 'und'],
    ['the\u{1F600}and', 'en'],
    ['the\uD800and', 'en'],
    ["don't… the—and", 'en'],
    // Both words belong to Spanish and French: the language that comes first wins.
    ['la la en', 'es'],
  ])('%j is %s', (text, language) => {
    expect(detectLanguage(text)).toBe(language);
  });

  it('reads the beginning only', () => {
    expect(detectLanguage(`${'zorp '.repeat(100)}the and of`)).toBe('und');
  });
});
