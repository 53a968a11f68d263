import { parseChatRequest } from '../../../src/gateway/chat-body';

const LIMITS = { maxMessages: 4, maxTools: 2, maxPromptChars: 100 };
const USER = { role: 'user', content: 'Hi' };
const parse = (body: unknown, headers = {}) => parseChatRequest(body, headers, 10, LIMITS);

describe('parseChatRequest', () => {
  it('keeps unknown fields and takes out its own', () => {
    const { body, options } = parse({
      model: 'auto',
      messages: [{ ...USER, name: 'ada', custom: 1 }],
      logit_bias: { 1: 2 },
      custom_field: { deep: [1] },
      lattice: { tools: ['current_time'], taskType: 'MATH' },
      models: ['openai/a'],
    });
    expect(body).toEqual({
      model: 'auto',
      messages: [{ ...USER, name: 'ada', custom: 1 }],
      logit_bias: { 1: 2 },
      custom_field: { deep: [1] },
    });
    expect(options).toEqual({
      tools: ['current_time'],
      taskType: 'MATH',
      fallback: undefined,
      models: ['openai/a'],
    });
  });

  it('lets a header win over the body', () => {
    const headers = { 'x-lattice-fallback': 'none', 'x-lattice-task-type': 'MATH' };
    const body = { model: 'auto', messages: [USER], lattice: { fallback: 'any', taskType: 'GENERAL' } };
    expect(parse(body, headers).options).toMatchObject({ fallback: 'none', taskType: 'MATH' });
  });

  it('reads what an answer is worth, the header before the body', () => {
    const body = { model: 'auto', messages: [USER], lattice: { answerWorthUsd: 0.5 } };
    expect(parse(body).options.answerWorthUsd).toBe(0.5);
    expect(parse(body, { 'x-lattice-answer-worth': '0.02' }).options.answerWorthUsd).toBe(0.02);
    expect(() => parse(body, { 'x-lattice-answer-worth': '-1' })).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', param: 'x-lattice-answer-worth' }),
    );
  });

  it.each(['0.9', '.9', '1', '0.90'])('reads the quality target %s of the header, which wins', (header) => {
    const body = { model: 'auto', messages: [USER], lattice: { quality: 0.5 } };
    expect(parse(body).options.quality).toBe(0.5);
    expect(parse(body, { 'x-lattice-quality': header }).options.quality).toBe(Number(header));
  });

  it.each(['', ' ', '0', '1.1', '-1', '1e-3', '0x1', 'NaN', 'high'])(
    'refuses the quality target "%s" of the header, naming it',
    (header) => {
      expect(() => parse({ model: 'auto', messages: [USER] }, { 'x-lattice-quality': header })).toThrow(
        expect.objectContaining({ code: 'VALIDATION_FAILED', param: 'x-lattice-quality' }),
      );
    },
  );

  it.each<[string, unknown]>([
    ['body', null],
    ['body', []],
    ['model', { messages: [USER] }],
    ['model', { model: 3, messages: [USER] }],
    ['messages', { model: 'auto' }],
    ['messages', { model: 'auto', messages: [] }],
    ['messages', { model: 'auto', messages: [USER, USER, USER, USER, USER] }],
    ['messages', { model: 'auto', messages: [{ role: 'user', content: 'x'.repeat(101) }] }],
    ['messages[0]', { model: 'auto', messages: ['hi'] }],
    ['messages[1].role', { model: 'auto', messages: [USER, { role: 'robot', content: '' }] }],
    ['messages[0].content', { model: 'auto', messages: [{ role: 'user' }] }],
    ['messages[0].content', { model: 'auto', messages: [{ role: 'user', content: 7 }] }],
    ['messages[0].content[0].type', { model: 'auto', messages: [{ role: 'user', content: [{}] }] }],
    [
      'messages[0].content[0].text',
      { model: 'auto', messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    ],
    [
      'messages[0].content[0].image_url.url',
      {
        model: 'auto',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc' } }] }],
      },
    ],
    ['messages[0].tool_call_id', { model: 'auto', messages: [{ role: 'tool', content: 'x' }] }],
    ['messages[0].tool_calls', { model: 'auto', messages: [{ role: 'assistant', tool_calls: {} }] }],
    ['messages[0].tool_calls[0].id', { model: 'auto', messages: [{ role: 'assistant', tool_calls: [{}] }] }],
    [
      'messages[0].tool_calls[0].function.arguments',
      {
        model: 'auto',
        messages: [
          { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f' } }] },
        ],
      },
    ],
    ['temperature', { model: 'auto', messages: [USER], temperature: 2.1 }],
    ['top_p', { model: 'auto', messages: [USER], top_p: '1' }],
    ['n', { model: 'auto', messages: [USER], n: 0 }],
    ['max_tokens', { model: 'auto', messages: [USER], max_tokens: 1.5 }],
    ['max_completion_tokens', { model: 'auto', messages: [USER], max_completion_tokens: -1 }],
    ['stream', { model: 'auto', messages: [USER], stream: 'yes' }],
    ['user', { model: 'auto', messages: [USER], user: 7 }],
    ['safety_identifier', { model: 'auto', messages: [USER], safety_identifier: {} }],
    ['stream_options', { model: 'auto', messages: [USER], stream_options: { include_usage: true } }],
    ['stop', { model: 'auto', messages: [USER], stop: [1] }],
    ['tools', { model: 'auto', messages: [USER], tools: {} }],
    ['tools', { model: 'auto', messages: [USER], tools: [1, 2, 3] }],
    ['tools[0].type', { model: 'auto', messages: [USER], tools: [{}] }],
    [
      'tools[0].function.name',
      { model: 'auto', messages: [USER], tools: [{ type: 'function', function: { name: 'a b' } }] },
    ],
    ['response_format.type', { model: 'auto', messages: [USER], response_format: { type: 'xml' } }],
    [
      'response_format.json_schema',
      { model: 'auto', messages: [USER], response_format: { type: 'json_schema' } },
    ],
    ['lattice', { model: 'auto', messages: [USER], lattice: 'x' }],
    ['lattice.owner', { model: 'auto', messages: [USER], lattice: { owner: 'me' } }],
    ['lattice.tools', { model: 'auto', messages: [USER], lattice: { tools: 'x' } }],
    ['lattice.fallback', { model: 'auto', messages: [USER], lattice: { fallback: 'sometimes' } }],
    ['models', { model: 'auto', messages: [USER], models: [1] }],
    ...[0, -0.1, 1e7, '0.9', null, Number.NaN].map((answerWorthUsd): [string, unknown] => [
      'lattice.answerWorthUsd',
      { model: 'auto', messages: [USER], lattice: { answerWorthUsd } },
    ]),
    ...[0, -0.1, 1.01, '0.9', null, Number.NaN].map((quality): [string, unknown] => [
      'lattice.quality',
      { model: 'auto', messages: [USER], lattice: { quality } },
    ]),
  ])('refuses a wrong %s, naming it', (param, body) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED', param }));
  });

  it('bounds the size of what goes on: what was received and what grows, or what is measured', () => {
    const text = `{"model":"auto","messages":[${JSON.stringify(USER)}],"x":[${'1e20,'.repeat(99)}1e20]}`;
    const parsed = (bytes?: number) => parseChatRequest(JSON.parse(text), {}, bytes, LIMITS);
    const sent = Buffer.byteLength(JSON.stringify(parsed().body));
    expect(sent).toBeGreaterThan(text.length + 1_500);
    expect(parsed().bodyBytes).toBe(sent);
    expect(parsed(text.length).bodyBytes).toBeGreaterThanOrEqual(sent);
    expect(parsed(text.length).bodyBytes).toBeLessThan(sent + 200);
  });

  it('takes null where OpenAI’s clients send it', () => {
    const body = {
      model: 'auto',
      messages: [USER],
      temperature: null,
      stop: null,
      tools: null,
      stream: null,
      stream_options: null,
    };
    expect(() => parse(body)).not.toThrow();
  });
});
