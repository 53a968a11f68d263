import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { readSse } from '../support/sse';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const PINNED = 'openai/gpt-4o-mini';
/** A model that the administrator's file gives 100 ms between two chunks. */
const IMPATIENT = 'openai/gpt-4o';
const HELLO = [{ role: 'user' as const, content: 'Hello there' }];

describe('POST /v1/chat/completions', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let configDir: string;

  beforeAll(async () => {
    truth = await startTruthProvider();
    configDir = mkdtempSync(path.join(tmpdir(), 'lattice-config-'));
    mkdirSync(path.join(configDir, 'catalog'));
    writeFileSync(
      path.join(configDir, 'catalog', 'mine.yaml'),
      `models:\n  - id: ${IMPATIENT}\n    timeouts: { idleMs: 100 }\n`,
    );
    app = await startApp({ OPENAI_BASE_URL: truth.url, LATTICE_CONFIG_DIR: configDir });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
    rmSync(configDir, { recursive: true, force: true });
  });

  afterEach(() => truth.clearScripts());

  describe('JSON', () => {
    it('routes model "auto", answers through OpenAI’s client and books what the provider charged', async () => {
      const before = (await truth.attempts()).length;
      const { data, response } = await app.openai.chat.completions
        .create({ model: 'auto', messages: HELLO, max_tokens: 50 })
        .withResponse();
      const attempts = (await truth.endedAttempts(before + 1)).slice(before);
      expect(attempts).toHaveLength(1);
      expect(data.choices[0]?.message.content).toBeTruthy();
      expect(response.headers.get('x-lattice-model')).toBe(`openai/${attempts[0]?.model}`);
      expect(response.headers.get('x-lattice-decision-id')).toMatch(/^dec_/);
      const [line, ...rest] = await app.lines(response.headers.get('x-lattice-request-id') ?? '');
      expect(rest).toEqual([]);
      expect(line).toMatchObject({
        attempt: 1,
        provider: 'openai',
        outcome: 'succeeded',
        usageSource: 'provider',
        promptTokens: attempts[0]?.promptTokens,
        completionTokens: attempts[0]?.completionTokens,
        costUsd: response.headers.get('x-lattice-cost-usd'),
        disputes: [],
      });
    });

    it('sends a pinned request on as it came, unknown fields included', async () => {
      const sent = {
        model: PINNED,
        messages: [{ role: 'user', content: 'Hi', name: 'ada' }],
        temperature: 0.3,
        top_p: 0.9,
        seed: 7,
        stop: ['END'],
        logprobs: true,
        top_logprobs: 2,
        logit_bias: { '50256': -100 },
        user: 'u-1',
        metadata: { team: 'blue' },
        made_up_field: { nested: [1, 'zwei', null] },
        max_tokens: 33,
      };
      const before = (await truth.attempts()).length;
      const answer = await app.call('POST', '/v1/chat/completions', { body: sent });
      expect(answer.status).toBe(200);
      const received = (await truth.endedAttempts(before + 1)).at(-1)?.body;
      expect(received).toEqual({ ...sent, model: 'gpt-4o-mini' });
    });

    it('gives n choices', async () => {
      const answer = await app.openai.chat.completions.create({ model: PINNED, messages: HELLO, n: 3 });
      expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    });

    it('passes JSON-schema requests on and the answer back', async () => {
      await truth.script({ model: 'gpt-4o-mini', answer: '{"city":"Oslo"}' });
      const answer = await app.openai.chat.completions.create({
        model: PINNED,
        messages: HELLO,
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
      });
      expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ city: 'Oslo' });
      expect((await truth.attempts()).at(-1)?.body).toMatchObject({
        response_format: { type: 'json_schema' },
      });
    });

    it('returns a client’s own tool calls untouched', async () => {
      await truth.script({
        toolCalls: [{ name: 'get_weather', arguments: { city: 'Oslo' } }, { name: 'get_time' }],
      });
      const answer = await app.openai.chat.completions.create({
        model: PINNED,
        messages: HELLO,
        tools: ['get_weather', 'get_time'].map((name) => ({ type: 'function', function: { name } })),
      });
      const calls = answer.choices[0]?.message.tool_calls as OpenAI.ChatCompletionMessageFunctionToolCall[];
      expect(calls.map((call) => call.function.name)).toEqual(['get_weather', 'get_time']);
      expect(JSON.parse(calls[0]?.function.arguments ?? '')).toEqual({ city: 'Oslo' });
    });

    it('gives a tool call without an id one', async () => {
      await truth.script({ toolCalls: [{ name: 'f', id: null }] });
      const answer = await app.openai.chat.completions.create({
        model: PINNED,
        messages: HELLO,
        tools: [{ type: 'function', function: { name: 'f' } }],
      });
      expect(answer.choices[0]?.message.tool_calls?.[0]?.id).toMatch(/^call_/);
    });

    it('works with curl', async () => {
      const { stdout } = await promisify(execFile)('curl', [
        '-sS',
        `${app.url}/v1/chat/completions`,
        '-H',
        `authorization: Bearer ${app.admin.key}`,
        '-H',
        'content-type: application/json',
        '-d',
        JSON.stringify({ model: 'auto', messages: HELLO }),
      ]);
      expect(JSON.parse(stdout)).toMatchObject({
        object: 'chat.completion',
        choices: [{ finish_reason: 'stop' }],
      });
    });

    it('takes the key as x-api-key too', async () => {
      const answer = await app.call('POST', '/v1/chat/completions', {
        body: { model: PINNED, messages: HELLO },
        credential: null,
        headers: { 'x-api-key': app.admin.key },
      });
      expect(answer.status).toBe(200);
    });

    it('echoes the caller’s request id and has one of its own', async () => {
      const answer = await app.call('POST', '/v1/chat/completions', {
        body: { model: PINNED, messages: HELLO },
        headers: { 'x-request-id': 'mine-1' },
      });
      expect(answer.headers.get('x-request-id')).toBe('mine-1');
      expect(answer.headers.get('x-lattice-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    });

    it('warns of a deprecated model and names its successor', async () => {
      const answer = await app.call('POST', '/v1/chat/completions', {
        body: { model: 'gpt-4', messages: HELLO },
      });
      expect(answer.headers.get('x-lattice-warnings')).toMatch(/gpt-4.*(deprecated|retired).*openai\//i);
    });
  });

  describe('SSE', () => {
    const stream = async (body: object, headers: Record<string, string> = {}) =>
      readSse(
        await fetch(`${app.url}/v1/chat/completions`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${app.admin.key}`,
            'content-type': 'application/json',
            ...headers,
          },
          body: JSON.stringify({ model: PINNED, messages: HELLO, stream: true, ...body }),
        }),
      );

    it('streams through OpenAI’s client', async () => {
      await truth.script({ answer: 'one two three', chunks: 3 });
      let text = '';
      for await (const chunk of await app.openai.chat.completions.create({
        model: 'auto',
        messages: HELLO,
        stream: true,
      })) {
        text += chunk.choices[0]?.delta.content ?? '';
      }
      expect(text).toBe('one two three');
    });

    it('tells cost and model in its last chunk and books the provider’s figures', async () => {
      const before = (await truth.attempts()).length;
      const answer = await stream({});
      expect(answer.isDone).toBe(true);
      expect(answer.headers.get('content-type')).toContain('text/event-stream');
      expect(answer.headers.get('x-lattice-model')).toBe(PINNED);
      const [attempt] = (await truth.endedAttempts(before + 1)).slice(before);
      const [line] = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
      expect(line).toMatchObject({
        promptTokens: attempt?.promptTokens,
        completionTokens: attempt?.completionTokens,
      });
      expect(answer.json.at(-1)).toMatchObject({
        lattice: { model: PINNED, costUsd: line?.costUsd, attempts: 1 },
      });
    });

    it('shows usage only when it was asked for', async () => {
      const [plain, asked] = [await stream({}), await stream({ stream_options: { include_usage: true } })];
      expect(plain.json.filter((chunk) => chunk.usage)).toEqual([]);
      expect(plain.json.every((chunk) => (chunk.choices as unknown[]).length > 0)).toBe(true);
      expect(asked.json.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    });

    it('streams tool calls', async () => {
      await truth.script({ toolCalls: [{ name: 'f', arguments: { x: 1 } }] });
      const runner = app.openai.chat.completions.stream({
        model: PINNED,
        messages: HELLO,
        tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      });
      const answer = await runner.finalChatCompletion();
      const calls = answer.choices[0]?.message.tool_calls as
        OpenAI.ChatCompletionMessageFunctionToolCall[] | undefined;
      const call = calls?.[0];
      expect([call?.function.name, JSON.parse(call?.function.arguments ?? '')]).toEqual(['f', { x: 1 }]);
    });

    it('skips a malformed line of the upstream and goes on', async () => {
      await truth.script({ answer: 'one two', chunks: 2, fault: { kind: 'malformed', afterChunks: 1 } });
      const answer = await stream({});
      expect(answer.isDone).toBe(true);
      const text = answer.json.map(
        (chunk) => (chunk.choices as { delta: { content?: string } }[])[0]?.delta.content ?? '',
      );
      expect(text.join('')).toBe('one two');
    });

    it.each<[string, object]>([
      ['the upstream cuts it', { kind: 'cut', afterChunks: 2 }],
      ['the upstream cuts it inside an event', { kind: 'cut', afterChunks: 1, midEvent: true }],
      ['the upstream ends it cleanly but early', { kind: 'clean-eof', afterChunks: 2 }],
      ['the upstream sends an error event', { kind: 'error-frame', afterChunks: 2 }],
    ])('ends in an error event and never in [DONE] when %s, and is billed', async (_, fault) => {
      const before = (await truth.attempts()).length;
      await truth.script({ answer: 'one two three four', chunks: 4, fault: fault as never });
      const answer = await stream({ max_tokens: 50 });
      expect(answer.isDone).toBe(false);
      expect(answer.json.at(-1)).toMatchObject({
        error: { message: expect.any(String), code: expect.any(String) },
      });
      const [attempt] = (await truth.endedAttempts(before + 1)).slice(before);
      const [line, ...rest] = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
      expect(rest).toEqual([]);
      expect(line?.usageSource).toBe('upper_bound');
      expect(line?.promptTokens).toBeGreaterThanOrEqual(attempt?.promptTokens ?? Infinity);
      expect(line?.completionTokens).toBeGreaterThanOrEqual(attempt?.completionTokens ?? Infinity);
      expect(Number(line?.costUsd)).toBeGreaterThan(0);
    });

    it('detects a stream that stalls', async () => {
      await truth.script({ answer: 'one two three', chunks: 3, fault: { kind: 'stall', afterChunks: 1 } });
      const answer = await stream({ model: IMPATIENT });
      expect([answer.isDone, answer.json.at(-1)]).toEqual([
        false,
        { error: expect.objectContaining({ code: 'PROVIDER_TIMEOUT' }) },
      ]);
    });

    it('raises OpenAI’s own error class for a stream that breaks', async () => {
      await truth.script({ answer: 'one two three', chunks: 3, fault: { kind: 'cut', afterChunks: 1 } });
      const read = async () => {
        for await (const _ of await app.openai.chat.completions.create({
          model: PINNED,
          messages: HELLO,
          stream: true,
        }));
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
    });

    it('aborts the upstream when the client hangs up, and bills it', async () => {
      const before = (await truth.attempts()).length;
      await truth.script({ fault: { kind: 'endless' }, chunkDelayMs: 5 });
      const controller = new AbortController();
      const answer = await app.openai.chat.completions.create(
        { model: PINNED, messages: HELLO, stream: true, max_tokens: 5000 },
        { signal: controller.signal },
      );
      let seen = 0;
      const read = async () => {
        for await (const _ of answer) if (++seen === 3) controller.abort();
      };
      await read().catch(() => undefined);
      const attempt = (await truth.endedAttempts(before + 1))[before];
      expect(attempt?.outcome).toBe('client_closed');
      const line = await eventually(async () =>
        (await app.lines()).find((booked) => booked.outcome === 'cancelled'),
      );
      expect(line.usageSource).toBe('upper_bound');
      expect(line.completionTokens).toBeGreaterThanOrEqual(attempt?.completionTokens ?? Infinity);
    });
  });

  it('aborts the upstream of a JSON request when the client hangs up, and bills it', async () => {
    const before = (await truth.attempts()).length;
    await truth.script({ fault: { kind: 'stall' } });
    const controller = new AbortController();
    const call = app.openai.chat.completions.create(
      { model: PINNED, messages: [{ role: 'user', content: 'hang up on me' }], max_tokens: 99 },
      { signal: controller.signal },
    );
    await truth.waitFor((attempts) => attempts.length > before);
    controller.abort();
    await expect(call).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    const attempt = (await truth.endedAttempts(before + 1))[before];
    expect(attempt?.outcome).toBe('client_closed');
    const line = await eventually(async () =>
      (await app.lines()).find((booked) => booked.outcome === 'cancelled' && booked.completionTokens === 99),
    );
    expect(line).toMatchObject({ usageSource: 'upper_bound' });
  });
});
