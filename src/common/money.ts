/**
 * Money is an integer number of pico-USD (1e-12 USD) in a bigint; decimal strings appear only at the edges
 * (JSON, YAML, the price source). No floating-point number ever holds an amount.
 */
export type PicoUsd = bigint;

export const PICO_PER_USD = 1_000_000_000_000n;
const DIGITS = 12;

/**
 * Parses a plain or exponent decimal of US dollars ("0.15", "1e-7").
 * @throws RangeError when the text is not a decimal or is finer than one pico-USD.
 */
export function parseUsd(decimal: string): PicoUsd {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(decimal.trim());
  if (!match) throw new RangeError(`"${decimal}" is not a decimal amount of US dollars`);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const shift = DIGITS + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  const value =
    shift >= 0 ? digits * 10n ** BigInt(shift) : divideExactly(digits, 10n ** BigInt(-shift), decimal);
  return sign ? -value : value;
}

function divideExactly(digits: bigint, divisor: bigint, decimal: string): bigint {
  if (digits % divisor !== 0n) throw new RangeError(`"${decimal}" is finer than one pico-USD`);
  return digits / divisor;
}

/** The exact decimal string without trailing zeros: 240000n is "0.00000024". */
export function formatUsd(amount: PicoUsd): string {
  const negative = amount < 0n;
  const digits = (negative ? -amount : amount).toString().padStart(DIGITS + 1, '0');
  const whole = digits.slice(0, -DIGITS);
  const fraction = digits.slice(-DIGITS).replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`;
}
