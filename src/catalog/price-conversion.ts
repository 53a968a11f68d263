import { createHash } from 'node:crypto';
import { formatUsd, parseUsd, type PicoUsd } from '../common/index';
import type { ModelPrices, PriceTier, TokenPrices } from './price';

/** Prices as people write them: decimal US dollars per million tokens. */
export interface UsdPerMillion {
  readonly input: string;
  readonly output: string;
  readonly cachedRead?: string;
  readonly cacheWrite?: string;
  readonly cacheWriteOneHour?: string;
}

export interface UsdPerMillionPrices extends UsdPerMillion {
  readonly tiers?: readonly (UsdPerMillion & { readonly fromPromptTokens: number })[];
}

/** The form in the database: integers of pico-USD per token as decimal strings, keys in a fixed order. */
export type StoredPrices = StoredRates & {
  readonly tiers: readonly (StoredRates & { fromPromptTokens: number })[];
};
type StoredRates = { [K in keyof UsdPerMillion]: string };

const TOKENS_PER_MILLION = 1_000_000n;

/**
 * Pico-USD per token from US dollars per million tokens, without any floating-point step.
 * @throws RangeError when the text is no decimal, is negative, or is not a whole number of pico-USD per token.
 */
export function picoPerToken(usdPerMillion: string): PicoUsd {
  const perMillion = parseUsd(usdPerMillion);
  if (perMillion < 0n) throw new RangeError(`"${usdPerMillion}" is negative`);
  if (perMillion % TOKENS_PER_MILLION !== 0n) {
    throw new RangeError(
      `"${usdPerMillion}" USD per million tokens is not a whole number of pico-USD per token`,
    );
  }
  return perMillion / TOKENS_PER_MILLION;
}

export function usdPerMillion(rate: PicoUsd): string {
  return formatUsd(rate * TOKENS_PER_MILLION);
}

/** @throws RangeError as picoPerToken does, or when the tiers do not ascend. */
export function fromUsd(usd: UsdPerMillionPrices): ModelPrices {
  const tiers = (usd.tiers ?? []).map((tier): PriceTier =>
    Object.freeze({ fromPromptTokens: tier.fromPromptTokens, ...ratesFromUsd(tier) }),
  );
  for (const [index, tier] of tiers.entries()) {
    const before = tiers[index - 1]?.fromPromptTokens ?? 0;
    if (tier.fromPromptTokens <= before) throw new RangeError('tiers must ascend by fromPromptTokens');
  }
  return Object.freeze({ prices: ratesFromUsd(usd), tiers: Object.freeze(tiers) });
}

export function toUsd(price: ModelPrices): UsdPerMillionPrices {
  const tiers = price.tiers.map((tier) => ({ fromPromptTokens: tier.fromPromptTokens, ...ratesToUsd(tier) }));
  return { ...ratesToUsd(price.prices), tiers };
}

export function toStored(price: ModelPrices): StoredPrices {
  const tiers = price.tiers.map((tier) => ({
    fromPromptTokens: tier.fromPromptTokens,
    ...mapRates(tier, String),
  }));
  return { ...mapRates(price.prices, String), tiers };
}

export function fromStored(stored: StoredPrices): ModelPrices {
  const tiers = stored.tiers.map((tier) =>
    Object.freeze({ fromPromptTokens: tier.fromPromptTokens, ...ratesFrom(tier, BigInt) }),
  );
  return Object.freeze({ prices: ratesFrom(stored, BigInt), tiers: Object.freeze(tiers) });
}

/** Equal prices have equal hashes, whoever computed them. */
export function priceHash(price: ModelPrices): string {
  return createHash('sha256')
    .update(JSON.stringify(toStored(price)))
    .digest('hex');
}

function ratesFromUsd(usd: UsdPerMillion): TokenPrices {
  return ratesFrom(usd, picoPerToken);
}

function ratesToUsd(rates: TokenPrices): UsdPerMillion {
  return mapRates(rates, usdPerMillion);
}

function ratesFrom(from: UsdPerMillion, convert: (text: string) => PicoUsd): TokenPrices {
  const optional = (text: string | undefined): PicoUsd | undefined =>
    text === undefined ? undefined : convert(text);
  return Object.freeze({
    inputPicoUsd: convert(from.input),
    outputPicoUsd: convert(from.output),
    cachedReadPicoUsd: optional(from.cachedRead),
    cacheWritePicoUsd: optional(from.cacheWrite),
    cacheWriteOneHourPicoUsd: optional(from.cacheWriteOneHour),
  });
}

function mapRates(rates: TokenPrices, convert: (rate: PicoUsd) => string): UsdPerMillion {
  const { cachedReadPicoUsd, cacheWritePicoUsd, cacheWriteOneHourPicoUsd } = rates;
  return {
    input: convert(rates.inputPicoUsd),
    output: convert(rates.outputPicoUsd),
    ...(cachedReadPicoUsd === undefined ? {} : { cachedRead: convert(cachedReadPicoUsd) }),
    ...(cacheWritePicoUsd === undefined ? {} : { cacheWrite: convert(cacheWritePicoUsd) }),
    ...(cacheWriteOneHourPicoUsd === undefined
      ? {}
      : { cacheWriteOneHour: convert(cacheWriteOneHourPicoUsd) }),
  };
}
