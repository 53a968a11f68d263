import { listPrice, LIST_PRICE_SOURCE } from '../../../src/catalog/list-price';
import {
  fromStored,
  fromUsd,
  picoPerToken,
  priceHash,
  toStored,
  toUsd,
  usdPerMillion,
} from '../../../src/catalog/price-conversion';

const NOVEMBER = new Date('2026-11-21T12:00:00Z');

describe(listPrice.name, () => {
  it('names the release it comes from', () => {
    expect(LIST_PRICE_SOURCE).toMatch(/^genai-prices@\d+\.\d+\.\d+$/);
  });

  it('converts published prices to whole pico-USD per token', () => {
    const price = listPrice('openai/gpt-6-luna', NOVEMBER);
    expect(price?.prices).toMatchObject({
      inputPicoUsd: 100_000n,
      outputPicoUsd: 500_000n,
      cachedReadPicoUsd: 10_000n,
      cacheWritePicoUsd: 125_000n,
    });
  });

  it('begins a tier one token after the last one at the lower price', () => {
    const [tier, ...more] = listPrice('google/gemini-2.5-pro', NOVEMBER)?.tiers ?? [];
    expect(tier).toMatchObject({
      fromPromptTokens: 200_001,
      inputPicoUsd: 2_500_000n,
      outputPicoUsd: 15_000_000n,
    });
    expect(more).toEqual([]);
  });

  it.each([
    ['2026-08-20T23:59:59Z', '5'],
    ['2026-08-21T00:00:00Z', '4'],
  ])('takes the price in force at %s', (at, input) => {
    const price = listPrice('openai/gpt-5.6-sol', new Date(at));
    expect(price && toUsd(price).input).toBe(input);
  });

  it.each([
    ['a model whose name only begins like a listed one', 'anthropic/claude-sonnet-5-5'],
    ['another name that the list would accept for a model', 'anthropic/claude-sonnet-4-5-20250929'],
    ['an unknown model', 'openai/gpt-6.1-sol'],
    ['an unknown provider', 'nobody/gpt-6-luna'],
    ['another name of a provider', 'xai/grok-4.6'],
    ['a chat model without an output price', 'openai/text-embedding-3-small'],
    ['a model listed without prices', 'google/gemma-4-31b-it'],
    ['an id without a provider', 'gpt-6-luna'],
  ])('knows no price for %s', (_, priceId) => {
    expect(listPrice(priceId, NOVEMBER)).toBeUndefined();
  });

  it('takes an embedding model without an output price, for it has no output', () => {
    const price = listPrice('openai/text-embedding-3-small', NOVEMBER, 'embedding');
    expect(price?.prices).toMatchObject({ inputPicoUsd: 20_000n, outputPicoUsd: 0n });
    expect(listPrice('aws/amazon.titan-embed-text-v2:0', NOVEMBER, 'embedding')).toBeUndefined();
  });

  it('finds a regional price by its exact id', () => {
    const price = listPrice('aws/regional.anthropic.claude-opus-5-5', NOVEMBER);
    expect(price && toUsd(price)).toMatchObject({ input: '4.4', cachedRead: '0.22' });
  });
});

describe(picoPerToken.name, () => {
  it.each([
    ['0.15', 150_000n],
    ['0', 0n],
    ['10', 10_000_000n],
    ['0.01875', 18_750n],
    ['0.000001', 1n],
    ['1e-6', 1n],
  ])('reads %s USD per million as %s', (usd, pico) => {
    expect(picoPerToken(usd)).toBe(pico);
  });

  it.each(['0.0000001', '-1', 'abc', '', '0.1.2'])('refuses %j', (usd) => {
    expect(() => picoPerToken(usd)).toThrow(RangeError);
  });

  it('round-trips through decimal text', () => {
    for (const pico of [0n, 1n, 18_750n, 123_456_789n]) expect(picoPerToken(usdPerMillion(pico))).toBe(pico);
  });
});

describe('stored prices', () => {
  const price = fromUsd({
    input: '2',
    output: '10',
    cachedRead: '0.1',
    tiers: [{ fromPromptTokens: 10, input: '4', output: '15' }],
  });

  it('hold integers as decimal strings and come back equal', () => {
    expect(toStored(price)).toEqual({
      input: '2000000',
      output: '10000000',
      cachedRead: '100000',
      tiers: [{ fromPromptTokens: 10, input: '4000000', output: '15000000' }],
    });
    expect(fromStored(toStored(price))).toEqual(price);
  });

  it('hash alike exactly when they are alike', () => {
    expect(priceHash(fromStored(toStored(price)))).toBe(priceHash(price));
    expect(priceHash(fromUsd({ input: '2', output: '10' }))).not.toBe(priceHash(price));
  });

  it('refuse tiers that do not ascend', () => {
    const rates = { input: '1', output: '1' };
    const tiers = [
      { fromPromptTokens: 20, ...rates },
      { fromPromptTokens: 20, ...rates },
    ];
    expect(() => fromUsd({ ...rates, tiers })).toThrow('ascend');
  });
});
