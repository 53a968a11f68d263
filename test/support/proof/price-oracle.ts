/** What an attempt costs by the rules of the price list, written apart from the product: whole pico-USD, never a float. */

/** US dollars per million tokens, as decimal text. */
export interface ListRates {
  readonly input: string;
  readonly output: string;
  readonly cachedRead?: string;
  readonly cacheWrite?: string;
  readonly cacheWriteOneHour?: string;
}

export interface ListPrice extends ListRates {
  /** Each holds for the whole request from its number of prompt tokens on. */
  readonly tiers?: readonly (ListRates & { readonly fromPromptTokens: number })[];
}

/** Cached reads and writes are part of the prompt, one-hour writes part of the writes, reasoning part of the completion. */
export interface OracleUsage {
  readonly prompt: number;
  readonly cachedRead?: number;
  readonly cacheWrite?: number;
  readonly cacheWriteOneHour?: number;
  readonly completion: number;
}

export function oracleCost(price: ListPrice, usage: OracleUsage): bigint {
  const rates = (price.tiers ?? []).reduce<ListRates>(
    (found, tier) => (usage.prompt >= tier.fromPromptTokens ? tier : found),
    price,
  );
  const { cachedRead = 0, cacheWrite = 0, cacheWriteOneHour = 0 } = usage;
  const kinds: readonly (readonly [number, string])[] = [
    [usage.prompt - cachedRead - cacheWrite, rates.input],
    [cachedRead, rates.cachedRead ?? rates.input],
    [cacheWrite - cacheWriteOneHour, rates.cacheWrite ?? rates.input],
    [cacheWriteOneHour, rates.cacheWriteOneHour ?? rates.cacheWrite ?? rates.input],
    [usage.completion, rates.output],
  ];
  return kinds.reduce((sum, [tokens, rate]) => sum + BigInt(tokens) * picoOfMillionth(rate), 0n);
}

/** A dollar per million tokens is a millionth of a dollar per token: six of the twelve digits are left for the fraction. */
function picoOfMillionth(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  if (fraction.length > 6) throw new RangeError(`${decimal} is finer than a pico-USD per token`);
  return BigInt(whole + fraction.padEnd(6, '0'));
}

/** Pico-USD of a decimal amount of dollars. */
export function picoOfUsd(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(12, '0'));
}
