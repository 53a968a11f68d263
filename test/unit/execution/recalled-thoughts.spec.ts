import type { ChatMessage } from '../../../src/common/index';
import { AttemptRunner } from '../../../src/execution/attempt-runner';
import { ChatState } from '../../../src/execution/chat-state';
import { ProviderUnavailableError } from '../../../src/errors/index';
import type { KeptThought, ProviderAdapter, RecallCall } from '../../../src/providers/index';
import { aContext, aPlan, aPlanned, aRequest } from '../../support/factories';

const PLANNED = aPlanned();
const ASKED: ChatMessage = { role: 'user', content: 'Weather?' };
const CALL = { id: 'call_1', type: 'function' as const, function: { name: 'weather', arguments: '{}' } };
const ROUND: readonly ChatMessage[] = [
  { role: 'assistant', content: null, tool_calls: [CALL] },
  { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
];
/** 10 bytes each, in 9 characters. */
const THOUGHT: KeptThought = { key: 'k', thought: 'über alle' };

type Recall = (call: RecallCall) => Promise<readonly KeptThought[]>;

function stateOf(messages: readonly ChatMessage[]): ChatState {
  return new ChatState(aContext(), aRequest({ messages }), aPlan([PLANNED]), { serverTools: [] });
}

function runnerWith(open: () => Promise<{ adapter: Pick<ProviderAdapter, 'recall'> }>): AttemptRunner {
  return new AttemptRunner({ open } as never, {} as never);
}

const recalling = (recall?: Recall) => runnerWith(() => Promise.resolve({ adapter: { recall } }));

describe('thoughts that go back to the provider', () => {
  it('are part of what the next attempt is held for, each as often as it is sent', async () => {
    const state = stateOf([ASKED, ...ROUND]);
    const runner = recalling(() => Promise.resolve([THOUGHT, THOUGHT]));
    const { boundPromptTokens, estimatedPromptTokens } = state.tokens;
    await runner.recall(state, PLANNED);
    expect(state.tokens).toMatchObject({
      boundPromptTokens: boundPromptTokens + 20,
      estimatedPromptTokens: estimatedPromptTokens + 5,
    });
    expect(runner.intent(state, PLANNED, 1).boundPromptTokens).toBe(boundPromptTokens + 20);
  });

  it('are read for the body of the model that is called next, of the owner, as far as the tools have come', async () => {
    const state = stateOf([ASKED]);
    const calls: RecallCall[] = [];
    const runner = recalling((call) => {
      calls.push(call);
      return Promise.resolve([THOUGHT]);
    });
    expect(runner.recall(state, PLANNED)).toBeUndefined();
    state.append(ROUND);
    await runner.recall(state, PLANNED);
    expect(calls).toMatchObject([
      {
        model: { id: PLANNED.model.id },
        body: { model: PLANNED.model.upstreamId, messages: [ASKED, ...ROUND] },
        ownerId: state.ctx.principal.userId,
      },
    ]);
    expect(state.recalled).toEqual([THOUGHT]);
  });

  it('of one provider are not sent to the next', async () => {
    const state = stateOf([ASKED, ...ROUND]);
    const { tokens } = state;
    await recalling(() => Promise.resolve([THOUGHT])).recall(state, PLANNED);
    await recalling().recall(state, PLANNED);
    expect([state.recalled, state.tokens]).toEqual([[], tokens]);
  });

  it('do not go to a provider that cannot be called, whose attempt says why', async () => {
    const state = stateOf([ASKED, ...ROUND]);
    await recalling(() => Promise.resolve([THOUGHT])).recall(state, PLANNED);
    await runnerWith(() => Promise.reject(new ProviderUnavailableError('key_missing', 'gone'))).recall(
      state,
      PLANNED,
    );
    expect(state.recalled).toEqual([]);
  });

  it('warn of nothing: what could not be sent is told with the attempt', async () => {
    const request = { ...aRequest({ messages: [ASKED, ...ROUND], top_k: 3 }), dialect: 'messages' as const };
    const state = new ChatState(aContext(), request, aPlan([PLANNED]), { serverTools: [] });
    await recalling(() => Promise.resolve([])).recall(state, PLANNED);
    expect(state.warnings).toEqual([]);
  });
});
