import type OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';
import { readSse } from '../support/sse';
import { startTruthProvider, totalsOf, type TruthProvider } from '../support/truth-provider/truth-provider';
import { ToolRegistry } from '../../src/tools/index';

const MODEL = 'openai/gpt-4o-mini';
const user = (content: string) => ({ role: 'user' as const, content });

describe('the tool loop', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url, MAX_FUNCTION_CALLS: '100', TOOL_TIMEOUT_MS: '200' });
    const tools = app.app.get(ToolRegistry);
    const parameters = { type: 'object', properties: {} };
    tools.register({
      name: 'broken',
      description: 'Always fails',
      parameters,
      run: () => Promise.reject(new Error('the disk is full')),
    });
    tools.register({
      name: 'endless',
      description: 'Never ends',
      parameters,
      run: () => new Promise(() => undefined),
    });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(() => truth.clearScripts());

  const chat = (body: object, lattice: object = { tools: ['current_time'] }) =>
    app.call<OpenAI.ChatCompletion>('POST', '/v1/chat/completions', {
      body: { model: MODEL, messages: [user('go')], lattice, ...body },
    });

  describe.each([0, 1, 2, 3, 5, 100])('over %i rounds', (rounds) => {
    it.each(['JSON', 'SSE'])('books every attempt exactly and shows their sum (%s)', async (kind) => {
      const before = (await truth.attempts()).length;
      await truth.script({
        times: 'always',
        toolRounds: rounds,
        toolCalls: rounds === 0 ? undefined : [{ name: 'current_time', arguments: {} }],
        answer: 'It is late.',
      });
      const isStream = kind === 'SSE';
      const response = await fetch(`${app.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: MODEL,
          messages: [user('What time is it?')],
          lattice: { tools: ['current_time'] },
          ...(isStream ? { stream: true, stream_options: { include_usage: true } } : {}),
        }),
      });
      const requestId = response.headers.get('x-lattice-request-id') ?? '';
      const usage = isStream
        ? ((await readSse(response)).json.at(-1)?.usage as OpenAI.CompletionUsage)
        : ((await response.json()) as OpenAI.ChatCompletion).usage;
      const attempts = (await truth.endedAttempts(before + rounds + 1)).slice(before);
      const lines = await app.lines(requestId);
      const bill = totalsOf(attempts);
      expect(attempts).toHaveLength(rounds + 1);
      expect(lines.map((line) => [line.attempt, line.promptTokens, line.completionTokens])).toEqual(
        attempts.map((attempt, index) => [index + 1, attempt.promptTokens, attempt.completionTokens]),
      );
      expect(usage).toMatchObject({
        prompt_tokens: bill.promptTokens,
        completion_tokens: bill.completionTokens,
        total_tokens: bill.promptTokens + bill.completionTokens,
      });
    });
  });

  it('gives the model each result under its call’s id', async () => {
    await truth.script({
      times: 'always',
      toolRounds: 1,
      toolCalls: [
        { name: 'current_time', id: 'call_a', arguments: { timezone: 'Asia/Tokyo' } },
        { name: 'current_time', id: 'call_b', arguments: { timezone: 'Nowhere/Land' } },
      ],
    });
    expect((await chat({})).status).toBe(200);
    const messages = (await truth.attempts()).at(-1)?.body.messages as Record<string, unknown>[];
    expect(messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: 'call_a' }, { id: 'call_b' }] },
      { role: 'tool', tool_call_id: 'call_a', content: expect.stringContaining('Asia/Tokyo') },
      { role: 'tool', tool_call_id: 'call_b', content: expect.stringMatching(/^Error/) },
    ]);
  });

  it.each([
    ['that fails', 'broken', /^Error.*the disk is full/],
    ['that takes too long', 'endless', /^Error.*200 ms/],
    ['nobody knows', 'does_not_exist', /^Error.*does_not_exist/],
  ])('tells the model about a tool %s and goes on', async (_, name, expected) => {
    await truth.script({ times: 'always', toolRounds: 1, toolCalls: [{ name }], answer: 'I could not.' });
    const answer = await chat({}, { tools: ['current_time', 'broken', 'endless'] });
    expect(answer.body.choices[0]?.message.content).toBe('I could not.');
    const messages = (await truth.attempts()).at(-1)?.body.messages as { role: string; content: string }[];
    expect(messages.at(-1)).toMatchObject({ role: 'tool', content: expect.stringMatching(expected) });
  });

  it('ends when the same tool fails twice in a row, with the last answer as it is', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({ times: 'always', toolCalls: [{ name: 'broken' }] });
    const answer = await chat({}, { tools: ['broken'] });
    expect(answer.headers.get('x-lattice-stop')).toBe('tool_failed');
    expect(answer.body.choices[0]?.message.tool_calls).toHaveLength(1);
    expect((await truth.attempts()).length - before).toBe(2);
  });

  it('ends after MAX_FUNCTION_CALLS rounds with the summed usage', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({ times: 'always', toolCalls: [{ name: 'current_time' }] });
    const answer = await chat({});
    const attempts = (await truth.attempts()).slice(before);
    expect(answer.headers.get('x-lattice-stop')).toBe('max_function_calls');
    expect(attempts).toHaveLength(101);
    expect(answer.body.usage?.total_tokens).toBe(
      totalsOf(attempts).promptTokens + totalsOf(attempts).completionTokens,
    );
  });

  it('returns only the client’s calls of a mixed round, and puts it back as the model made it when the client goes on', async () => {
    await truth.script({
      toolCalls: [
        { name: 'mine', id: 'call_client' },
        { name: 'current_time', id: 'call_server' },
        { name: 'mine', id: 'call_other' },
      ],
    });
    const tools = [{ type: 'function', function: { name: 'mine' } }];
    const first = await chat({ tools });
    const message = first.body.choices[0]?.message;
    const [id, other] = message?.tool_calls?.map((call) => call.id) ?? [];
    expect(message?.tool_calls).toHaveLength(2);
    await chat({
      tools,
      messages: [
        user('go'),
        message,
        { role: 'tool', tool_call_id: other, content: 'also done' },
        { role: 'tool', tool_call_id: id, content: 'done' },
      ],
    });
    const messages = (await truth.attempts()).at(-1)?.body.messages as Record<string, unknown>[];
    expect(messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id: 'call_client' }, { id: 'call_server' }, { id: 'call_other' }] },
      { role: 'tool', tool_call_id: 'call_server', content: expect.stringContaining('T') },
      { role: 'tool', tool_call_id: 'call_other', content: 'also done' },
      { role: 'tool', tool_call_id: 'call_client', content: 'done' },
    ]);
  });

  it('sends the client’s calls of a stream that ends without a finish reason', async () => {
    // Nothing is said of a finish: only [DONE] ends the answer.
    await truth.script({
      finishReason: '',
      toolCalls: [{ name: 'mine', id: 'call_client', arguments: { of: 'me' } }],
    });
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: MODEL,
        messages: [user('go')],
        tools: [{ type: 'function', function: { name: 'mine' } }],
        stream: true,
        stream_options: { include_usage: true },
        lattice: { tools: ['current_time'] },
      }),
    });
    const { json, isDone } = await readSse(response);
    expect(isDone).toBe(true);
    const named = { id: expect.stringMatching(/^chatcmpl-/), object: 'chat.completion.chunk' };
    expect(json.at(-2)).toMatchObject({
      ...named,
      choices: [
        {
          delta: {
            tool_calls: [{ id: 'call_client', function: { name: 'mine', arguments: '{"of":"me"}' } }],
          },
        },
      ],
    });
    expect(json.at(-1)).toMatchObject({ ...named, choices: [], usage: { total_tokens: expect.any(Number) } });
  });

  it('keeps one owner’s calls from another', async () => {
    await truth.script({
      toolCalls: [
        { name: 'current_time', id: 'call_private' },
        { name: 'mine', id: 'call_shared' },
      ],
    });
    const tools = [{ type: 'function', function: { name: 'mine' } }];
    const message = (await chat({ tools })).body.choices[0]?.message;
    const id = message?.tool_calls?.[0]?.id;
    const other = await app.register();
    await app.call('POST', '/v1/chat/completions', {
      credential: other.key,
      body: {
        model: MODEL,
        tools,
        lattice: { tools: ['current_time'] },
        messages: [user('go'), message, { role: 'tool', tool_call_id: id, content: 'x' }],
      },
    });
    expect(JSON.stringify((await truth.attempts()).at(-1)?.body)).not.toContain('call_private');
  });

  it('streams the text of every round and none of the server’s calls', async () => {
    await truth.script(
      { answer: 'Let me see. ', toolCalls: [{ name: 'current_time' }] },
      { answer: 'All done.' },
    );
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: MODEL,
        messages: [user('go')],
        stream: true,
        lattice: { tools: ['current_time'] },
      }),
    });
    const answer = await readSse(response);
    expect(answer.isDone).toBe(true);
    expect(answer.events.join()).not.toContain('tool_calls');
    const text = answer.json.map(
      (chunk) => (chunk.choices as { delta: { content?: string } }[])[0]?.delta.content ?? '',
    );
    expect(text.join('')).toBe('Let me see. All done.');
  });

  it('lets the model choose after a forced round, so that it can answer', async () => {
    await truth.script({ toolCalls: [{ name: 'current_time' }] }, { answer: 'Late.' });
    await chat({ tool_choice: 'required' });
    const choices = (await truth.attempts()).slice(-2).map((attempt) => attempt.body.tool_choice);
    expect(choices).toEqual(['required', 'auto']);
  });

  it('refuses a tool that does not exist, naming those that do', async () => {
    const answer = await chat({}, { tools: ['nope'] });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error: { param: 'lattice.tools[0]', message: expect.stringContaining('current_time') },
    });
  });

  it('refuses server-side tools together with n > 1', async () => {
    expect((await chat({ n: 2 })).body).toMatchObject({ error: { param: 'n' } });
  });
});
