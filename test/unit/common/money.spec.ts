import { formatUsd, parseUsd } from '../../../src/common/index';

describe('money', () => {
  it.each([
    ['0', 0n],
    ['1', 1_000_000_000_000n],
    ['0.00000024', 240_000n],
    ['1e-7', 100_000n],
    ['2.5E+1', 25_000_000_000_000n],
    ['-0.1', -100_000_000_000n],
    ['0.000000000001', 1n],
    ['9007199254740993.000000000001', 9_007_199_254_740_993_000_000_000_001n],
  ])('parses %s exactly', (text, pico) => {
    expect(parseUsd(text)).toBe(pico);
  });

  it.each(['', 'abc', '1,5', '0x10', '1e', '0.0000000000001', '1e-13', 'NaN', 'Infinity'])(
    'refuses %p',
    (text) => {
      expect(() => parseUsd(text)).toThrow(RangeError);
    },
  );

  it.each([
    [0n, '0'],
    [1n, '0.000000000001'],
    [240_000n, '0.00000024'],
    [-1_500_000_000_000n, '-1.5'],
    [123_000_000_000_000n, '123'],
  ])('formats %s without trailing zeros', (pico, text) => {
    expect(formatUsd(pico)).toBe(text);
  });

  it('reads back what it wrote', () => {
    for (let pico = 1n; pico < 10n ** 20n; pico = pico * 7n + 3n)
      expect(parseUsd(formatUsd(pico))).toBe(pico);
  });
});
