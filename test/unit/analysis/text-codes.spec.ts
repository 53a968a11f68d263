import { TextCodes } from '../../../src/analysis/text-codes';

describe(TextCodes.name, () => {
  it('has the codes of the text read last, whatever was read before', () => {
    const codes = new TextCodes();
    for (const text of ['abc', '字😀\ud800é', '', 'x\uffff'.repeat(10_000), 'ab']) {
      const { length } = codes.read(text);
      const expected = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
      expect([...codes.codes.subarray(0, length)]).toEqual(expected);
    }
  });
});
