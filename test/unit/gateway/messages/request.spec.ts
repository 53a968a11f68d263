import { toChatRequest } from '../../../../src/gateway/messages/request';

const LIMITS = { maxMessages: 4, maxTools: 2, maxPromptChars: 1000 };
const HELLO = { role: 'user', content: 'Hello' };
const EPHEMERAL = { type: 'ephemeral' };

const convert = (fields: object, headers = {}) =>
  toChatRequest({ model: 'some-model', max_tokens: 1000, messages: [HELLO], ...fields }, headers, LIMITS);
const bodyOf = (...parameters: Parameters<typeof convert>) => convert(...parameters).chat.body;
const warningsOf = (...parameters: Parameters<typeof convert>) => convert(...parameters).chat.warnings;

describe('toChatRequest', () => {
  it('gives what the dialects share OpenAI’s names', () => {
    const body = bodyOf({
      system: 'Be brief.',
      temperature: 0.5,
      top_p: 0.9,
      stop_sequences: ['END'],
      stream: true,
      metadata: { user_id: 'u-1' },
      service_tier: 'standard_only',
    });
    expect(body).toEqual({
      model: 'some-model',
      max_tokens: 1000,
      messages: [{ role: 'system', content: 'Be brief.' }, HELLO],
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
      stream: true,
      user: 'u-1',
      service_tier: 'default',
    });
  });

  it('says which dialect it was, and counts the bytes of what goes upstream', () => {
    const { chat } = convert({});
    expect(chat.dialect).toBe('messages');
    expect(chat.bodyBytes).toBe(Buffer.byteLength(JSON.stringify(chat.body)));
  });

  it('takes Lattice’s own options', () => {
    const { chat } = convert(
      { lattice: { tools: ['current_time'] }, models: ['a'] },
      {
        'x-lattice-fallback': 'none',
      },
    );
    expect(chat.options).toMatchObject({ tools: ['current_time'], models: ['a'], fallback: 'none' });
    expect(chat.body).not.toHaveProperty('lattice');
    expect(chat.body).not.toHaveProperty('models');
  });

  describe('messages', () => {
    it('turns blocks into parts', () => {
      const content = [
        { type: 'text', text: 'Look' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
        {
          type: 'document',
          title: 'T',
          source: { type: 'base64', media_type: 'application/pdf', data: 'BBBB' },
        },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' } },
      ];
      expect(bodyOf({ messages: [{ role: 'user', content }] }).messages).toEqual([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            { type: 'text', text: 'T' },
            { type: 'file', file: { filename: 'T', file_data: 'data:application/pdf;base64,BBBB' } },
            { type: 'text', text: 'plain' },
          ],
        },
      ]);
    });

    it('makes tool uses calls, and results messages of their own before the text', () => {
      const messages = [
        HELLO,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'text', text: 'Let me see.' },
            { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 }, caller: { type: 'direct' } },
            { type: 'tool_use', id: 'b', name: 'g', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: 'one' },
            {
              type: 'tool_result',
              tool_use_id: 'b',
              is_error: true,
              content: [{ type: 'text', text: 'no' }],
            },
            { type: 'text', text: 'Go on.' },
          ],
        },
      ];
      const { chat } = convert({ messages });
      expect(chat.body.messages).toEqual([
        HELLO,
        {
          role: 'assistant',
          content: 'Let me see.',
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
            { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'a', content: 'one' },
        { role: 'tool', tool_call_id: 'b', content: 'Error: no' },
        { role: 'user', content: 'Go on.' },
      ]);
      expect(chat.warnings).toEqual(['thinking of earlier turns was left out']);
    });

    it('shows the image of a tool result in the user’s turn behind it', () => {
      const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } };
      const content = [{ type: 'tool_result', tool_use_id: 'a', content: [image] }];
      expect(bodyOf({ messages: [{ role: 'user', content }] }).messages).toEqual([
        { role: 'tool', tool_call_id: 'a', content: 'The result is attached below.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Result of the tool call a:' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          ],
        },
      ]);
    });
  });

  describe('cache_control', () => {
    const fields = {
      system: [
        { type: 'text', text: 'one', cache_control: EPHEMERAL },
        { type: 'text', text: 'two' },
      ],
      tools: [{ name: 'f', input_schema: { type: 'object' }, cache_control: EPHEMERAL }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: EPHEMERAL }] }],
    };

    it('goes to the same places, for the models that take it', () => {
      const { chat } = convert(fields);
      expect(chat.body).toMatchObject({
        messages: [
          { role: 'system', content: 'one', cache_control: EPHEMERAL },
          { role: 'system', content: 'two' },
          { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: EPHEMERAL }] },
        ],
        tools: [{ type: 'function', cache_control: EPHEMERAL }],
      });
      expect(chat.warnings).toEqual([]);
    });

    it('on the request stands behind the last block', () => {
      expect(bodyOf({ cache_control: EPHEMERAL }).messages).toEqual([{ ...HELLO, cache_control: EPHEMERAL }]);
    });
  });

  describe('tools', () => {
    const tool = { name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true };

    it.each<[object, object]>([
      [{ type: 'auto' }, { tool_choice: 'auto' }],
      [{ type: 'any' }, { tool_choice: 'required' }],
      [{ type: 'none' }, { tool_choice: 'none' }],
      [{ type: 'tool', name: 'f' }, { tool_choice: { type: 'function', function: { name: 'f' } } }],
      [
        { type: 'auto', disable_parallel_tool_use: true },
        { tool_choice: 'auto', parallel_tool_calls: false },
      ],
    ])('with the choice %j', (choice, expected) => {
      expect(bodyOf({ tools: [tool], tool_choice: choice })).toMatchObject({
        tools: [
          {
            type: 'function',
            function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
          },
        ],
        ...expected,
      });
    });
  });

  describe('thinking', () => {
    it.each<[object, object]>([
      [{ thinking: { type: 'enabled', budget_tokens: 200 } }, { reasoning_effort: 'low' }],
      [{ thinking: { type: 'enabled', budget_tokens: 500 } }, { reasoning_effort: 'medium' }],
      [{ thinking: { type: 'enabled', budget_tokens: 900 } }, { reasoning_effort: 'high' }],
      [{ thinking: { type: 'adaptive' } }, { reasoning_effort: 'high' }],
      [
        { thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
        { reasoning_effort: 'medium' },
      ],
      [{ output_config: { effort: 'max' } }, { reasoning_effort: 'max' }],
    ])('%j becomes %j', (fields, expected) => {
      expect(bodyOf(fields)).toMatchObject(expected);
    });

    it('that is disabled asks for none, and leaves the effort out', () => {
      const { chat } = convert({ thinking: { type: 'disabled' }, output_config: { effort: 'low' } });
      expect(chat.body.reasoning_effort).toBe('none');
      expect(chat.warnings).toEqual([expect.stringContaining('output_config.effort was left out')]);
    });

    it('is shown when it was asked for and not omitted', () => {
      expect(convert({}).showsThinking).toBe(false);
      expect(convert({ thinking: { type: 'adaptive' } }).showsThinking).toBe(true);
      expect(convert({ thinking: { type: 'adaptive', display: 'omitted' } }).showsThinking).toBe(false);
      expect(convert({ thinking: { type: 'disabled' } }).showsThinking).toBe(false);
    });
  });

  describe('output_config.format', () => {
    const format = (schema: object) => ({ output_config: { format: { type: 'json_schema', schema } } });
    const closed = {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      additionalProperties: false,
    };

    it('is strict where OpenAI can be', () => {
      const { chat } = convert(format(closed));
      expect(chat.body.response_format).toEqual({
        type: 'json_schema',
        json_schema: { name: 'answer', schema: closed, strict: true },
      });
    });

    it.each([
      { ...closed, required: [] },
      { ...closed, additionalProperties: true },
      { ...closed, properties: { a: { type: 'array', items: { type: 'object' } } } },
    ])('is not for %j', (schema) => {
      const { chat } = convert(format(schema));
      expect(chat.body.response_format?.json_schema?.strict).toBe(false);
    });
  });

  it.each<[object, string]>([
    [{ context_management: {} }, 'context_management was left out'],
    [
      { tools: [{ name: 'f', input_schema: {}, input_examples: [{}] }] },
      'input_examples of tools was left out',
    ],
    [{ thinking: { type: 'enabled', budget_tokens: 500 } }, 'budget_tokens was taken as the effort medium'],
  ])('lists what it leaves out of %j', (fields, warning) => {
    expect(warningsOf(fields)).toEqual([expect.stringContaining(warning)]);
  });

  it('lists betas that were asked for', () => {
    const warnings = warningsOf({}, { 'anthropic-beta': 'x-1' });
    expect(warnings).toEqual([expect.stringContaining('anthropic-beta')]);
  });

  it('keeps top_k for the models that take it', () => {
    expect(bodyOf({ top_k: 5 })).toMatchObject({ top_k: 5 });
  });

  const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] });
  const assistant = (...content: object[]) => ({ messages: [{ role: 'assistant', content }] });
  const tools = (tool: object) => ({ tools: [{ name: 'f', input_schema: {}, ...tool }] });

  it.each<[string, object]>([
    ['made_up', { made_up: 1 }],
    ['container', { container: 'c' }],
    ['speed', { speed: 'fast' }],
    ['max_tokens', { max_tokens: undefined }],
    ['max_tokens', { max_tokens: 0 }],
    ['model', { model: '' }],
    ['temperature', { temperature: 1.5 }],
    ['top_p', { top_p: 2 }],
    ['top_k', { top_k: 1.5 }],
    ['stream', { stream: 'yes' }],
    ['stop_sequences', { stop_sequences: 'END' }],
    ['stop_sequences[0]', { stop_sequences: [1] }],
    ['metadata.team', { metadata: { team: 'blue' } }],
    ['service_tier', { service_tier: 'flex' }],
    ['messages', { messages: [] }],
    ['messages', { messages: [HELLO, HELLO, HELLO, HELLO, HELLO] }],
    ['messages', { messages: [{ role: 'user', content: 'x'.repeat(1001) }] }],
    ['messages[0].role', { messages: [{ role: 'tool', content: '' }] }],
    ['messages[0].name', { messages: [{ ...HELLO, name: 'ada' }] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['messages[0].content', { messages: [{ role: 'user', content: [] }] }],
    ['messages[0].content[0].type', user({ type: 'search_result' })],
    ['messages[0].content[0].text', user({ type: 'text' })],
    ['messages[0].content[0].source.type', user({ type: 'image', source: { type: 'file', file_id: 'f' } })],
    [
      'messages[0].content[0].source.media_type',
      user({ type: 'image', source: { type: 'base64', media_type: 'image/tiff', data: 'A' } }),
    ],
    [
      'messages[0].content[0].source.url',
      user({ type: 'image', source: { type: 'url', url: 'file:///etc/passwd' } }),
    ],
    ['messages[0].content[0].tool_use_id', user({ type: 'tool_result' })],
    ['messages[0].content[0].input', assistant({ type: 'tool_use', id: 'a', name: 'f', input: 'x' })],
    ['messages[0].content[0].type', assistant({ type: 'server_tool_use' })],
    ['messages', { messages: [{ role: 'system', content: [] }], system: 'Be brief.' }],
    ['system[0].type', { system: [{ type: 'image' }] }],
    ['tools', { tools: [{}, {}, {}] }],
    ['tools[0].type', tools({ type: 'web_search_20250305' })],
    ['tools[0].name', tools({ name: 'two words' })],
    ['tools[0].input_schema', tools({ input_schema: undefined })],
    ['tools[0].extra', tools({ extra: 1 })],
    ['tool_choice', { tool_choice: { type: 'auto' } }],
    ['tool_choice.name', { ...tools({}), tool_choice: { type: 'tool', name: 'g' } }],
    ['thinking.type', { thinking: { type: 'always' } }],
    ['thinking.budget_tokens', { thinking: { type: 'enabled', budget_tokens: 1000 } }],
    ['output_config.effort', { output_config: { effort: 'huge' } }],
    ['output_config.format.type', { output_config: { format: { type: 'xml' } } }],
    ['output_config.taste', { output_config: { taste: 'good' } }],
  ])('refuses %s in %j', (param, fields) => {
    expect(() => convert(fields)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED', param }));
  });
});
