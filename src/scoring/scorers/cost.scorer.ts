import { type PriceVersion, ratesFor } from '../../catalog/index';

const PICO_PER_USD = 1e12;
const PICO_PER_USD_MILLION = 1e6;

export interface TokenRates {
  readonly input: number;
  readonly output: number;
}

/** The two price lists between which costs are compared, in US dollars per million tokens. */
export interface CostAnchors {
  readonly cheapest: TokenRates;
  readonly dearest: TokenRates;
}

/** A request as cost sees it. */
export interface CostedRequest {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Prices never change, so their rates without tiers are converted once. */
const flatRates = new WeakMap<PriceVersion, TokenRates>();

/** What this request is expected to cost, in US dollars. Floating point: for comparing, never for booking. */
export function expectedCostUsd(price: PriceVersion, request: CostedRequest): number {
  const rates = ratesOf(price, request.promptTokens);
  return (request.promptTokens * rates.input + request.completionTokens * rates.output) / PICO_PER_USD;
}

/**
 * 1 when the request costs what it would at the cheapest anchor or less, 0 at the dearest or more, in between on a log
 * scale. Anchors are scaled to the request (`usual`: its prompt with an answer of the usual length, the same for every
 * model), so neither its length nor the other candidates matter.
 */
export function costScore(costUsd: number, usual: CostedRequest, anchors: CostAnchors): number {
  const low = anchorUsd(anchors.cheapest, usual);
  const high = anchorUsd(anchors.dearest, usual);
  if (costUsd <= low) return 1;
  if (costUsd >= high) return 0;
  return 1 - Math.log(costUsd / low) / Math.log(high / low);
}

function anchorUsd(rates: TokenRates, request: CostedRequest): number {
  const pico =
    (request.promptTokens * rates.input + request.completionTokens * rates.output) * PICO_PER_USD_MILLION;
  return pico / PICO_PER_USD;
}

function ratesOf(price: PriceVersion, promptTokens: number): TokenRates {
  if (price.tiers.length > 0) return toNumbers(ratesFor(price, promptTokens));
  let rates = flatRates.get(price);
  if (!rates) {
    rates = toNumbers(price.prices);
    flatRates.set(price, rates);
  }
  return rates;
}

function toNumbers(rates: { readonly inputPicoUsd: bigint; readonly outputPicoUsd: bigint }): TokenRates {
  return { input: Number(rates.inputPicoUsd), output: Number(rates.outputPicoUsd) };
}
