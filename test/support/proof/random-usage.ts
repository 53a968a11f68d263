/** Random prices and usages of every kind a provider can name. */
import type { OracleUsage, ListPrice, ListRates } from './price-oracle';
import type { Random } from './random';

/** The oracle's figures, and reasoning, which the price rules do not ask for. */
export interface RandomUsage extends OracleUsage {
  readonly reasoning?: number;
}

const MOST_TOKENS = 1_000_000;

/** From a millionth of a dollar per million tokens to almost a dollar per token. */
function aRate(random: Random): string {
  const whole = random.chance(0.3) ? 0 : magnitude(random, 999_999);
  return `${whole}.${String(random.int(1, 999_999)).padStart(6, '0')}`;
}

/** As often small as large. */
function magnitude(random: Random, most: number): number {
  return random.int(0, Math.ceil(most ** random.next()));
}

function someRates(random: Random): ListRates {
  return {
    input: aRate(random),
    output: aRate(random),
    ...(random.chance(0.6) ? { cachedRead: aRate(random) } : {}),
    ...(random.chance(0.6) ? { cacheWrite: aRate(random) } : {}),
    ...(random.chance(0.6) ? { cacheWriteOneHour: aRate(random) } : {}),
  };
}

export function aListPrice(random: Random): ListPrice {
  const starts = Array.from({ length: random.int(0, 3) }, () => 1 + magnitude(random, MOST_TOKENS));
  const ascending = [...new Set(starts)].toSorted((left, right) => left - right);
  return {
    ...someRates(random),
    tiers: ascending.map((fromPromptTokens) => ({ fromPromptTokens, ...someRates(random) })),
  };
}

/** Sometimes exactly where a tier begins, or one token below. */
function promptOf(random: Random, price: ListPrice): number {
  const tiers = price.tiers ?? [];
  if (tiers.length === 0 || random.chance(0.8)) return magnitude(random, MOST_TOKENS);
  return random.pick(tiers).fromPromptTokens - random.int(0, 1);
}

export function aUsage(random: Random, price: ListPrice): RandomUsage {
  const prompt = promptOf(random, price);
  const completion = magnitude(random, MOST_TOKENS);
  const cachedRead = random.chance(0.5) ? random.int(0, prompt) : undefined;
  const cacheWrite = random.chance(0.4) ? random.int(0, prompt - (cachedRead ?? 0)) : undefined;
  return {
    prompt,
    completion,
    cachedRead,
    cacheWrite,
    cacheWriteOneHour: cacheWrite !== undefined && random.chance(0.5) ? random.int(0, cacheWrite) : undefined,
    reasoning: random.chance(0.4) ? random.int(0, completion) : undefined,
  };
}
