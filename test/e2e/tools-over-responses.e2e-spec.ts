import type OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';
import { readSse } from '../support/sse';
import { startTruthProvider, totalsOf, type TruthProvider } from '../support/truth-provider/truth-provider';

/** The truth provider refuses their tools over Chat Completions, as OpenAI does. */
const MODELS = ['openai/gpt-6.1-sol', 'azure/gpt-6.1-sol'];
const TOOLS = [
  {
    type: 'function' as const,
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
  },
];
const ASKED: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'Weather in Oslo?' };
const CALL = { name: 'get_weather', arguments: { city: 'Oslo' } };

/** The text beside a call stands behind its thoughts, as it was said. */
const ROUND = ['reasoning', 'assistant', 'function_call', 'function_call_output'];

interface InputItem {
  readonly type?: string;
  readonly role?: string;
  readonly encrypted_content?: string;
}

describe.each(MODELS)('tools of %s', (model) => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      AZURE_BASE_URL: new URL(truth.url).origin,
      AZURE_OPENAI_API_KEY: 'k',
    });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(() => truth.clearScripts());

  const ask = (body: object) =>
    app.call<OpenAI.ChatCompletion>('POST', '/v1/chat/completions', {
      body: { model, max_tokens: 100, ...body },
      headers: { 'x-lattice-fallback': 'none' },
    });
  const kinds = (input: unknown) => (input as InputItem[]).map(({ role, type }) => role ?? type);

  it('are called, and the thoughts behind the call go back with its result', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({ toolCalls: [CALL], toolRounds: 1, answer: 'Rain.', times: 2 });
    const first = await ask({ messages: [ASKED], tools: TOOLS });
    expect(first.status).toBe(200);
    const { message, finish_reason: reason } = first.body.choices[0] ?? {};
    expect(reason).toBe('tool_calls');
    const [call] = message?.tool_calls ?? [];
    expect(call).toMatchObject({
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
    });

    const result = { role: 'tool' as const, tool_call_id: call?.id ?? '', content: 'rain' };
    const second = await ask({ messages: [ASKED, message, result], tools: TOOLS });
    expect(second.body.choices[0]?.message.content).toBe('Rain.');

    const attempts = (await truth.endedAttempts(before + 2)).slice(before);
    expect(attempts.map(({ path }) => path?.split('/').at(-1))).toEqual(['responses', 'responses']);
    const { input } = attempts[1]?.body ?? {};
    expect(kinds(input)).toEqual(['user', ...ROUND]);
    expect((input as InputItem[])[1]?.encrypted_content).toContain(attempts[0]?.id);

    for (const [index, answer] of [first, second].entries()) {
      const lines = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
      const { promptTokens, completionTokens } = attempts[index] ?? {};
      expect(lines).toMatchObject([
        { usageSource: 'provider', promptTokens, completionTokens, disputes: [] },
      ]);
    }
  });

  it.each(['JSON', 'SSE'])('of the server are run, every round booked as charged (%s)', async (kind) => {
    const before = (await truth.attempts()).length;
    await truth.script({
      toolCalls: [{ name: 'current_time', arguments: {} }],
      toolRounds: 2,
      answer: 'It is late.',
      times: 3,
    });
    const body = { messages: [ASKED], lattice: { tools: ['current_time'] } };
    const isStream = kind === 'SSE';
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model,
        ...body,
        ...(isStream ? { stream: true, stream_options: { include_usage: true } } : {}),
      }),
    });
    const usage = isStream
      ? ((await readSse(response)).json.at(-1)?.usage as OpenAI.CompletionUsage)
      : ((await response.json()) as OpenAI.ChatCompletion).usage;
    const attempts = (await truth.endedAttempts(before + 3)).slice(before);
    const bill = totalsOf(attempts);
    expect(usage).toMatchObject({
      prompt_tokens: bill.promptTokens,
      completion_tokens: bill.completionTokens,
    });
    const lines = await app.lines(response.headers.get('x-lattice-request-id') ?? '');
    expect(lines.map((line) => [line.promptTokens, line.completionTokens])).toEqual(
      attempts.map((attempt) => [attempt.promptTokens, attempt.completionTokens]),
    );
    expect(kinds(attempts[2]?.body.input)).toEqual(['user', ...ROUND, ...ROUND]);
  });

  it('of a stream that is cut in the middle of an event end in an error and are booked with a bound', async () => {
    await truth.script({
      answer: 'one two three four five',
      fault: { kind: 'cut', afterChunks: 2, midEvent: true },
    });
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${app.admin.key}`,
        'content-type': 'application/json',
        'x-lattice-fallback': 'none',
      },
      body: JSON.stringify({ model, messages: [ASKED], tools: TOOLS, stream: true, max_tokens: 100 }),
    });
    const { events } = await readSse(response);
    expect(events.join()).toContain('PROVIDER_STREAM_CUT');
    expect(events.join()).not.toContain('[DONE]');
    const [line] = await app.lines(response.headers.get('x-lattice-request-id') ?? '');
    expect(line).toMatchObject({ usageSource: 'upper_bound' });
  });

  it('leave what calls none to Chat Completions', async () => {
    const before = (await truth.attempts()).length;
    expect((await ask({ messages: [ASKED] })).status).toBe(200);
    const [attempt] = (await truth.endedAttempts(before + 1)).slice(before);
    expect(attempt?.path).toMatch(/\/chat\/completions/);
  });
});
