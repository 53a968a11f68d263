import type { JsonObject } from '../../../../src/common/index';
import { ValidationError } from '../../../../src/errors/index';
import {
  type Previous,
  type ResponsesRequest,
  toChatRequest,
} from '../../../../src/gateway/responses/request';

const LIMITS = { maxMessages: 8, maxTools: 2, maxPromptChars: 1000 };

const convert = (more: JsonObject = {}, previous?: Previous): ResponsesRequest =>
  toChatRequest({ model: 'auto', input: 'Hi', ...more }, {}, LIMITS, previous);

const failureOf = (work: () => unknown): ValidationError => {
  try {
    work();
  } catch (failure) {
    if (failure instanceof ValidationError) return failure;
    throw failure;
  }
  throw new Error('It was accepted');
};

const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{"a":1}' });
const toolCall = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{"a":1}' } });
const result = (id: string, output: unknown = 'done') =>
  ({ type: 'function_call_output', call_id: id, output }) as JsonObject;
const user = (text: string) => ({ role: 'user', content: text });
const TOOL = { type: 'function', name: 'f', strict: true, parameters: { type: 'object' } };
const CHAT_TOOL = {
  type: 'function',
  function: { name: 'f', parameters: { type: 'object' }, strict: true },
};
const OTHER = { type: 'function', name: 'g' };
const CHAT_OTHER = { type: 'function', function: { name: 'g' } };

describe(toChatRequest, () => {
  it('takes a string for one message of the user', () => {
    const { chat, input, isStored, previousId } = convert();
    expect(chat).toMatchObject({
      body: { model: 'auto', messages: [user('Hi')] },
      dialect: 'responses',
      warnings: [],
    });
    expect(chat.bodyBytes).toBe(JSON.stringify(chat.body).length);
    expect(input).toEqual([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }]);
    expect([isStored, previousId]).toEqual([true, undefined]);
  });

  describe('items', () => {
    const messagesOf = (input: readonly unknown[]) =>
      convert({ input: input as JsonObject[] }).chat.body.messages;

    it.each<[string, unknown[], unknown[]]>([
      ['a message without a type', [user('a')], [user('a')]],
      ['a developer', [{ role: 'developer', content: 'a' }], [{ role: 'system', content: 'a' }]],
      [
        'a system message of parts',
        [
          {
            role: 'system',
            content: [
              { type: 'input_text', text: 'a' },
              { type: 'input_text', text: 'b' },
            ],
          },
        ],
        [{ role: 'system', content: 'a\n\nb' }],
      ],
      [
        'an answer of before',
        [
          {
            type: 'message',
            id: 'msg_1',
            status: 'completed',
            role: 'assistant',
            content: [
              { type: 'output_text', text: 'a', annotations: [], logprobs: [], parsed: null },
              { type: 'refusal', refusal: 'b' },
            ],
          },
        ],
        [{ role: 'assistant', content: 'ab' }],
      ],
      [
        'a file',
        [{ role: 'user', content: [{ type: 'input_file', filename: 'a.pdf', file_data: 'data:x' }] }],
        [{ role: 'user', content: [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:x' } }] }],
      ],
      [
        'parallel calls with text before and between',
        [
          { role: 'assistant', content: 'a' },
          call('1'),
          { role: 'assistant', content: 'b' },
          call('2'),
          result('1'),
          result('2'),
          user('c'),
        ],
        [
          { role: 'assistant', content: 'ab', tool_calls: [toolCall('1'), toolCall('2')] },
          { role: 'tool', tool_call_id: '1', content: 'done' },
          { role: 'tool', tool_call_id: '2', content: 'done' },
          user('c'),
        ],
      ],
      [
        'calls one after the other',
        [call('1'), result('1'), { ...call('2'), parsed_arguments: { a: 1 } }, result('2', [])],
        [
          { role: 'assistant', content: null, tool_calls: [toolCall('1')] },
          { role: 'tool', tool_call_id: '1', content: 'done' },
          { role: 'assistant', content: null, tool_calls: [toolCall('2')] },
          { role: 'tool', tool_call_id: '2', content: '' },
        ],
      ],
      [
        'images that tools give, behind all results',
        [
          call('1'),
          call('2'),
          result('1', [{ type: 'input_image', image_url: 'https://a/b.png' }]),
          result('2'),
        ],
        [
          { role: 'assistant', content: null, tool_calls: [toolCall('1'), toolCall('2')] },
          { role: 'tool', tool_call_id: '1', content: 'The result is attached below.' },
          { role: 'tool', tool_call_id: '2', content: 'done' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Result of the tool call 1:' },
              { type: 'image_url', image_url: { url: 'https://a/b.png' } },
            ],
          },
        ],
      ],
    ])('converts %s', (_, input, messages) => {
      expect(messagesOf(input)).toEqual(messages);
    });

    it('leaves reasoning out, and says so', () => {
      const { chat } = convert({ input: [{ type: 'reasoning', id: 'rs_1', summary: [] }, user('a')] });
      expect(chat.body.messages).toEqual([user('a')]);
      expect(chat.warnings).toEqual(['reasoning of earlier turns was left out']);
    });

    it('puts the conversation of before between instructions and input, and counts it', () => {
      const previous = { id: 'u', items: [user('before'), { role: 'assistant', content: 'then' }] };
      const { chat, input, previousId } = convert({ instructions: 'Be brief.' }, previous);
      expect(chat.body.messages).toEqual([
        { role: 'system', content: 'Be brief.' },
        user('before'),
        { role: 'assistant', content: 'then' },
        user('Hi'),
      ]);
      expect([input.length, previousId]).toEqual([1, 'u']);
      const tooMany = { id: 'u', items: Array.from({ length: 8 }, () => user('a')) };
      expect(failureOf(() => convert({}, tooMany)).param).toBe('input');
      const tooLong = { id: 'u', items: [user('a'.repeat(999))] };
      expect(failureOf(() => convert({}, tooLong)).param).toBe('input');
    });

    it.each<[string, unknown]>([
      ['input', undefined],
      ['input', []],
      ['input', 7],
      ['input[0]', ['text']],
      ['input', [{ type: 'reasoning', id: 'rs_1', summary: [] }]],
      ['input[0].type', [{ type: 'computer_call' }]],
      ['input[0].role', [{ role: 'tool', content: 'a' }]],
      ['input[0].content', [{ role: 'user', content: [] }]],
      ['input[0].content', [{ role: 'user' }]],
      ['input[0].content[0].type', [{ role: 'user', content: [{ type: 'output_text', text: 'a' }] }]],
      [
        'input[0].content[0].type',
        [{ role: 'system', content: [{ type: 'input_image', image_url: 'https://a' }] }],
      ],
      [
        'input[0].content[0].image_url',
        [{ role: 'user', content: [{ type: 'input_image', image_url: 'file:///a' }] }],
      ],
      [
        'input[0].content[0].file_id',
        [{ role: 'user', content: [{ type: 'input_image', file_id: 'file_1' }] }],
      ],
      [
        'input[0].content[0].file_url',
        [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://a' }] }],
      ],
      ['input[0].call_id', [{ ...call(''), call_id: '' }]],
      ['input[0].arguments', [{ ...call('1'), arguments: {} }]],
      ['input[0].output', [{ type: 'function_call_output', call_id: '1' }]],
      ['input[0].caller', [{ ...call('1'), caller: { type: 'program', caller_id: 'x' } }]],
      ['input[0].namespace', [{ ...call('1'), namespace: 'x' }]],
    ])('refuses %s', (param, input) => {
      expect(failureOf(() => convert({ input: input as JsonObject[] })).param).toBe(param);
    });
  });

  describe('tools', () => {
    it.each<[unknown, unknown, unknown]>([
      ['auto', 'auto', [CHAT_TOOL, CHAT_OTHER]],
      ['required', 'required', [CHAT_TOOL, CHAT_OTHER]],
      ['none', 'none', [CHAT_TOOL, CHAT_OTHER]],
      [
        { type: 'function', name: 'g' },
        { type: 'function', function: { name: 'g' } },
        [CHAT_TOOL, CHAT_OTHER],
      ],
      [
        { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] },
        'required',
        [CHAT_TOOL],
      ],
    ])('choice %j', (choice, tool_choice, tools) => {
      const { body } = convert({
        tools: [TOOL, OTHER],
        tool_choice: choice as JsonObject,
        parallel_tool_calls: false,
      }).chat;
      expect(body).toMatchObject({ tools, tool_choice, parallel_tool_calls: false });
    });

    it('asks for nothing about tools when there are none', () => {
      const { body } = convert({ tools: [], tool_choice: 'auto', parallel_tool_calls: true }).chat;
      expect(Object.keys(body).toSorted()).toEqual(['messages', 'model']);
    });

    it.each<[string, JsonObject]>([
      ['tools[0].type', { tools: [{ type: 'web_search' }] }],
      ['tools[0].type', { tools: [{ type: 'mcp', server_label: 'x' }] }],
      ['tools[0].name', { tools: [{ type: 'function', name: 'a b' }] }],
      ['tools[0].strict', { tools: [{ ...TOOL, strict: 'yes' }] }],
      ['tools', { tools: [TOOL, OTHER, { type: 'function', name: 'h' }] }],
      ['tool_choice', { tool_choice: 'required' }],
      ['tool_choice', { tools: [TOOL], tool_choice: { type: 'web_search_preview' } }],
      ['tool_choice.name', { tools: [TOOL], tool_choice: { type: 'function', name: 'g' } }],
      [
        'tool_choice.tools',
        { tools: [TOOL], tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [] } },
      ],
    ])('refuses %s: %j', (param, more) => {
      expect(failureOf(() => convert(more)).param).toBe(param);
    });
  });

  it('converts the rest', () => {
    const format = {
      type: 'json_schema',
      name: 'x',
      schema: { type: 'object' },
      strict: true,
      description: 'd',
    };
    const { chat, echo, isStored, showsSummary } = convert({
      max_output_tokens: 9,
      stream: true,
      stream_options: { include_obfuscation: false },
      store: false,
      text: { format, verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto' },
      service_tier: 'default',
      top_p: 0.5,
      background: false,
    });
    expect(chat.body).toEqual({
      model: 'auto',
      messages: [user('Hi')],
      max_tokens: 9,
      stream: true,
      top_p: 0.5,
      service_tier: 'default',
      verbosity: 'low',
      reasoning_effort: 'high',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'x', schema: { type: 'object' }, strict: true, description: 'd' },
      },
    });
    expect(echo).toMatchObject({
      store: false,
      text: { format, verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto' },
      temperature: null,
      tools: [],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      truncation: 'disabled',
    });
    expect([isStored, showsSummary, chat.warnings]).toEqual([false, true, []]);
  });

  it.each<[string, JsonObject, string]>([
    ['include', { include: ['reasoning.encrypted_content'] }, 'include was left out'],
    ['truncation', { truncation: 'auto' }, 'truncation was left out'],
    ['max_tool_calls', { max_tool_calls: 3 }, 'max_tool_calls was left out'],
    ['obfuscation', { stream: true, stream_options: { include_obfuscation: true } }, 'include_obfuscation'],
    ['hints of tools', { tools: [{ ...TOOL, defer_loading: true }] }, 'defer_loading of tools was left out'],
  ])('says that it leaves out %s', (_, more, warning) => {
    expect(convert(more).chat.warnings?.join()).toContain(warning);
  });

  it.each<[string, JsonObject]>([
    ['model', { model: '' }],
    ['n', { n: 2 }],
    ['background', { background: true }],
    ['conversation', { conversation: 'conv_1' }],
    ['prompt', { prompt: { id: 'x' } }],
    ['top_logprobs', { top_logprobs: 3 }],
    ['max_output_tokens', { max_output_tokens: 0 }],
    ['temperature', { temperature: 3 }],
    ['store', { store: 'yes' }],
    ['stream_options', { stream_options: {} }],
    ['instructions', { instructions: ['a'] }],
    ['truncation', { truncation: 'some' }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) }],
    ['metadata.a', { metadata: { a: 1 } }],
    ['user', { user: {} }],
    ['text.format.type', { text: { format: { type: 'xml' } } }],
    ['text.format.name', { text: { format: { type: 'json_schema', schema: {} } } }],
    ['text.format.schema', { text: { format: { type: 'json_schema', name: 'x' } } }],
    ['text.verbosity', { text: { verbosity: 'loud' } }],
    ['reasoning.effort', { reasoning: { effort: 'much' } }],
    ['reasoning.mode', { reasoning: { mode: 'pro' } }],
    ['lattice.x', { lattice: { x: 1 } }],
  ])('refuses %s', (param, more) => {
    expect(failureOf(() => convert(more)).param).toBe(param);
  });

  it('takes null for absent everywhere', () => {
    const nulls = Object.fromEntries(
      ['tools', 'tool_choice', 'text', 'reasoning', 'metadata', 'user', 'store', 'stream', 'prompt', 'n'].map(
        (field) => [field, null],
      ),
    );
    expect(convert(nulls).chat.body).toEqual(convert().chat.body);
  });
});
