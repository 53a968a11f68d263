import { cost, upperBoundCost } from '../../../src/catalog/cost';
import type { ModelPrices } from '../../../src/catalog/price';
import { fromUsd } from '../../../src/catalog/price-conversion';
import { parseUsd, type TokenUsage } from '../../../src/common/index';

const flat = fromUsd({ input: '2', output: '10' });
const cached = fromUsd({
  input: '3',
  output: '15',
  cachedRead: '0.3',
  cacheWrite: '3.75',
  cacheWriteOneHour: '6',
});
const tiered = fromUsd({
  input: '2',
  output: '10',
  cachedRead: '0.1',
  tiers: [
    { fromPromptTokens: 200_000, input: '4', output: '15', cachedRead: '0.2' },
    { fromPromptTokens: 500_000, input: '5', output: '20' },
  ],
});

describe(cost.name, () => {
  it.each<[string, ModelPrices, TokenUsage, string]>([
    ['nothing known', flat, {}, '0'],
    ['one prompt token', flat, { promptTokens: 1 }, '0.000002'],
    ['prompt and completion', flat, { promptTokens: 1000, completionTokens: 500 }, '0.007'],
    ['reasoning is inside the completion', flat, { completionTokens: 500, reasoningTokens: 400 }, '0.005'],
    [
      'cached reads at the input price where no other is set',
      flat,
      { promptTokens: 10, cachedReadTokens: 10 },
      '0.00002',
    ],
    [
      'cache writes at the input price where no other is set',
      flat,
      { promptTokens: 10, cacheWriteTokens: 10 },
      '0.00002',
    ],
    ['cached reads', cached, { promptTokens: 1000, cachedReadTokens: 900 }, '0.00057'],
    ['cache writes', cached, { promptTokens: 1000, cacheWriteTokens: 1000 }, '0.00375'],
    [
      'one-hour writes',
      cached,
      { promptTokens: 1000, cacheWriteTokens: 1000, cacheWriteOneHourTokens: 400 },
      '0.00465',
    ],
    [
      'every kind at once',
      cached,
      {
        promptTokens: 2000,
        cachedReadTokens: 1000,
        cacheWriteTokens: 500,
        cacheWriteOneHourTokens: 100,
        completionTokens: 10,
      },
      '0.00405',
    ],
    ['the last prompt below a tier', tiered, { promptTokens: 199_999, completionTokens: 1 }, '0.400008'],
    [
      'the first prompt of a tier, output included',
      tiered,
      { promptTokens: 200_000, completionTokens: 1 },
      '0.800015',
    ],
    [
      'cached tokens count for the tier',
      tiered,
      { promptTokens: 200_000, cachedReadTokens: 200_000 },
      '0.04',
    ],
    ['the second tier', tiered, { promptTokens: 500_000, completionTokens: 1 }, '2.50002'],
    [
      'a tier without a cache price falls back to its own input',
      tiered,
      { promptTokens: 500_000, cachedReadTokens: 500_000 },
      '2.5',
    ],
  ])('bills %s', (_, price, usage, usd) => {
    expect(cost(price, usage)).toBe(parseUsd(usd));
  });

  it.each<[string, TokenUsage]>([
    ['more cached than prompt', { promptTokens: 10, cachedReadTokens: 11 }],
    [
      'cached and written together more than prompt',
      { promptTokens: 10, cachedReadTokens: 6, cacheWriteTokens: 5 },
    ],
    ['cached tokens of an unknown prompt', { cachedReadTokens: 1 }],
    [
      'more one-hour writes than writes',
      { promptTokens: 10, cacheWriteTokens: 1, cacheWriteOneHourTokens: 2 },
    ],
    ['more reasoning than completion', { completionTokens: 1, reasoningTokens: 2 }],
    ['a negative count', { promptTokens: -1 }],
    ['a fraction', { completionTokens: 1.5 }],
    ['not a number', { promptTokens: Number.NaN }],
  ])('refuses %s', (_, usage) => {
    expect(() => cost(cached, usage)).toThrow(RangeError);
  });

  it('equals independent arithmetic on random prices and usages', () => {
    const random = generator(20_261_121);
    for (let round = 0; round < 2000; round += 1) {
      const { price, usage } = randomCase(random);
      expect(cost(price, usage)).toBe(oracle(price, usage));
    }
  });
});

describe(upperBoundCost.name, () => {
  it.each<[string, ModelPrices, number, number, string]>([
    ['plain prices', flat, 1000, 100, '0.003'],
    ['every prompt token written to the cache for an hour', cached, 1000, 100, '0.0075'],
    ['a tier that the prompt cannot reach', tiered, 199_999, 0, '0.399998'],
    ['the tier that the prompt can just reach', tiered, 200_000, 100, '0.8015'],
  ])('takes %s', (_, price, prompt, completion, usd) => {
    expect(upperBoundCost(price, prompt, completion)).toBe(parseUsd(usd));
  });

  it('takes the dearer of base and tier when long prompts are cheaper', () => {
    const cheaperAbove = fromUsd({
      input: '4',
      output: '10',
      tiers: [{ fromPromptTokens: 100, input: '1', output: '1' }],
    });
    expect(upperBoundCost(cheaperAbove, 1000, 0)).toBe(parseUsd('0.004'));
  });

  it('is never below the cost of a usage within the bound', () => {
    const random = generator(7);
    for (let round = 0; round < 2000; round += 1) {
      const { price, usage } = randomCase(random);
      const bound = upperBoundCost(
        price,
        (usage.promptTokens ?? 0) + random(1000),
        (usage.completionTokens ?? 0) + random(10),
      );
      expect(bound).toBeGreaterThanOrEqual(cost(price, usage));
    }
  });
});

/** Counts token by token class from the definition, sharing no code with the product. */
function oracle(price: ModelPrices, usage: TokenUsage): bigint {
  const big = (value: number | undefined): bigint => BigInt(value ?? 0);
  const prompt = big(usage.promptTokens);
  const reached = price.tiers.filter((tier) => BigInt(tier.fromPromptTokens) <= prompt);
  const rates =
    reached.length > 0
      ? reached.reduce((a, b) => (a.fromPromptTokens > b.fromPromptTokens ? a : b))
      : price.prices;
  const read = big(usage.cachedReadTokens);
  const write = big(usage.cacheWriteTokens);
  const oneHour = big(usage.cacheWriteOneHourTokens);
  const writeRate = rates.cacheWritePicoUsd ?? rates.inputPicoUsd;
  return [
    [prompt - read - write, rates.inputPicoUsd],
    [read, rates.cachedReadPicoUsd ?? rates.inputPicoUsd],
    [write - oneHour, writeRate],
    [oneHour, rates.cacheWriteOneHourPicoUsd ?? writeRate],
    [big(usage.completionTokens), rates.outputPicoUsd],
  ].reduce((sum, [tokens = 0n, rate = 0n]) => sum + tokens * rate, 0n);
}

/** Whole numbers from 0 up to, not including, the limit; the same row for the same seed. */
function generator(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function randomCase(random: (limit: number) => number): { price: ModelPrices; usage: TokenUsage } {
  const maybe = (value: bigint): bigint | undefined => (random(2) === 0 ? undefined : value);
  const rates = () => ({
    inputPicoUsd: BigInt(random(20_000_000)),
    outputPicoUsd: BigInt(random(90_000_000)),
    cachedReadPicoUsd: maybe(BigInt(random(3_000_000))),
    cacheWritePicoUsd: maybe(BigInt(random(30_000_000))),
    cacheWriteOneHourPicoUsd: maybe(BigInt(random(40_000_000))),
  });
  const starts = [1 + random(1000), 2000 + random(100_000)].slice(0, random(3));
  const price = {
    prices: rates(),
    tiers: starts.map((fromPromptTokens) => ({ fromPromptTokens, ...rates() })),
  };
  const promptTokens = random(150_000);
  const cachedReadTokens = random(promptTokens + 1);
  const cacheWriteTokens = random(promptTokens - cachedReadTokens + 1);
  const cacheWriteOneHourTokens = random(cacheWriteTokens + 1);
  return {
    price,
    usage: {
      promptTokens,
      cachedReadTokens,
      cacheWriteTokens,
      cacheWriteOneHourTokens,
      completionTokens: random(50_000),
    },
  };
}
