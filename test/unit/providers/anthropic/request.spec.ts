import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { ChatBody, ChatMessage } from '../../../../src/common/index';
import { convertRequest } from '../../../../src/providers/adapters/ai-sdk/request';
import {
  ANTHROPIC_FIELDS,
  anthropicPartOptions,
  refineForAnthropic,
} from '../../../../src/providers/adapters/anthropic/request';
import type { ChatCall } from '../../../../src/providers/index';
import { catalogModel } from '../../../support/contract/catalog-model';

const MODEL = catalogModel({ provider: 'anthropic', upstreamId: 'claude-haiku-4-5', maxOutputTokens: 8000 });
const HELLO: ChatMessage = { role: 'user', content: 'Hello' };

function convert(body: Partial<ChatBody>, isAdaptive = true) {
  const whole: ChatBody = { model: MODEL.upstreamId, messages: [HELLO], ...body };
  const call: ChatCall = {
    model: MODEL,
    body: whole,
    signal: new AbortController().signal,
    requestId: 'req_1',
  };
  const dialect = { ...ANTHROPIC_FIELDS, partOptions: anthropicPartOptions };
  const { options, warnings } = refineForAnthropic(convertRequest(whole, MODEL, dialect), call, isAdaptive);
  return { options, warnings, anthropic: options.providerOptions?.anthropic ?? {} };
}

function promptOf(messages: readonly ChatMessage[]): LanguageModelV4CallOptions['prompt'] {
  return convert({ messages }).options.prompt;
}

describe(convertRequest.name, () => {
  it('carries over what the dialects share', () => {
    const { options, warnings } = convert({
      max_completion_tokens: 77,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      stop: ['END', 'STOP'],
      reasoning_effort: 'low',
    });
    expect(options).toMatchObject({
      maxOutputTokens: 77,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      stopSequences: ['END', 'STOP'],
      reasoning: 'low',
    });
    expect(warnings).toEqual([]);
  });

  it('always sends an output limit and never what was not asked for', () => {
    const { options } = convert({ stop: 'END', presence_penalty: 0, reasoning_effort: 'immense' });
    expect(options).toMatchObject({ maxOutputTokens: 8000, stopSequences: ['END'] });
    const { temperature, presencePenalty, reasoning, tools, responseFormat } = options;
    expect([temperature, presencePenalty, reasoning, tools, responseFormat]).toEqual(
      Array(5).fill(undefined),
    );
    expect(convert({ stop: [] }).options.stopSequences).toBeUndefined();
  });

  it('names the parameters that it leaves out, and only those that ask for something', () => {
    const { warnings } = convert({
      n: 2,
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { 50256: -100 },
      audio: { voice: 'alloy' },
      metadata: { a: 'b' },
      store: true,
      prompt_cache_key: 'k',
    });
    expect(warnings.map((text) => text.split(' ')[0])).toEqual([
      'n',
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'audio',
      'metadata',
      'store',
      'prompt_cache_key',
    ]);
    const neutral = {
      store: false,
      n: 1,
      logprobs: false,
      logit_bias: null,
      parallel_tool_calls: true,
      service_tier: 'auto',
    };
    expect(convert(neutral).warnings).toEqual([]);
  });

  it('names fields that nobody knows once each, where they stand, and not without end', () => {
    const odd = { role: 'user', content: [{ type: 'text', text: 'a', x: 1 }], name: 'ada' } as const;
    expect(convert({ messages: [odd, odd] }).warnings).toEqual(
      ['messages[].content[].x', 'messages[].name'].map((field) =>
        expect.stringContaining(`${field} is not`),
      ),
    );
    const many = convert(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x${i}`, i]))).warnings;
    expect(many).toHaveLength(25);
    expect(many.at(-1)).toContain('more fields');
  });

  it('warns of a choice without tools and of an effort that no model knows', () => {
    expect(convert({ tool_choice: 'required' }).warnings).toEqual([expect.stringContaining('tool_choice')]);
    expect(convert({ reasoning_effort: 'immense' }).warnings).toEqual([
      expect.stringContaining('reasoning_effort'),
    ]);
    expect(convert({ tool_choice: 'none', reasoning_effort: null }).warnings).toEqual([]);
  });

  it('converts tools and every kind of tool choice', () => {
    const parameters = { type: 'object', properties: { a: { type: 'string' } } };
    const tools = [
      { type: 'function', function: { name: 'f', description: 'd', parameters, strict: true } },
      { type: 'function', function: { name: 'g' } },
    ];
    expect(convert({ tools }).options.tools).toEqual([
      expect.objectContaining({
        type: 'function',
        name: 'f',
        description: 'd',
        inputSchema: parameters,
        strict: true,
      }),
      expect.objectContaining({ name: 'g', inputSchema: { type: 'object', properties: {} } }),
    ]);
    const choice = (tool_choice: ChatBody['tool_choice']) =>
      convert({ tools, tool_choice }).options.toolChoice;
    expect(choice('auto')).toEqual({ type: 'auto' });
    expect(choice('none')).toEqual({ type: 'none' });
    expect(choice('required')).toEqual({ type: 'required' });
    expect(choice({ type: 'function', function: { name: 'g' } })).toEqual({ type: 'tool', toolName: 'g' });
    expect(choice(null)).toBeUndefined();
  });

  it('warns of tools and choices of other kinds', () => {
    const tools = [
      { type: 'custom', custom: { name: 'c' } },
      { type: 'function', function: { name: 'f' } },
    ];
    const { options, warnings } = convert({ tools, tool_choice: { type: 'allowed_tools' } });
    expect(options.tools).toHaveLength(1);
    expect(options.toolChoice).toBeUndefined();
    expect(warnings).toHaveLength(2);
  });

  it('converts response formats', () => {
    const format = (response_format: ChatBody['response_format']) =>
      convert({ response_format }).options.responseFormat;
    const schema = { type: 'object' };
    expect(format({ type: 'text' })).toBeUndefined();
    expect(format({ type: 'json_object' })).toEqual({ type: 'json' });
    expect(format({ type: 'json_schema', json_schema: { name: 'n', description: 'd', schema } })).toEqual({
      type: 'json',
      name: 'n',
      description: 'd',
      schema: { ...schema, description: 'd' },
    });
    const described = { ...schema, description: 'own' };
    expect(
      format({ type: 'json_schema', json_schema: { name: 'n', description: 'd', schema: described } }),
    ).toMatchObject({ schema: { description: 'd\nown' } });
  });

  describe('messages', () => {
    it('makes developer messages system messages', () => {
      expect(
        promptOf([{ role: 'developer', content: [{ type: 'text', text: 'Rules' }] }, HELLO]),
      ).toMatchObject([
        { role: 'system', content: 'Rules' },
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      ]);
    });

    it('takes images by URL and files and audio by their data', () => {
      const content = [
        { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
        { type: 'image_url', image_url: { url: 'data:image/PNG;base64,QUJD' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,QUJD' } },
        { type: 'input_audio', input_audio: { data: 'QUJD', format: 'mp3' } },
        { type: 'input_audio', input_audio: { data: 'QUJD', format: 'flac' } },
      ];
      expect(promptOf([{ role: 'user', content }])[0]?.content).toMatchObject([
        {
          type: 'file',
          mediaType: 'image',
          data: { type: 'url', url: new URL('https://example.com/a.png') },
        },
        { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'QUJD' } },
        {
          type: 'file',
          mediaType: 'application/pdf',
          filename: 'a.pdf',
          data: { type: 'data', data: 'QUJD' },
        },
        { type: 'file', mediaType: 'audio/mpeg', data: { type: 'data', data: 'QUJD' } },
        { type: 'file', mediaType: 'audio/flac', data: { type: 'data', data: 'QUJD' } },
      ]);
    });

    it.each([
      [
        'messages[0].content[0].image_url.url',
        { type: 'image_url', image_url: { url: 'file:///etc/passwd' } },
      ],
      [
        'messages[0].content[0].image_url.url',
        { type: 'image_url', image_url: { url: 'data:image/png,raw' } },
      ],
      ['messages[0].content[0].image_url.url', { type: 'image_url' }],
      ['messages[0].content[0]', { type: 'file', file: { file_id: 'file-1' } }],
      [
        'messages[0].content[0].input_audio.format',
        { type: 'input_audio', input_audio: { data: 'QUJD', format: 'midi' } },
      ],
      ['messages[0].content[0].type', { type: 'hologram' }],
    ])('refuses what has no counterpart and names %s', (param, part) => {
      expect(() => promptOf([{ role: 'user', content: [part] as ChatMessage['content'] }])).toThrow(
        expect.objectContaining({ param }),
      );
    });

    it.each([
      ['messages[0].role', { role: 'function', name: 'f', content: 'x' }],
      ['messages[0].function_call', { role: 'assistant', function_call: { name: 'f', arguments: '{}' } }],
      [
        'messages[0].content[0].type',
        { role: 'assistant', content: [{ type: 'image_url', image_url: { url: 'https://a.test/a.png' } }] },
      ],
      ['messages[0].content[0].type', { role: 'system', content: [{ type: 'image_url' }] }],
      ['messages[0].tool_call_id', { role: 'tool', content: 'x' }],
      ['messages[0].tool_calls[0].type', { role: 'assistant', tool_calls: [{ id: 'c', type: 'custom' }] }],
    ])('refuses a message whose %s has no counterpart', (param, message) => {
      expect(() => promptOf([message as unknown as ChatMessage])).toThrow(expect.objectContaining({ param }));
    });

    it('takes a refusal as what the model said', () => {
      const [whole, parts] = promptOf([
        { role: 'assistant', content: null, refusal: 'I will not' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Well' },
            { type: 'refusal', refusal: 'no' },
          ],
        },
      ]);
      expect(whole?.content).toMatchObject([{ type: 'text', text: 'I will not' }]);
      expect(parts?.content).toMatchObject([{ text: 'Well' }, { text: 'no' }]);
    });

    it('pairs tool results with the names of their calls', () => {
      const call = (id: string, args: string) => ({
        id,
        type: 'function' as const,
        function: { name: `tool_${id}`, arguments: args },
      });
      const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } };
      const prompt = promptOf([
        HELLO,
        {
          role: 'assistant',
          content: 'One moment',
          tool_calls: [call('a', '{"x":1}'), call('b', 'oops'), call('c', '')],
        },
        { role: 'tool', tool_call_id: 'a', content: 'one' },
        { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'two' }] },
        { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'see' }, image] },
        { role: 'tool', tool_call_id: 'lost', content: '' },
      ]);
      expect(prompt[1]?.content).toMatchObject([
        { type: 'text', text: 'One moment' },
        { type: 'tool-call', toolCallId: 'a', toolName: 'tool_a', input: { x: 1 } },
        { input: { arguments: 'oops' } },
        { input: {} },
      ]);
      expect(prompt.slice(2).flatMap((message) => message.content as readonly unknown[])).toMatchObject([
        { toolName: 'tool_a', output: { type: 'text', value: 'one' } },
        { toolName: 'tool_b', output: { type: 'text', value: 'two' } },
        { toolName: 'tool_c', output: { type: 'content', value: [{ type: 'text' }, { type: 'file' }] } },
        { toolCallId: 'lost', toolName: 'tool' },
      ]);
    });
  });
});

describe(refineForAnthropic.name, () => {
  it('passes cache_control on to parts, messages, tools and system texts', () => {
    const cache_control = { type: 'ephemeral', ttl: '1h' };
    const cached = { anthropic: { cacheControl: cache_control } };
    const { options } = convert({
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Rules', cache_control }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hello', cache_control },
            { type: 'text', text: 'Again' },
          ],
        },
      ],
      tools: [{ type: 'function', function: { name: 'f' }, cache_control }],
    });
    const [system, user] = options.prompt;
    expect(system?.providerOptions).toEqual(cached);
    expect(user?.content).toMatchObject([{ providerOptions: cached }, { providerOptions: undefined }]);
    expect(options.tools?.[0]).toMatchObject({ providerOptions: cached });
  });

  it('keeps every mark of instructions, answers and results that have several parts', () => {
    const cache_control = { type: 'ephemeral' };
    const cached = { anthropic: { cacheControl: cache_control } };
    const text = (name: string, isMarked = false) => ({
      type: 'text',
      text: name,
      ...(isMarked && { cache_control }),
    });
    const prompt = promptOf([
      { role: 'system', content: [text('a'), text('b', true), text('c')] },
      HELLO,
      { role: 'assistant', content: [text('d', true), text('e')] },
      { role: 'tool', tool_call_id: 'c', content: [text('f', true)] },
    ]);
    expect(prompt.slice(0, 2)).toEqual([
      { role: 'system', content: 'a\nb', providerOptions: cached },
      { role: 'system', content: 'c', providerOptions: undefined },
    ]);
    expect(prompt[3]?.content).toMatchObject([{ text: 'd', providerOptions: cached }, { text: 'e' }]);
    expect(prompt[4]?.content).toMatchObject([{ providerOptions: cached }]);
  });

  it('moves system messages to the front and says so', () => {
    const { options, warnings } = convert({ messages: [HELLO, { role: 'system', content: 'Later' }, HELLO] });
    expect(options.prompt.map((message) => message.role)).toEqual(['system', 'user', 'user']);
    expect(warnings).toEqual([expect.stringContaining('moved to the front')]);
  });

  it('reads parallel_tool_calls and service_tier', () => {
    expect(convert({}).anthropic).toEqual({ toolStreaming: false });
    expect(convert({ parallel_tool_calls: false, service_tier: 'default' }).anthropic).toMatchObject({
      disableParallelToolUse: true,
      serviceTier: 'standard_only',
    });
    expect(convert({ service_tier: 'auto' }).anthropic).toMatchObject({ serviceTier: 'auto' });
    expect(convert({ service_tier: 'flex' }).warnings).toEqual([expect.stringContaining('service_tier')]);
  });

  it('tells Anthropic who asks, by one identifier', () => {
    const asked = (body: Partial<ChatBody>) => {
      const { anthropic, warnings } = convert(body);
      return [anthropic.metadata, warnings.map((warning) => warning.split(' ')[0])];
    };
    expect(asked({ user: 'ada' })).toEqual([{ userId: 'ada' }, []]);
    expect(asked({ safety_identifier: 'hash' })).toEqual([{ userId: 'hash' }, []]);
    expect(asked({ user: 'hash', safety_identifier: 'hash' })).toEqual([{ userId: 'hash' }, []]);
    expect(asked({ user: 'ada', safety_identifier: 'hash' })).toEqual([{ userId: 'hash' }, ['user']]);
    expect(asked({ user: '' })).toEqual([undefined, []]);
  });

  describe('on models that think with a budget', () => {
    const think = (body: Partial<ChatBody>) => convert(body, false);

    it('takes the budget out of the output limit, so that the limit holds for both', () => {
      for (const reasoning_effort of ['minimal', 'low', 'medium', 'high', 'xhigh', 'max']) {
        const { options, anthropic } = think({ max_tokens: 6000, reasoning_effort });
        const { budgetTokens } = anthropic.thinking as { budgetTokens: number };
        expect((options.maxOutputTokens ?? 0) + budgetTokens).toBe(6000);
        expect(budgetTokens).toBeGreaterThanOrEqual(1024);
        expect(options.reasoning).toBeUndefined();
      }
    });

    it('gives more effort more budget', () => {
      const budget = (reasoning_effort: string) =>
        (think({ max_tokens: 8000, reasoning_effort }).anthropic.thinking as { budgetTokens: number })
          .budgetTokens;
      expect(budget('low')).toBeLessThan(budget('medium'));
      expect(budget('medium')).toBeLessThan(budget('high'));
    });

    it('leaves thinking out where the limit is too small or a tool round goes on', () => {
      const tight = think({ max_tokens: 1000, reasoning_effort: 'high' });
      const inRound = think({
        messages: [HELLO, { role: 'tool', tool_call_id: 'a', content: 'x' }],
        reasoning_effort: 'high',
      });
      for (const { options, anthropic, warnings } of [tight, inRound]) {
        expect(options.reasoning).toBeUndefined();
        expect(anthropic.thinking).toBeUndefined();
        expect(warnings).toEqual([expect.stringContaining('reasoning_effort was left out')]);
      }
      expect(tight.options.maxOutputTokens).toBe(1000);
    });

    it('leaves a refusal to think to the library', () => {
      expect(think({ reasoning_effort: 'none' }).options.reasoning).toBe('none');
    });
  });
});
