import type { ChatBody, ChatRequest } from '../../../src/common/index';
import { ChatState } from '../../../src/execution/chat-state';
import { upstreamBody } from '../../../src/execution/upstream-body';
import type { ExecutionPlan, PlannedModel } from '../../../src/selection/index';
import { aContext, aModel, aPlan, aPlanned, aRequest } from '../../support/factories';

const thinking = { supports: { ...aModel().supports, reasoning: true } };
const CLAUDE = aPlanned({ id: 'anthropic/claude', ...thinking });
const GEMINI = aPlanned({ id: 'google/gemini', ...thinking });
const GPT = aPlanned({ id: 'openai/gpt', ...thinking, maxTokensParameter: 'max_completion_tokens' });
const OLD_GPT = aPlanned({ id: 'openai/old' });
const MARK = { cache_control: { type: 'ephemeral' } };

interface Sent {
  readonly body: ChatBody;
  readonly warnings: readonly string[];
}

function send(
  planned: PlannedModel,
  body: Partial<ChatBody>,
  { plan = {}, ...request }: Partial<ChatRequest> & { plan?: Partial<ExecutionPlan> } = {},
  maxTokens?: number,
): Sent {
  const candidates = plan.candidates ?? [planned];
  const state = new ChatState(aContext(), { ...aRequest(body), ...request }, aPlan(candidates, plan), {
    serverTools: [],
  });
  return { body: upstreamBody(state, planned, maxTokens), warnings: state.warnings };
}

const messages = (planned: PlannedModel, body: object): Sent => send(planned, body, { dialect: 'messages' });

describe(upstreamBody.name, () => {
  describe('output limit', () => {
    const pinned = (...candidates: PlannedModel[]) => ({ plan: { strategy: 'pinned' as const, candidates } });

    it('is the client’s own field at the model he named in its dialect', () => {
      const { body } = send(GPT, { max_tokens: 7, extra: 1 }, pinned(GPT, CLAUDE));
      expect(body).toMatchObject({ max_tokens: 7, extra: 1 });
      expect(body).not.toHaveProperty('max_completion_tokens');
    });

    it.each<[string, PlannedModel, Partial<ChatBody>, object]>([
      ['a model that it falls over to', GPT, { max_tokens: 7 }, { max_completion_tokens: 7 }],
      ['another way round', CLAUDE, { max_completion_tokens: 7 }, { max_tokens: 7 }],
    ])('has the name that is known to %s', (_, planned, given, expected) => {
      const first = planned === GPT ? CLAUDE : GPT;
      const { body } = send(planned, given, pinned(first, planned));
      expect(limitsOf(body)).toEqual(expected);
    });

    it('has the name that the model knows when another dialect asked for it', () => {
      const { body } = send(GPT, { max_tokens: 7 }, { dialect: 'messages', ...pinned(GPT) });
      expect(limitsOf(body)).toEqual({ max_completion_tokens: 7 });
    });

    it('is what a budget allows, whoever asked', () => {
      expect(limitsOf(send(GPT, { max_tokens: 7 }, pinned(GPT), 3).body)).toEqual({
        max_completion_tokens: 3,
      });
    });
  });

  describe('what only some models take, from another dialect', () => {
    const marked = {
      messages: [
        { role: 'system', content: 'one', ...MARK },
        { role: 'system', content: 'two' },
        { role: 'user', content: [{ type: 'text', text: 'Hi', ...MARK }] },
        { role: 'assistant', content: null, tool_calls: [], ...MARK },
        { role: 'tool', tool_call_id: 'a', content: 'x' },
      ],
      tools: [{ type: 'function', function: { name: 'f' }, ...MARK }],
      top_k: 5,
    } as unknown as ChatBody;

    it('goes to Anthropic, whatever else may answer', () => {
      const { body, warnings } = messages(CLAUDE, marked);
      expect(body).toMatchObject(marked as object as Record<string, unknown>);
      expect(warnings).toEqual([]);
    });

    it('is left out for OpenAI, and said so', () => {
      const { body, warnings } = messages(OLD_GPT, marked);
      expect(body.messages).toEqual([
        { role: 'system', content: 'one\n\ntwo' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'tool', tool_call_id: 'a', content: 'x' },
      ]);
      expect(body.tools).toEqual([{ type: 'function', function: { name: 'f' } }]);
      expect(body).not.toHaveProperty('top_k');
      expect(warnings).toEqual([
        'cache_control: openai/old does not take it',
        'top_k was left out: openai/old does not take it',
      ]);
    });

    it('reaches Gemini as far as it understands it', () => {
      const { body, warnings } = messages(GEMINI, marked);
      expect(JSON.stringify(body)).not.toContain('cache_control');
      expect(body.top_k).toBe(5);
      expect(warnings).toEqual(['cache_control: google/gemini does not take it']);
    });

    it('keeps instructions apart that the client kept apart', () => {
      const system = ['a', 'b'].map((content) => ({ role: 'system', content }));
      const sent = messages(OLD_GPT, { messages: [...system, { role: 'user', content: 'x', ...MARK }] });
      expect(sent.body.messages).toEqual([...system, { role: 'user', content: 'x' }]);
    });

    it('is passed on untouched when the client speaks OpenAI’s dialect', () => {
      const { body, warnings } = send(OLD_GPT, marked);
      expect(body).toMatchObject(marked as object as Record<string, unknown>);
      expect(warnings).toEqual([]);
    });
  });

  it.each<[string, PlannedModel, string | undefined, string[]]>([
    ['high', CLAUDE, 'high', []],
    ['high', GPT, 'high', []],
    ['high', OLD_GPT, undefined, [expect.stringContaining('openai/old does not think')]],
    ['none', OLD_GPT, undefined, []],
    ['none', CLAUDE, undefined, []],
    ['none', GEMINI, 'none', []],
    ['none', GPT, undefined, [expect.stringContaining('may think although')]],
  ])('sends the effort %s only to a model that takes it', (effort, planned, sent, expected) => {
    const { body, warnings } = messages(planned, { reasoning_effort: effort });
    expect(body.reasoning_effort).toBe(sent);
    expect(warnings).toEqual(expected);
  });

  it('lets a client of OpenAI’s newer dialect say that its model shall not think', () => {
    expect(send(GPT, { reasoning_effort: 'none' }, { dialect: 'responses' })).toMatchObject({
      body: { reasoning_effort: 'none' },
      warnings: [],
    });
  });

  it.each<[string, object, string]>([
    ['a prefilled answer', { messages: [{ role: 'assistant', content: '{' }] }, 'end with an assistant turn'],
    [
      'an open schema',
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {}, strict: false } } },
      'only tries to follow it',
    ],
  ])('says that %s does not mean the same everywhere', (_, body, warning) => {
    expect(messages(CLAUDE, body).warnings).toEqual([]);
    expect(messages(OLD_GPT, body).warnings).toEqual([expect.stringContaining(warning)]);
  });

  it('tells what the reading of the request could not keep beside all else', () => {
    const { warnings } = send(
      OLD_GPT,
      { top_k: 1 },
      { dialect: 'messages', warnings: ['x was left out'], plan: { warnings: ['y'] } },
    );
    expect(warnings).toEqual(['x was left out', 'y', expect.stringContaining('top_k')]);
  });
});

function limitsOf({ max_tokens, max_completion_tokens }: ChatBody): object {
  return JSON.parse(JSON.stringify({ max_tokens, max_completion_tokens })) as object;
}
