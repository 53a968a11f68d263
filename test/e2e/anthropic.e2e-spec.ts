import { LLMock } from '@copilotkit/aimock';
import type OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';

const MODEL = 'claude-haiku-4-5';

/** OpenAI's client in front, Anthropic's dialect behind. */
describe('Anthropic behind OpenAI’s dialect', () => {
  const mock = new LLMock({ port: 0, strict: true });
  let app: TestApp;

  beforeAll(async () => {
    mock.onMessage('say hello', {
      content: 'Hello from Claude',
      usage: { input_tokens: 12, output_tokens: 5 },
    } as never);
    mock.onMessage('weather', { toolCalls: [{ name: 'get_weather', arguments: '{"city":"Oslo"}' }] });
    await mock.start();
    app = await startApp({ ANTHROPIC_BASE_URL: mock.url, ANTHROPIC_API_KEY: 'sk-ant-test' });
  });

  afterAll(async () => {
    await app.close();
    await mock.stop();
  });

  const ask = (content: string, more: object = {}) =>
    ({
      model: MODEL,
      max_tokens: 100,
      messages: [{ role: 'user', content }],
      ...more,
    }) as OpenAI.ChatCompletionCreateParamsNonStreaming;

  it('answers, and books a line of Anthropic’s at a known price', async () => {
    const { data, response } = await app.openai.chat.completions.create(ask('say hello')).withResponse();
    expect(data.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'Hello from Claude' },
    });
    const [line] = await app.lines(response.headers.get('x-lattice-request-id') ?? '');
    expect(line).toMatchObject({ provider: 'anthropic', outcome: 'succeeded', costUsd: expect.any(String) });
  });

  it('streams', async () => {
    const stream = app.openai.chat.completions.stream({ ...ask('say hello'), stream: true });
    expect((await stream.finalChatCompletion()).choices[0]?.message.content).toBe('Hello from Claude');
  });

  it('calls a client’s tool, and takes its result', async () => {
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'get_weather', parameters: { type: 'object', properties: {} } },
      },
    ];
    const first = await app.openai.chat.completions.create(ask('weather', { tools }));
    const message = first.choices[0]?.message;
    const calls = message?.tool_calls as OpenAI.ChatCompletionMessageFunctionToolCall[] | undefined;
    const call = calls?.[0];
    expect(JSON.parse(call?.function.arguments ?? '')).toEqual({ city: 'Oslo' });
    const messages = [
      { role: 'user', content: 'weather' },
      message,
      { role: 'tool', tool_call_id: call?.id, content: 'Rain' },
      { role: 'user', content: 'say hello' },
    ];
    const second = await app.openai.chat.completions.create({ ...ask(''), tools, messages } as never);
    expect((second as OpenAI.ChatCompletion).choices[0]?.message.content).toBe('Hello from Claude');
  });
});
