import { toStorableJson } from '../../../src/common/index';

describe(toStorableJson.name, () => {
  it('takes out NUL and lone surrogates, however deep', () => {
    const value = { said: ['a\0b', { half: 'x\ud800y' }], whole: '\u{1f600}' };
    expect(JSON.parse(toStorableJson(value))).toEqual({
      said: ['ab', { half: 'x\ufffdy' }],
      whole: '\u{1f600}',
    });
  });

  it('leaves alone what only looks like one', () => {
    const value = { code: String.raw`"\u0000" and \ud800`, path: String.raw`\\u0000` };
    expect(JSON.parse(toStorableJson(value))).toEqual(value);
  });
});
