import type { PriceVersion } from '../../../src/catalog/index';
import { type SentAttempt, settledFailure } from '../../../src/execution/settlement';
import { ProviderError } from '../../../src/providers/index';
import type { PlannedModel } from '../../../src/selection/index';

const PRICE = {
  version: 1,
  model: 'openai/x',
  source: 'test',
  validFrom: new Date(0),
  prices: { inputPicoUsd: 1n, outputPicoUsd: 10n },
  tiers: [],
} as unknown as PriceVersion;

const sent: SentAttempt = {
  planned: { price: PRICE } as unknown as PlannedModel,
  intent: {
    attempt: 1,
    provider: 'openai',
    model: 'openai/x',
    priceVersion: 1,
    boundPromptTokens: 100,
    boundCompletionTokens: 256,
  },
  maxTokensSent: 256,
  choices: 1,
  estimatedPromptTokens: 25,
  isHard: false,
  heldPicoUsd: 0n,
  startedAt: new Date(0),
  startedAtMs: 0,
};

const cut = new ProviderError('openai cut its answer', {
  provider: 'openai',
  fault: 'cut',
  mayBeBilled: true,
});

describe(settledFailure.name, () => {
  it('books a cut answer at the limit that was sent', () => {
    const line = settledFailure(sent, cut, { endedAtMs: 1, answerBytes: 256 * 8 });
    expect(line).toMatchObject({
      usageSource: 'upper_bound',
      usage: { completionTokens: 256 },
      disputes: [],
    });
    expect(line.costPicoUsd).toBe(100n + 2560n);
  });

  it('books what arrived, disputed, when the provider ignored the limit', () => {
    const line = settledFailure(sent, cut, { endedAtMs: 1, answerBytes: 40_000 });
    expect(line).toMatchObject({ usageSource: 'upper_bound', usage: { completionTokens: 40_000 } });
    expect(line.costPicoUsd).toBe(100n + 400_000n);
    expect(line.disputes).toEqual(['an answer of 40000 bytes exceeds the 256 tokens that were allowed']);
  });
});
