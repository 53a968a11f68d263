/** List prices out of @pydantic/genai-prices, by exact id only: its own lookup matches prefixes and is silently wrong for some models. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { calcPrice, findProvider, type ModelPrice } from '@pydantic/genai-prices';
import type { ModelKind } from './model';
import type { ModelPrices } from './price';
import { fromUsd, type UsdPerMillion } from './price-conversion';

export const LIST_PRICE_SOURCE = `genai-prices@${packageVersion()}`;

const KEYS = {
  input: 'input_mtok',
  output: 'output_mtok',
  cachedRead: 'cache_read_mtok',
  cacheWrite: 'cache_write_mtok',
  cacheWriteOneHour: 'cache_write_1h_mtok',
} as const satisfies Record<keyof UsdPerMillion, string>;

/**
 * The list price in force at a time, or undefined when that exact model is not listed or has no price per token.
 * @param priceId provider and model as genai-prices spells them, joined by a slash: `x-ai/grok-4.6`
 * @throws RangeError when a listed price is finer than one pico-USD per token.
 */
export function listPrice(priceId: string, at: Date, kind: ModelKind = 'chat'): ModelPrices | undefined {
  const listed = inForce(priceId, at);
  if (!listed || listed.input_mtok === undefined) return undefined;
  // Embeddings have no output to sell.
  if (listed.output_mtok === undefined && kind === 'chat') return undefined;
  const tiers = tierStarts(listed).map((fromPromptTokens) => ({
    fromPromptTokens,
    ...ratesAt(listed, fromPromptTokens),
  }));
  return fromUsd({ ...ratesAt(listed, 0), tiers });
}

function inForce(priceId: string, at: Date): ModelPrice | undefined {
  const slash = priceId.indexOf('/');
  const providerId = priceId.slice(0, slash);
  const modelId = priceId.slice(slash + 1);
  const provider = findProvider({ providerId });
  const model = provider?.id === providerId && provider.models.find((candidate) => candidate.id === modelId);
  if (!provider || !model) return undefined;
  const only = { ...provider, models: [{ ...model, match: { equals: modelId } }] };
  return calcPrice({}, modelId, { provider: only, timestamp: at })?.model_price;
}

/** The listed start is the last token count at the lower price. */
function tierStarts(listed: ModelPrice): number[] {
  const starts = Object.values(KEYS).flatMap((key) => {
    const price = listed[key];
    return typeof price === 'object' ? price.tiers.map((tier) => tier.start + 1) : [];
  });
  return [...new Set(starts)].toSorted((a, b) => a - b);
}

function ratesAt(listed: ModelPrice, promptTokens: number): UsdPerMillion {
  const rate = (name: keyof UsdPerMillion): string | undefined => decimalAt(listed[KEYS[name]], promptTokens);
  return {
    input: rate('input') ?? '0',
    output: rate('output') ?? '0',
    cachedRead: rate('cachedRead'),
    cacheWrite: rate('cacheWrite'),
    cacheWriteOneHour: rate('cacheWriteOneHour'),
  };
}

/** A listed number's shortest decimal text is the price as it was published. */
function decimalAt(price: ModelPrice[string], promptTokens: number): string | undefined {
  if (price === undefined || typeof price === 'number') return price?.toString();
  const tier = price.tiers.findLast((candidate) => promptTokens > candidate.start);
  return (tier?.price ?? price.base).toString();
}

function packageVersion(): string {
  const folder = path.dirname(path.dirname(require.resolve('@pydantic/genai-prices')));
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
