import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';

const MODEL = 'openai/gpt-4o-mini';

/** An upstream that nobody here wrote, behind the service, in front of it a client that nobody here wrote. */
describe('OpenAI’s dialect against an independent upstream', () => {
  const mock = new LLMock({ port: 0, strict: true });
  let app: TestApp;

  beforeAll(async () => {
    mock.onMessage('say hello', { content: 'Hello from the other side' });
    mock.onMessage('weather', {
      toolCalls: [
        { name: 'get_weather', arguments: '{"city":"Oslo"}' },
        { name: 'get_weather', arguments: '{"city":"Rome"}' },
      ],
    });
    mock.onMessage('fail', {
      error: { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
      status: 429,
    });
    await mock.start();
    app = await startApp({ OPENAI_BASE_URL: `${mock.url}/v1` });
  });

  afterAll(async () => {
    await app.close();
    await mock.stop();
  });

  const ask = (content: string, more: object = {}) =>
    ({
      model: MODEL,
      messages: [{ role: 'user' as const, content }],
      ...more,
    }) as OpenAI.ChatCompletionCreateParamsNonStreaming;

  it('answers a routed request from the upstream', async () => {
    const { data, response } = await app.openai.chat.completions
      .create(ask('say hello', { model: 'auto' }))
      .withResponse();
    expect(data.choices[0]?.message.content).toBe('Hello from the other side');
    expect(response.headers.get('x-lattice-provider')).toBe('openai');
  });

  it('streams', async () => {
    const stream = app.openai.chat.completions.stream({ ...ask('say hello'), stream: true });
    expect((await stream.finalChatCompletion()).choices[0]?.message.content).toBe(
      'Hello from the other side',
    );
  });

  it('returns parallel tool calls, JSON and streamed alike', async () => {
    const tools = {
      tools: [{ type: 'function' as const, function: { name: 'get_weather', parameters: {} } }],
    };
    const json = await app.openai.chat.completions.create(ask('weather', tools));
    const streamed = await app.openai.chat.completions
      .stream({ ...ask('weather', tools), stream: true })
      .finalChatCompletion();
    for (const answer of [json, streamed]) {
      const calls = answer.choices[0]?.message.tool_calls as OpenAI.ChatCompletionMessageFunctionToolCall[];
      expect(calls.map((call) => JSON.parse(call.function.arguments))).toEqual([
        { city: 'Oslo' },
        { city: 'Rome' },
      ]);
    }
  });

  it('raises OpenAI’s RateLimitError for an upstream that stays limited', async () => {
    const failure = await app.openai.chat.completions
      .create(ask('fail'), { headers: { 'x-lattice-fallback': 'none' } })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
    const lines = await app.lines(
      ((failure as InstanceType<typeof OpenAI.APIError>).error as { requestId: string }).requestId,
    );
    expect(lines.map((line) => [line.outcome, line.costUsd])).toEqual(Array(4).fill(['failed', '0']));
  });
});
