import type { PicoUsd, TokenUsage } from '../common/index';
import type { ModelPrices, TokenPrices } from './price';

/**
 * The exact cost of one upstream attempt. Undefined token counts are 0; the tier is chosen by the prompt of the whole
 * request; reasoning is part of the completion and cached tokens are part of the prompt.
 * @throws RangeError when the counts contradict each other (more cached than prompt, negative, fractional): the caller disputes the line.
 */
export function cost(price: ModelPrices, usage: TokenUsage): PicoUsd {
  const prompt = count('promptTokens', usage.promptTokens);
  const cachedRead = count('cachedReadTokens', usage.cachedReadTokens);
  const cacheWrite = count('cacheWriteTokens', usage.cacheWriteTokens);
  const oneHour = count('cacheWriteOneHourTokens', usage.cacheWriteOneHourTokens);
  const completion = count('completionTokens', usage.completionTokens);
  const reasoning = count('reasoningTokens', usage.reasoningTokens);
  if (cachedRead + cacheWrite > prompt) {
    throw new RangeError(
      `${cachedRead} read + ${cacheWrite} written cache tokens exceed ${prompt} prompt tokens`,
    );
  }
  if (oneHour > cacheWrite) {
    throw new RangeError(`${oneHour} one-hour cache tokens exceed ${cacheWrite} cache writes`);
  }
  if (reasoning > completion) {
    throw new RangeError(`${reasoning} reasoning tokens exceed ${completion} completion tokens`);
  }
  const rates = ratesFor(price, prompt);
  const input = rates.inputPicoUsd;
  const write = rates.cacheWritePicoUsd ?? input;
  let total = times(prompt - cachedRead - cacheWrite, input) + times(completion, rates.outputPicoUsd);
  if (cachedRead > 0) total += times(cachedRead, rates.cachedReadPicoUsd ?? input);
  if (cacheWrite > 0) total += times(cacheWrite - oneHour, write);
  if (oneHour > 0) total += times(oneHour, rates.cacheWriteOneHourPicoUsd ?? write);
  return total;
}

/**
 * The most that up to `promptTokens` and `completionTokens` can cost, however the provider splits them: the dearest tier
 * that the prompt can reach, every prompt token at the dearest of input, cache read and cache write.
 * @throws RangeError on a negative or fractional count.
 */
export function upperBoundCost(price: ModelPrices, promptTokens: number, completionTokens: number): PicoUsd {
  const prompt = count('promptTokens', promptTokens);
  const completion = count('completionTokens', completionTokens);
  let bound = boundAt(price.prices, prompt, completion);
  for (const tier of price.tiers) {
    if (tier.fromPromptTokens > prompt) break;
    const here = boundAt(tier, prompt, completion);
    if (here > bound) bound = here;
  }
  return bound;
}

/** The cost as it is booked: figures that still contradict each other are priced the dearest way. Never throws on counts. */
export function bookedCost(price: ModelPrices, usage: TokenUsage): PicoUsd {
  try {
    return cost(price, usage);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return upperBoundCost(
      price,
      Math.max(0, usage.promptTokens ?? 0),
      Math.max(0, usage.completionTokens ?? 0),
    );
  }
}

/** The rates for a request with this many prompt tokens. */
export function ratesFor(price: ModelPrices, promptTokens: number): TokenPrices {
  let rates = price.prices;
  for (const tier of price.tiers) {
    if (promptTokens < tier.fromPromptTokens) break;
    rates = tier;
  }
  return rates;
}

function boundAt(rates: TokenPrices, prompt: number, completion: number): PicoUsd {
  let dearest = rates.inputPicoUsd;
  for (const rate of [rates.cachedReadPicoUsd, rates.cacheWritePicoUsd, rates.cacheWriteOneHourPicoUsd]) {
    if (rate !== undefined && rate > dearest) dearest = rate;
  }
  return times(prompt, dearest) + times(completion, rates.outputPicoUsd);
}

function times(tokens: number, rate: PicoUsd): PicoUsd {
  return BigInt(tokens) * rate;
}

function count(name: keyof TokenUsage, value: number | undefined): number {
  if (value === undefined) return 0;
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} is ${value}, not a token count`);
  return value;
}
