import { EmbeddingAttempts } from '../../../src/execution/embedding-attempts';
import { EmbeddingState } from '../../../src/execution/embedding-state';
import type { AttemptObserver } from '../../../src/execution/attempt-observer';
import type { UpstreamGate } from '../../../src/execution/upstream-gate';
import type { Hold } from '../../../src/ledger/index';
import type { EmbedCall, EmbedResult, ProviderRegistry } from '../../../src/providers/index';
import { aContext, aPlanned } from '../../support/factories';

const planned = aPlanned({
  id: 'openai/e',
  embedding: {
    maxBatch: 1,
    takesTokens: false,
    hasInputTypes: false,
    cutsLongTexts: false,
    hasBase64: false,
    quality: 0.5,
  },
});

function stateOf(inputs: readonly string[]): EmbeddingState {
  return new EmbeddingState(
    aContext(),
    { model: 'openai/e', inputs, encoding: 'float', extra: {} },
    {
      decisionId: 'd',
      strategy: 'pinned',
      candidates: [planned],
      ranking: [],
      filtered: [],
      warnings: [],
      providers: [],
      catalogVersion: 'c',
    },
  );
}

describe(EmbeddingAttempts.name, () => {
  it('leaves every passage once, also that of a batch which cannot be prepared', async () => {
    const state = stateOf(['a', 'b']);
    state.hold = { isHard: false, heldPicoUsd: 0n } as Hold;
    const embed = (): Promise<EmbedResult> => {
      // The second one finds no hold to be booked on.
      state.hold = undefined;
      return Promise.resolve({
        vectors: [[1]],
        report: { usage: { promptTokens: 1, completionTokens: 0 }, finishReason: 'stop', warnings: [] },
      });
    };
    const adapter: { embed: (call: EmbedCall) => Promise<EmbedResult> } = { embed };
    const [first, second] = [{ leave: jest.fn() }, { leave: jest.fn() }];
    const observe = jest.fn();
    const attempts = new EmbeddingAttempts(
      { open: () => Promise.resolve({ adapter }) } as unknown as ProviderRegistry,
      { observe } as unknown as AttemptObserver,
      { enter: () => second } as unknown as UpstreamGate,
    );

    await expect(attempts.run(state, planned, 0, first)).rejects.toThrow('needs an open hold');
    expect(first.leave.mock.calls).toEqual([[undefined]]);
    expect(second.leave.mock.calls).toEqual([[expect.any(Error)]]);
    // Nothing was sent for it, so there is no line of it.
    expect(observe).toHaveBeenCalledTimes(1);
  });
});
