import { type PriceVersion, upperBoundCost } from '../../../src/catalog/index';
import { newId, type TokenUsage } from '../../../src/common/index';
import type { SentAttempt } from '../../../src/execution/settlement';
import { settledFailure, settledSuccess } from '../../../src/execution/settlement';
import type { SettledAttempt } from '../../../src/ledger/index';
import { isCappedByHold, lineCost, type PricedLine, Rerating } from '../../../src/ledger/rerate';
import { ProviderError } from '../../../src/providers/index';
import type { PlannedModel } from '../../../src/selection/index';

const PRICE: PriceVersion = {
  version: 1,
  model: 'openai/a',
  source: 'operator',
  validFrom: new Date(0),
  prices: { inputPicoUsd: 3n, outputPicoUsd: 11n, cachedReadPicoUsd: 1n, cacheWriteOneHourPicoUsd: 8n },
  tiers: [{ fromPromptTokens: 500, inputPicoUsd: 7n, outputPicoUsd: 13n, cacheWritePicoUsd: 9n }],
};

/** A small generator, so that a failing run can be repeated from its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function aLine(overrides: Partial<PricedLine> = {}): PricedLine {
  return {
    requestId: newId(),
    attempt: 1,
    day: '2026-01-01',
    model: 'openai/a',
    outcome: 'succeeded',
    usageSource: 'provider',
    usage: { promptTokens: 10, completionTokens: 10 },
    costPicoUsd: 140n,
    priceVersion: 1,
    ...overrides,
  };
}

describe(lineCost.name, () => {
  it('is what settlement booked, for every way an attempt can end', () => {
    const seed = Date.now() % 1_000_000;
    const random = randomOf(seed);
    for (let i = 0; i < 3000; i += 1) {
      const settled = anEnd(random);
      const line = aLine({ ...settled, costPicoUsd: settled.costPicoUsd });
      expect({ seed, usage: line.usage, cost: lineCost(PRICE, line) }).toEqual({
        seed,
        usage: settled.usage,
        cost: settled.costPicoUsd,
      });
    }
  });

  /** Any figures: missing, contradicting, with and without caches; any failure, early or late. */
  function anEnd(random: (below: number) => number): SettledAttempt {
    const maybe = (below: number): number | undefined => (random(4) === 0 ? undefined : random(below));
    const usage: TokenUsage = {
      promptTokens: maybe(1000),
      cachedReadTokens: maybe(600),
      cacheWriteTokens: maybe(600),
      cacheWriteOneHourTokens: maybe(700),
      completionTokens: maybe(300),
      reasoningTokens: maybe(310),
    };
    const report = {
      usage,
      rawUsage: random(2) === 0 ? { total_tokens: random(1500) } : undefined,
      modelServed: 'a',
      finishReason: random(2) === 0 ? 'stop' : 'unknown',
    } as Parameters<typeof settledSuccess>[1];
    const trace = { endedAtMs: 5, answerBytes: random(3) * 100 };
    const sent = aSentAttempt(random);
    if (random(2) === 0) return settledSuccess(sent, report, trace);
    const failure = new ProviderError('cut', {
      fault: random(2) === 0 ? 'cut' : 'rejected',
      mayBeBilled: random(3) > 0,
      usage: random(3) === 0 ? { promptTokens: maybe(900), completionTokens: maybe(900) } : undefined,
    } as never);
    return settledFailure(sent, failure, trace, random(2) === 0 ? report : undefined);
  }

  function aSentAttempt(random: (below: number) => number): SentAttempt {
    return {
      planned: { price: PRICE } as PlannedModel,
      intent: {
        attempt: 1,
        provider: 'openai',
        model: 'openai/a',
        priceVersion: 1,
        boundPromptTokens: random(1500),
        boundCompletionTokens: random(800),
      },
      maxTokensSent: random(2) === 0 ? undefined : random(300),
      choices: 1,
      estimatedPromptTokens: random(700),
      isHard: random(2) === 0,
      heldPicoUsd: BigInt(random(9000)),
      startedAt: new Date(0),
      startedAtMs: 0,
    };
  }
});

describe(isCappedByHold.name, () => {
  const crashed = aLine({ outcome: 'crashed', usageSource: 'upper_bound' });
  const bound = upperBoundCost(PRICE, 10, 10);

  it('is so only for a death that was booked below its bound', () => {
    expect(isCappedByHold(PRICE, { ...crashed, costPicoUsd: bound - 1n })).toBe(true);
    expect(isCappedByHold(PRICE, { ...crashed, costPicoUsd: bound })).toBe(false);
    expect(isCappedByHold(PRICE, { ...crashed, costPicoUsd: undefined })).toBe(false);
    expect(isCappedByHold(undefined, { ...crashed, costPicoUsd: 1n })).toBe(false);
    expect(isCappedByHold(PRICE, { ...crashed, outcome: 'truncated', costPicoUsd: 1n })).toBe(false);
  });
});

describe(Rerating.name, () => {
  const DEARER = { prices: { inputPicoUsd: 4n, outputPicoUsd: 12n }, tiers: [] };

  it('counts what has no price, or cannot have another, with its booked cost in both sums', () => {
    const rerating = new Rerating();
    rerating.add(aLine(), PRICE, DEARER);
    rerating.add(aLine({ model: 'openai/b', day: '2026-01-02' }), PRICE, undefined);
    const capped = aLine({ outcome: 'crashed', usageSource: 'upper_bound', costPicoUsd: 5n });
    rerating.add(capped, PRICE, DEARER);
    rerating.add(aLine({ costPicoUsd: undefined, priceVersion: undefined }), undefined, DEARER);
    const totals = rerating.totals();
    expect(totals).toMatchObject({ lines: 4, rerated: 2, oldPicoUsd: 285n, newPicoUsd: 465n });
    expect(totals.kept).toEqual({ lines: 1, oldPicoUsd: 5n, newPicoUsd: 5n });
    expect(totals.keptLines).toEqual([capped]);
    expect(totals.unpriced).toEqual(
      new Map([['openai/b', { lines: 1, oldPicoUsd: 140n, newPicoUsd: 140n }]]),
    );
    expect(totals.days.get('2026-01-02')).toEqual({ lines: 1, oldPicoUsd: 140n, newPicoUsd: 140n });
    expect(totals.models.get('openai/a')).toEqual({ lines: 3, oldPicoUsd: 145n, newPicoUsd: 325n });
  });

  it.each(['cached', 'shared'] as const)(
    'leaves a %s answer at nothing, whatever the prices',
    (usageSource) => {
      const rerating = new Rerating();
      const free = aLine({ usageSource, costPicoUsd: 0n });
      rerating.add(free, PRICE, DEARER);
      rerating.add({ ...free, priceVersion: undefined }, undefined, undefined);
      expect(rerating.totals()).toMatchObject({ lines: 2, rerated: 0, oldPicoUsd: 0n, newPicoUsd: 0n });
      expect(rerating.totals().unpriced.size).toBe(0);
    },
  );

  it('remembers no more than the first hundred of the kept lines', () => {
    const rerating = new Rerating();
    const capped = aLine({ outcome: 'crashed', usageSource: 'upper_bound', costPicoUsd: 5n });
    for (let i = 0; i < 150; i += 1) rerating.add(capped, PRICE, PRICE);
    expect(rerating.totals().kept.lines).toBe(150);
    expect(rerating.totals().keptLines).toHaveLength(100);
  });
});
