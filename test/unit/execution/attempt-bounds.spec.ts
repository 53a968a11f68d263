import {
  affordableMaxTokens,
  type AttemptTokens,
  boundCompletionTokens,
  expectedTokens,
  hardMaxTokens,
  holdAmounts,
} from '../../../src/execution/attempt-bounds';
import { aPlanned } from '../../support/factories';

const tokens = (overrides: Partial<AttemptTokens> = {}): AttemptTokens => ({
  boundPromptTokens: 1000,
  estimatedPromptTokens: 250,
  choices: 1,
  imageCount: 0,
  hasFiles: false,
  ...overrides,
});

describe('holdAmounts', () => {
  it('holds the worst case of the dearest remaining candidate, times n', () => {
    const cheap = aPlanned();
    const dear = aPlanned(
      { id: 'openai/dear' },
      { prices: { inputPicoUsd: 2_000_000n, outputPicoUsd: 8_000_000n } },
    );
    const { worstPicoUsd } = holdAmounts(
      [cheap, dear],
      tokens({ requestedMaxTokens: 100, choices: 3 }),
      4096,
    );
    expect(worstPicoUsd).toBe(1000n * 2_000_000n + 300n * 8_000_000n);
  });

  it('counts the default limit when the request names none, and the model’s own when that is lower', () => {
    expect(holdAmounts([aPlanned()], tokens(), 4096).worstPicoUsd).toBe(1000n * 150_000n + 4096n * 600_000n);
    expect(holdAmounts([aPlanned({ maxOutputTokens: 50 })], tokens(), 4096).worstPicoUsd).toBe(
      1000n * 150_000n + 50n * 600_000n,
    );
  });

  it('needs at least the prompt and a short answer of the model that is sent next', () => {
    const dear = aPlanned({}, { prices: { inputPicoUsd: 9_000_000n, outputPicoUsd: 9_000_000n } });
    expect(holdAmounts([aPlanned(), dear], tokens(), 4096).minimumPicoUsd).toBe(
      1000n * 150_000n + 16n * 600_000n,
    );
    expect(holdAmounts([aPlanned()], tokens({ requestedMaxTokens: 1 }), 4096).minimumPicoUsd).toBe(
      1000n * 150_000n + 600_000n,
    );
  });

  it('lets files fill the window of the model, and never more', () => {
    const planned = aPlanned({ contextWindowTokens: 200_000 });
    const { worstPicoUsd, minimumPicoUsd } = holdAmounts([planned], tokens({ hasFiles: true }), 10);
    expect(worstPicoUsd).toBe(200_000n * 150_000n + 10n * 600_000n);
    expect(minimumPicoUsd).toBe(worstPicoUsd);
  });

  it('refuses an empty list', () => {
    expect(() => holdAmounts([], tokens(), 4096)).toThrow(RangeError);
  });
});

describe('expectedTokens', () => {
  it('expects no more of a prompt than the model reads', () => {
    const planned = aPlanned({ contextWindowTokens: 200_000 });
    expect(expectedTokens(planned, tokens({ estimatedPromptTokens: 900_000 })).prompt).toBe(200_000);
    expect(expectedTokens(planned, tokens()).prompt).toBe(250);
  });
});

describe('affordableMaxTokens', () => {
  const planned = aPlanned();

  it('gives what was asked when it is paid for', () => {
    expect(affordableMaxTokens(planned, tokens(), { maxTokens: 100, heldPicoUsd: 10n ** 15n })).toBe(100);
  });

  it('never lets the answer cost more than what is held, for any amount', () => {
    for (let held = 0n; held < 1_000_000_000n; held = held * 3n + 7n) {
      for (const choices of [1, 2, 7]) {
        const limit = affordableMaxTokens(planned, tokens({ choices }), {
          maxTokens: 4096,
          heldPicoUsd: held,
        });
        const cost = 1000n * 150_000n + BigInt(limit * choices) * 600_000n;
        if (limit > 0) expect(cost <= held).toBe(true);
        if (limit > 0 && limit < 4096) expect(cost + 600_000n * BigInt(choices) > held).toBe(true);
      }
    }
  });

  it('asks for no clamp where output is free', () => {
    const free = aPlanned({}, { prices: { inputPicoUsd: 0n, outputPicoUsd: 0n } });
    expect(affordableMaxTokens(free, tokens(), { maxTokens: 77, heldPicoUsd: 0n })).toBe(77);
  });
});

describe('boundCompletionTokens', () => {
  it('is the limit that went upstream, else the model’s own, times n', () => {
    expect(boundCompletionTokens(aPlanned(), tokens({ choices: 2 }))).toBe(32_000);
    expect(boundCompletionTokens(aPlanned(), tokens({ choices: 2, requestedMaxTokens: 10 }))).toBe(20);
    expect(boundCompletionTokens(aPlanned(), tokens({ requestedMaxTokens: 10 }), 5)).toBe(5);
  });
});

describe('hardMaxTokens', () => {
  it('is what was asked, else the default', () => {
    expect(hardMaxTokens(aPlanned(), tokens({ requestedMaxTokens: 9000 }), 4096)).toBe(9000);
    expect(hardMaxTokens(aPlanned(), tokens(), 4096)).toBe(4096);
  });
});
