import type { ChatBody, ChatMessage } from '../../../../src/common/index';
import { convertRequest } from '../../../../src/providers/adapters/ai-sdk/request';
import {
  GOOGLE_FIELDS,
  googlePartOptions,
  refineForGoogle,
  type ThinkingFormat,
} from '../../../../src/providers/adapters/google/request';
import { catalogModel } from '../../../support/contract/catalog-model';

const MODEL = catalogModel({ provider: 'google', upstreamId: 'gemini-2.5-pro', maxOutputTokens: 65_536 });
const HELLO: ChatMessage = { role: 'user', content: 'Hello' };
const BUDGET: ThinkingFormat = { format: 'budget', minBudget: 128, maxBudget: 32_768 };
const LEVEL: ThinkingFormat = { ...BUDGET, format: 'level' };

function convert(body: Partial<ChatBody>, thinking?: ThinkingFormat) {
  const whole: ChatBody = { model: MODEL.upstreamId, messages: [HELLO], ...body };
  const request = convertRequest(whole, MODEL, { ...GOOGLE_FIELDS, partOptions: googlePartOptions });
  const signatures = new Map<string, string>();
  const { options, warnings } = refineForGoogle(request, { modelId: MODEL.upstreamId, signatures, thinking });
  return { options, warnings, thinkingConfig: options.providerOptions?.google?.thinkingConfig };
}

describe(refineForGoogle.name, () => {
  it('always sends an output limit, and nothing of its own', () => {
    const { options, warnings } = convert({});
    expect(options).toMatchObject({ maxOutputTokens: 65_536 });
    expect(options.providerOptions).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('joins the results of parallel calls and drops turns without content', () => {
    const tool = (id: string): ChatMessage => ({ role: 'tool', tool_call_id: id, content: id });
    const { prompt } = convert({
      messages: [HELLO, { role: 'assistant', content: '' }, tool('a'), tool('b'), HELLO, tool('c')],
    }).options;
    expect(prompt.map(({ role }) => role)).toEqual(['user', 'tool', 'user', 'tool']);
    expect(prompt[1]?.content).toMatchObject([{ toolCallId: 'a' }, { toolCallId: 'b' }]);
  });

  it('moves instructions between turns to the front and says so', () => {
    const { options, warnings } = convert({ messages: [HELLO, { role: 'system', content: 'Be brief.' }] });
    expect(options.prompt.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(warnings).toEqual([expect.stringContaining('moved to the front')]);
  });

  describe('thinking', () => {
    it.each([
      ['minimal', 10_000, 1000],
      ['low', 10_000, 2000],
      ['medium', 10_000, 5000],
      ['high', 10_000, 8000],
      ['xhigh', 10_000, 9000],
      ['max', 10_000, 9000],
      ['low', 1000, 512],
      ['max', 1000, 744],
      ['high', 65_536, 32_768],
    ])('takes the budget for %s out of a limit of %i: %i', (reasoning_effort, max_tokens, thinkingBudget) => {
      const { options, thinkingConfig } = convert({ reasoning_effort, max_tokens }, BUDGET);
      expect(thinkingConfig).toEqual({ includeThoughts: true, thinkingBudget });
      expect(options.maxOutputTokens).toBe(max_tokens);
      expect(thinkingBudget).toBeLessThan(max_tokens);
    });

    it('leaves levels and a refusal to think to the library', () => {
      const level = convert({ reasoning_effort: 'high' }, LEVEL);
      expect(level.thinkingConfig).toEqual({ includeThoughts: true });
      expect(level.options.reasoning).toBe('high');
      const none = convert({ reasoning_effort: 'none' }, BUDGET);
      expect([none.options.reasoning, none.thinkingConfig]).toEqual(['none', undefined]);
    });

    it.each([
      ['the limit is too small', { max_tokens: 700 }, BUDGET],
      ['the model does not think', { max_tokens: 7000 }, undefined],
    ])('is left out with a warning where %s', (_case, body, thinking) => {
      const { options, warnings, thinkingConfig } = convert({ reasoning_effort: 'high', ...body }, thinking);
      expect([options.reasoning, thinkingConfig]).toEqual([undefined, undefined]);
      expect(warnings).toEqual([expect.stringContaining('reasoning_effort was left out')]);
    });

    it('sends nothing to a model that does not think and shall not', () => {
      const { options, warnings } = convert({ reasoning_effort: 'none' });
      expect([options.reasoning, warnings]).toEqual([undefined, []]);
    });
  });
});
