import type { ChatBody, ChatMessage } from '../../../../src/common/index';
import { responsesRequest, usesTools } from '../../../../src/providers/adapters/openai-responses/request';
import type { RecalledThoughts } from '../../../../src/providers/adapters/openai-responses/thoughts';
import { catalogModel } from '../../../support/contract/catalog-model';

const USER: ChatMessage = { role: 'user', content: 'Hi' };
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } } };
const model = catalogModel({ upstreamId: 'gpt-6.1-sol', toolsApi: 'responses' });

function convert(body: Partial<ChatBody>, { isStream = false, called = model } = {}) {
  const call = {
    model: called,
    body: { model: 'gpt-6.1-sol', messages: [USER], ...body },
    signal: new AbortController().signal,
    requestId: 'req_1',
  };
  const { body: sent, warnings } = responsesRequest(call, new Map() as RecalledThoughts, isStream);
  return { sent: JSON.parse(JSON.stringify(sent)) as Record<string, unknown>, warnings };
}

describe(usesTools.name, () => {
  const body = (extra: Partial<ChatBody>): ChatBody => ({ model: 'm', messages: [USER], ...extra });

  it.each<[boolean, string, ChatBody]>([
    [false, 'no tools', body({})],
    [false, 'an empty list', body({ tools: [] })],
    [false, 'tools that are null', { ...body({}), tools: null } as unknown as ChatBody],
    [true, 'a tool', body({ tools: [{ type: 'function', function: { name: 'f' } }] })],
    [true, 'the result of one', body({ messages: [{ role: 'tool', tool_call_id: 'c', content: '' }] })],
    [
      true,
      'the call of one',
      body({
        messages: [
          {
            role: 'assistant',
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
        ],
      }),
    ],
  ])('is %s for %s', (expected, _, asked) => expect(usesTools(asked)).toBe(expected));
});

describe(responsesRequest.name, () => {
  it('stores nothing and asks for encrypted thoughts', () => {
    expect(convert({}).sent).toEqual({
      model: 'gpt-6.1-sol',
      input: [{ role: 'user', content: 'Hi' }],
      store: false,
      include: ['reasoning.encrypted_content'],
    });
  });

  it('asks a model that does not think for no thoughts', () => {
    const called = catalogModel({ supports: { ...model.supports, reasoning: false } });
    expect(convert({}, { called }).sent).not.toHaveProperty('include');
  });

  it.each<[Partial<ChatBody>, object]>([
    [{ max_tokens: 9 }, { max_output_tokens: 9 }],
    [{ max_completion_tokens: 9 }, { max_output_tokens: 9 }],
    [{ reasoning_effort: 'high' }, { reasoning: { effort: 'high' } }],
    [{ verbosity: 'low' }, { text: { verbosity: 'low' } }],
    [{ response_format: { type: 'json_object' } }, { text: { format: { type: 'json_object' } } }],
    [
      {
        verbosity: 'high',
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'place', description: 'Where', strict: true, schema: PARAMETERS },
        },
      },
      {
        text: {
          verbosity: 'high',
          format: {
            type: 'json_schema',
            name: 'place',
            description: 'Where',
            strict: true,
            schema: PARAMETERS,
          },
        },
      },
    ],
    [{ store: true }, { store: true }],
    [
      { logprobs: true, top_logprobs: 3 },
      { include: ['reasoning.encrypted_content', 'message.output_text.logprobs'], top_logprobs: 3 },
    ],
    [{ tool_choice: 'required' }, { tool_choice: 'required' }],
    [
      { tool_choice: { type: 'function', function: { name: 'f' } } },
      { tool_choice: { type: 'function', name: 'f' } },
    ],
    [
      { tool_choice: { type: 'custom', custom: { name: 'c' } } },
      { tool_choice: { type: 'custom', name: 'c' } },
    ],
    [
      {
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      },
      { tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] } },
    ],
  ])('converts %j', (body, expected) => {
    const { sent, warnings } = convert(body);
    expect(sent).toMatchObject(expected);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['parallel_tool_calls', false],
    ['metadata', { team: 'a' }],
    ['user', 'u-1'],
    ['safety_identifier', 's-1'],
    ['service_tier', 'flex'],
    ['prompt_cache_key', 'k-1'],
    ['prompt_cache_retention', '24h'],
    ['prompt_cache_options', { mode: 'explicit' }],
    ['temperature', 0.5],
    ['top_p', 0.5],
    ['a_field_of_next_year', { on: true }],
  ])('passes %s on as it stands', (field, value) => {
    const { sent, warnings } = convert({ [field]: value });
    expect(sent[field]).toEqual(value);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['n', 2],
    ['stop', ['END']],
    ['seed', 7],
    ['presence_penalty', 1],
    ['logit_bias', { 1: 2 }],
    // What the account has stored is not the caller's.
    ['previous_response_id', 'resp_1'],
    ['conversation', 'conv_1'],
    ['prompt', { id: 'pmpt_1' }],
    ['background', true],
    ['include', ['file_search_call.results']],
  ])('leaves %s out and says so', (field, value) => {
    const { sent, warnings } = convert({ [field]: value });
    expect(JSON.stringify(sent)).toBe(JSON.stringify(convert({}).sent));
    expect(warnings).toEqual([`${field} is not supported by ${model.id} with tools and was left out`]);
  });

  it.each([{ n: 1 }, { stop: null }, { presence_penalty: 0 }, { logit_bias: {} }, { modalities: ['text'] }])(
    'says nothing of %j, which asks for nothing',
    (body) => expect(convert(body).warnings).toEqual([]),
  );

  it('streams without asking for what comes anyway', () => {
    const options = { include_usage: true, include_obfuscation: false };
    expect(convert({ stream: true, stream_options: options }, { isStream: true }).sent).toMatchObject({
      stream: true,
      stream_options: { include_obfuscation: false },
    });
    expect(convert({ stream_options: { include_usage: true } }).sent).not.toHaveProperty('stream_options');
  });

  describe('tools', () => {
    it.each([undefined, true, false])('keep strict %s as the chat API understands it', (strict) => {
      const tool = {
        type: 'function',
        function: { name: 'f', description: 'F', parameters: PARAMETERS, strict },
      };
      expect(convert({ tools: [tool] }).sent.tools).toEqual([
        { type: 'function', name: 'f', description: 'F', parameters: PARAMETERS, strict: strict ?? false },
      ]);
    });

    it('without parameters take none', () => {
      expect(convert({ tools: [{ type: 'function', function: { name: 'f' } }] }).sent.tools).toEqual([
        { type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: false },
      ]);
    });

    it('of the custom kind keep their grammar', () => {
      const grammar = { syntax: 'lark', definition: 'start: "a"' };
      const custom = { name: 'c', description: 'C', format: { type: 'grammar', grammar } };
      expect(convert({ tools: [{ type: 'custom', custom }] }).sent.tools).toEqual([
        { type: 'custom', name: 'c', description: 'C', format: { type: 'grammar', ...grammar } },
      ]);
    });

    it('that the provider would run itself are refused', () => {
      expect(() => convert({ tools: [{ type: 'web_search' }] })).toThrow(
        'tools[0].type: must be function or custom',
      );
    });
  });

  describe('messages', () => {
    const input = (...messages: ChatMessage[]) => convert({ messages }).sent.input;

    it('keep roles, images with their detail, and files', () => {
      const url = 'data:image/png;base64,AA==';
      expect(
        input(
          { role: 'system', content: 'Be brief' },
          { role: 'developer', content: [{ type: 'text', text: 'Be kind' }] },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image_url', image_url: { url, detail: 'high' } },
              { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
              { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
            ],
          },
        ),
      ).toEqual([
        { role: 'system', content: 'Be brief' },
        { role: 'developer', content: [{ type: 'input_text', text: 'Be kind' }] },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_image', image_url: url, detail: 'high' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
            { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          ],
        },
      ]);
    });

    it('keep what was said, refused and called', () => {
      const calls = [
        { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } },
        { id: 'c2', type: 'custom', custom: { name: 'c', input: 'go' } },
      ] as unknown as ChatMessage['tool_calls'];
      expect(
        input(
          { role: 'assistant', content: 'So' },
          { role: 'assistant', content: [{ type: 'text', text: 'So' }], refusal: 'No' },
          { role: 'assistant', content: '', tool_calls: calls },
          { role: 'tool', tool_call_id: 'c1', name: 'f', content: [{ type: 'text', text: 'done' }] },
          { role: 'tool', tool_call_id: 'c2', content: 'gone' },
        ),
      ).toEqual([
        { role: 'assistant', content: 'So' },
        {
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'So' },
            { type: 'refusal', refusal: 'No' },
          ],
        },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'c', input: 'go' },
        { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'done' }] },
        { type: 'custom_tool_call_output', call_id: 'c2', output: 'gone' },
      ]);
    });

    it('lose their names with a warning, and nothing else in silence', () => {
      const { sent, warnings } = convert({
        messages: [
          { ...USER, name: 'Ann' },
          { role: 'assistant', content: 'So', reasoning_content: 'Hm', annotations: [], audio: null },
        ],
      });
      expect(sent.input).toEqual([
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'So' },
      ]);
      expect(warnings).toEqual([
        `messages[].name is not supported by ${model.id} with tools and was left out`,
      ]);
    });

    it('of functions, which came before tools, are refused', () => {
      expect(() => input({ role: 'function', name: 'f', content: '' })).toThrow('messages[0].role');
    });
  });
});
