import Anthropic from '@anthropic-ai/sdk';
import { MESSAGE_EXAMPLES } from '../../src/gateway/messages/dto/message.request.dto';
import { type Account, startApp, type TestApp, type UsageLine } from '../support/app';
import { block, end, failed, message, sse, start } from '../support/contract/anthropic.goldens';
import { GoldenUpstream } from '../support/contract/golden-upstream';
import { eventually } from '../support/eventually';
import {
  type Attempt,
  type Script,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const GPT = 'openai/gpt-4o-mini';
const LUNA = 'openai/gpt-6-luna';
const CLAUDE = 'claude-haiku-5-5';
const TOOLS: Anthropic.Tool[] = ['get_weather', 'get_time'].map((name) => ({
  name,
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}));
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};

type Params = Anthropic.MessageCreateParamsNonStreaming;

const ask = (content: Anthropic.MessageParam['content'], more: Partial<Params> = {}): Params => ({
  model: GPT,
  max_tokens: 100,
  messages: [{ role: 'user', content }],
  ...more,
});

const failureOf = (call: Promise<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> =>
  call.then(
    () => {
      throw new Error('It succeeded');
    },
    (failure: unknown) => failure as InstanceType<typeof Anthropic.APIError>,
  );

/** Anthropic's own client in front, OpenAI's and Anthropic's dialects behind. */
describe('POST /v1/messages', () => {
  const upstream = new GoldenUpstream();
  let truth: TruthProvider;
  let app: TestApp;
  let client: Anthropic;

  const clientOf = (account: Pick<Account, 'key'>, maxRetries = 0): Anthropic =>
    new Anthropic({ baseURL: app.url, apiKey: account.key, maxRetries });

  beforeAll(async () => {
    truth = await startTruthProvider();
    await upstream.start();
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      ANTHROPIC_BASE_URL: upstream.serve('claude', message([])),
      ANTHROPIC_API_KEY: 'sk-ant-test',
      LATTICE_SANDBOX: 'on',
    });
    client = clientOf(app.admin);
  });

  afterAll(async () => {
    await app.close();
    await upstream.stop();
    await truth.stop();
  });

  afterEach(async () => {
    await truth.clearScripts();
    expect(await app.reconcile()).toEqual([]);
  });

  /** What the provider saw of the work. */
  async function attemptsOf(work: () => Promise<unknown>): Promise<readonly Attempt[]> {
    const before = (await truth.attempts()).length;
    await work();
    const all = await truth.waitFor((attempts) => attempts.slice(before).every(isEnded));
    return all.slice(before);
  }
  const isEnded = ({ outcome }: Attempt): boolean => outcome !== 'open';

  const expectBooked = (lines: readonly UsageLine[], attempts: readonly Attempt[]): void => {
    expect(lines.map(({ promptTokens, completionTokens }) => [promptTokens, completionTokens])).toEqual(
      attempts.map(({ promptTokens, completionTokens }) => [promptTokens, completionTokens]),
    );
  };

  describe('JSON', () => {
    it.each(['auto', GPT, 'gpt-4o-mini'])('answers model %s and books what was charged', async (model) => {
      let answer: Awaited<ReturnType<typeof request>> | undefined;
      const request = () =>
        client.messages.create(ask('Hello there', { model, system: 'Be brief.' })).withResponse();
      const attempts = await attemptsOf(async () => (answer = await request()));
      const { data, response, request_id: sdkRequestId } = answer as NonNullable<typeof answer>;
      expect(data).toMatchObject({
        id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: expect.stringMatching(/\w/) }],
        stop_reason: 'end_turn',
        usage: {
          input_tokens: attempts[0]?.promptTokens,
          output_tokens: attempts[0]?.completionTokens,
        },
      });
      const requestId = response.headers.get('x-lattice-request-id') ?? '';
      expect(sdkRequestId).toBe(requestId);
      expect(response.headers.get('x-lattice-decision-id')).toMatch(/^dec_/);
      const lines = await app.lines(requestId);
      expect(attempts).toHaveLength(1);
      expectBooked(lines, attempts);
      expect(response.headers.get('x-lattice-cost-usd')).toBe(lines[0]?.costUsd);
    });

    it('sends nothing that OpenAI’s API does not know', async () => {
      const params = ask([{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }], {
        stop_sequences: ['END'],
        metadata: { user_id: 'u-1' },
        ...({ temperature: 0.5, top_k: 5 } as object),
      });
      let warnings: string | null = null;
      const [attempt] = await attemptsOf(async () => {
        const { response } = await client.messages.create(params).withResponse();
        warnings = response.headers.get('x-lattice-warnings');
      });
      expect(attempt?.body).toEqual({
        model: 'gpt-4o-mini',
        max_completion_tokens: 100,
        messages: [{ role: 'user', content: 'Hi' }],
        temperature: 0.5,
        stop: ['END'],
        user: 'u-1',
      });
      expect(warnings).toMatch(/cache_control: .*; top_k was left out/);
    });

    it.each([{ lattice: { fallback: 'any' } }, { models: [CLAUDE] }, {}])(
      'names the output limit as the first model knows it, with %j',
      async (options) => {
        const params = ask('Hi', { model: LUNA, ...(options as object) });
        const [attempt] = await attemptsOf(async () => await client.messages.create(params));
        expect(attempt?.body).toMatchObject({ model: 'gpt-6-luna', max_completion_tokens: 100 });
        expect(attempt?.body).not.toHaveProperty('max_tokens');
      },
    );

    it('tells in the last event of a stream, too, what was left out', async () => {
      const { text, headers } = await app.call('POST', '/v1/messages', {
        body: { ...ask('Hi', { model: LUNA }), stream: true, context_management: {} },
      });
      expect(headers.get('x-lattice-warnings')).toBe('context_management was left out');
      expect(text).toContain('"warnings":["context_management was left out"]');
    });

    it('splits cached tokens from the input', async () => {
      await truth.script({ usage: { promptTokens: 100, cachedTokens: 60, completionTokens: 7 } });
      const { usage } = await client.messages.create(ask('Hi'));
      expect(usage).toMatchObject({ input_tokens: 40, cache_read_input_tokens: 60, output_tokens: 7 });
    });

    it('tells that the limit ended it', async () => {
      await truth.script({ answer: 'one two three four five six' });
      const answer = await client.messages.create(ask('Hi', { max_tokens: 3 }));
      expect([answer.stop_reason, answer.usage.output_tokens]).toEqual(['max_tokens', 3]);
    });

    it('passes images on', async () => {
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo=' };
      const content: Anthropic.ContentBlockParam[] = [
        { type: 'image', source },
        { type: 'text', text: 'What is it?' },
      ];
      const [attempt] = await attemptsOf(() => client.messages.create(ask(content)));
      expect(attempt?.body.messages).toEqual([
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
            { type: 'text', text: 'What is it?' },
          ],
        },
      ]);
    });

    it('gives structured output', async () => {
      await truth.script({ answer: '{"city":"Oslo"}' });
      const format = {
        type: 'json_schema' as const,
        schema: SCHEMA,
        parse: (text: string) => JSON.parse(text) as object,
      };
      const [attempt] = await attemptsOf(async () => {
        const parsed = await client.messages.parse({ ...ask('Where?'), output_config: { format } });
        expect(parsed.parsed_output).toEqual({ city: 'Oslo' });
      });
      expect(attempt?.body.response_format).toEqual({
        type: 'json_schema',
        json_schema: { name: 'answer', schema: SCHEMA, strict: true },
      });
    });

    it('runs Lattice’s own tools', async () => {
      await truth.script({ toolCalls: [{ name: 'current_time', arguments: {} }], toolRounds: 1 });
      const params = { ...ask('What time is it?'), lattice: { tools: ['current_time'] } };
      const attempts = await attemptsOf(async () => {
        const { data, response } = await client.messages.create(params).withResponse();
        expect([data.stop_reason, response.headers.get('x-lattice-attempts')]).toEqual(['end_turn', '2']);
      });
      expect(attempts).toHaveLength(2);
    });
  });

  describe('tools', () => {
    const calls = [
      { id: 'call_1', name: 'get_weather', arguments: { city: 'Oslo' } },
      { id: 'call_2', name: 'get_time', arguments: { city: 'Rome' } },
    ];

    it.each(['create', 'stream'] as const)('called in parallel go there and back (%s)', async (way) => {
      await truth.script({ toolCalls: calls });
      const params = ask('Weather and time?', { tools: TOOLS, tool_choice: { type: 'any' } });
      const [called] = await attemptsOf(async () => {
        const first =
          way === 'create'
            ? await client.messages.create(params)
            : await client.messages.stream(params).finalMessage();
        expect(first.stop_reason).toBe('tool_use');
        expect(first.content).toMatchObject([
          { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Oslo' } },
          { type: 'tool_use', id: 'call_2', name: 'get_time', input: { city: 'Rome' } },
        ]);
        params.messages.push(
          { role: 'assistant', content: first.content },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'call_1', content: 'Rain' },
              { type: 'tool_result', tool_use_id: 'call_2', content: 'no clock', is_error: true },
            ],
          },
        );
      });
      expect(called?.body).toMatchObject({ tool_choice: 'required', tools: [{}, {}] });
      const [answered] = await attemptsOf(async () => {
        const second = await client.messages.create({ ...params, tool_choice: undefined });
        expect(second.stop_reason).toBe('end_turn');
      });
      expect(answered?.body.messages).toEqual([
        { role: 'user', content: 'Weather and time?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: calls.map(({ id, name, arguments: input }) => ({
            id,
            type: 'function',
            function: { name, arguments: JSON.stringify(input) },
          })),
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
        { role: 'tool', tool_call_id: 'call_2', content: 'Error: no clock' },
      ]);
    });
  });

  describe('streams', () => {
    it('come as Anthropic’s events, with usage and cost at the end', async () => {
      await truth.script({ answer: 'Hello from the truth', chunks: 3 });
      const events: Anthropic.RawMessageStreamEvent[] = [];
      let final: Anthropic.Message | undefined;
      const attempts = await attemptsOf(async () => {
        const stream = client.messages.stream(ask('Hi'));
        stream.on('streamEvent', (event) => events.push(event));
        final = await stream.finalMessage();
      });
      expect(final).toMatchObject({
        content: [{ type: 'text', text: 'Hello from the truth' }],
        stop_reason: 'end_turn',
        usage: {
          input_tokens: attempts[0]?.promptTokens,
          output_tokens: attempts[0]?.completionTokens,
        },
      });
      expect(events.map(({ type }) => type)).toEqual([
        'message_start',
        'content_block_start',
        'content_block_delta',
        'content_block_delta',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ]);
      const { lattice } = events.at(-2) as { lattice?: { requestId?: string; costUsd?: string } };
      const lines = await app.lines(lattice?.requestId ?? '');
      expectBooked(lines, attempts);
      expect(lattice?.costUsd).toBe(lines[0]?.costUsd);
    });

    it('show the thinking that was asked for', async () => {
      await truth.script({ reasoning: 'Let me think.', answer: 'Done', times: 2 } as Script);
      const plain = await client.messages.stream(ask('Hi')).finalMessage();
      expect(plain.content).toMatchObject([{ type: 'text', text: 'Done' }]);
      const { content } = await client.messages
        .stream(ask('Hi', { thinking: { type: 'adaptive' } }))
        .finalMessage();
      expect(content).toMatchObject([
        { type: 'thinking', thinking: 'Let me think.' },
        { type: 'text', text: 'Done' },
      ]);
    });

    it('that break raise an error in the client, and are booked', async () => {
      await truth.script({ fault: { kind: 'cut', afterChunks: 2 } });
      let text = '';
      let failure: Awaited<ReturnType<typeof failureOf>> | undefined;
      const stream = client.messages.stream(ask('Hi'));
      stream.on('text', (delta) => (text += delta));
      const attempts = await attemptsOf(async () => (failure = await failureOf(stream.finalMessage())));
      expect(failure).toBeInstanceOf(Anthropic.APIError);
      expect(failure?.error).toMatchObject({
        type: 'error',
        error: { type: 'api_error', code: 'PROVIDER_STREAM_CUT' },
      });
      expect(text).not.toBe('');
      expect(attempts).toHaveLength(1);
      const requestId = failure?.requestID ?? '';
      const [line] = await eventually(async () => {
        const lines = await app.lines(requestId);
        return lines.length > 0 ? lines : undefined;
      });
      expect(line?.outcome).toBe('truncated');
      expect(line?.completionTokens).toBeGreaterThanOrEqual(attempts[0]?.completionTokens ?? 0);
    });

    it('end without a stop when they break', async () => {
      await truth.script({ fault: { kind: 'error-frame', afterChunks: 1 } });
      const { status, text } = await app.call('POST', '/v1/messages', {
        body: ask('Hi', { stream: true } as never),
      });
      expect(status).toBe(200);
      expect(text).toContain('event: message_start');
      expect(text).not.toContain('message_stop');
      expect(text.trimEnd().split('\n\n').at(-1)).toMatch(/^event: error\ndata: \{"type":"error"/);
    });

    it('are given again byte for byte under the same Idempotency-Key', async () => {
      await truth.script({ answer: 'Größe 🙂 one two three', chunks: 5 });
      const request = {
        body: { ...ask('Hi'), stream: true },
        headers: { 'idempotency-key': 'a-message', 'anthropic-version': '2023-06-01' },
      };
      const attempts = await attemptsOf(async () => {
        const first = await app.call('POST', '/v1/messages', request);
        const second = await app.call('POST', '/v1/messages', request);
        expect(first.text).toContain('event: message_stop');
        expect(second.text).toBe(first.text);
        expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
        expect(second.headers.get('x-lattice-idempotent-replay')).toBe('true');
        const [one, two] = [first, second].map(({ headers }) => headers.get('request-id'));
        expect(two).toBe(second.headers.get('x-lattice-request-id'));
        expect(two).not.toBe(one);
      });
      expect(attempts).toHaveLength(1);
    });
  });

  describe('with Anthropic behind it', () => {
    it('keeps what only Anthropic understands', async () => {
      const usage = {
        input_tokens: 10,
        cache_creation_input_tokens: 30,
        cache_read_input_tokens: 60,
        output_tokens: 5,
      };
      upstream.serve('claude', message([{ type: 'text', text: 'Hello' }], { usage }));
      const mark = { type: 'ephemeral' as const };
      const params = ask([{ type: 'text', text: 'Hi', cache_control: mark }], {
        model: CLAUDE,
        system: [{ type: 'text', text: 'Be brief.', cache_control: mark }],
        tools: [{ ...(TOOLS[0] as Anthropic.Tool), cache_control: mark }],
      });
      const { data, response } = await client.messages.create(params).withResponse();
      expect(upstream.last.body).toMatchObject({
        max_tokens: 100,
        system: [{ type: 'text', text: 'Be brief.', cache_control: mark }],
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: mark }] }],
        tools: [{ name: 'get_weather', cache_control: mark }],
      });
      expect(data).toMatchObject({ content: [{ type: 'text', text: 'Hello' }], usage });
      expect(response.headers.get('x-lattice-warnings')).toBeNull();
    });

    it('keeps it for Anthropic also where another model may answer, and leaves it out there', async () => {
      const mark = { type: 'ephemeral' as const };
      const content = [{ type: 'text' as const, text: 'Hi', cache_control: mark }];
      const params = ask(content, { model: 'claude-haiku-4-5', ...({ models: [LUNA], top_k: 5 } as object) });
      upstream.serve('claude', message([{ type: 'text', text: 'Hello' }]));
      const { response } = await client.messages.create(params).withResponse();
      expect(upstream.last.body).toMatchObject({ messages: [{ role: 'user', content }], top_k: 5 });
      expect(response.headers.get('x-lattice-warnings')).not.toMatch(/cache_control|top_k/);

      upstream.serve('claude', failed(529, 'overloaded_error', 'Overloaded'));
      let other: Response | undefined;
      const [attempt] = await attemptsOf(async () => {
        other = (await client.messages.create(params).withResponse()).response;
      });
      expect(attempt?.body).toEqual({
        model: 'gpt-6-luna',
        max_completion_tokens: 100,
        messages: [{ role: 'user', content: 'Hi' }],
      });
      expect(other?.headers.get('x-lattice-model')).toBe(LUNA);
      expect(other?.headers.get('x-lattice-warnings')).toMatch(
        /cache_control: .*; top_k was left out: openai/,
      );
    });

    it('puts the signed thinking back that a client cannot keep', async () => {
      const thinking = { type: 'thinking', thinking: 'Oslo.', signature: 'EqQBCg' };
      const call = { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Oslo' } };
      upstream.serve('claude', message([thinking, call], { stop_reason: 'tool_use' }));
      const question = { role: 'user' as const, content: 'Weather?' };
      const more = {
        model: CLAUDE,
        max_tokens: 4000,
        tools: TOOLS,
        ...({ output_config: { effort: 'low' } } as object),
      };
      const first = await client.messages.create({ ...ask(''), ...more, messages: [question] });
      const calls = first.content.filter(({ type }) => type === 'tool_use');
      const result = { type: 'tool_result' as const, tool_use_id: 'toolu_1', content: 'Rain' };
      const messages: Anthropic.MessageParam[] = [
        question,
        { role: 'assistant', content: calls as Anthropic.ToolUseBlockParam[] },
        { role: 'user', content: [result] },
      ];
      await client.messages.create({ ...ask(''), ...more, messages });
      const { messages: sent } = upstream.last.body as { messages: readonly { content: unknown }[] };
      expect(sent[1]?.content).toMatchObject([thinking, call]);
      const owners = await app.database.query<{ user_id: string }[]>('select user_id from kept_thoughts');
      expect(owners).toHaveLength(1);
    });

    it('tells which stop sequence ended it, whole and streamed', async () => {
      const params = ask('Count', { model: CLAUDE, stop_sequences: ['two'] });
      const ended = { stop_reason: 'stop_sequence', stop_sequence: 'two' };
      upstream.serve('claude', message([{ type: 'text', text: 'one, ' }], ended));
      expect(await client.messages.create(params)).toMatchObject(ended);
      const text = block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'one, ' });
      upstream.serve('claude', sse(start(), ...text, ...end('stop_sequence', { output_tokens: 5 }, 'two')));
      expect(await client.messages.stream(params).finalMessage()).toMatchObject(ended);
    });

    it('streams', async () => {
      const text = block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hello' });
      upstream.serve('claude', sse(start(), ...text, ...end()));
      const final = await client.messages.stream(ask('Hi', { model: CLAUDE })).finalMessage();
      expect(final).toMatchObject({
        content: [{ type: 'text', text: 'Hello' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 12, output_tokens: 5, cache_read_input_tokens: 0 },
      });
    });
  });

  describe('on the sandbox', () => {
    it.each(Object.entries(MESSAGE_EXAMPLES))('answers the documented example %s', async (_, { value }) => {
      for (const model of [value.model, 'sandbox/small']) {
        const answer = await app.call('POST', '/v1/messages', { body: { ...value, model } });
        expect([answer.status, answer.headers.get('x-lattice-warnings')]).toEqual([200, null]);
      }
    });

    it('answers, streams and calls tools', async () => {
      const model = 'sandbox/small';
      const answer = await client.messages.create(ask('Hello', { model }));
      expect(answer.content).toMatchObject([{ type: 'text' }]);
      const streamed = await client.messages.stream(ask('Hello', { model })).finalText();
      expect(streamed).not.toBe('');
      const called = await client.messages.create(
        ask('[[sandbox:tool=get_weather]] Go', { model, tools: TOOLS }),
      );
      expect([called.stop_reason, called.content.at(-1)?.type]).toEqual(['tool_use', 'tool_use']);
    });
  });

  describe('errors', () => {
    type ErrorClass = 'BadRequestError' | 'NotFoundError' | 'OverloadedError';
    const status = (code: number, more: object = {}): Script => ({
      fault: { kind: 'status', status: code, ...more },
      times: 'always',
    });

    it.each<[string, ErrorClass, number, string, Script | undefined, Partial<Params>]>([
      ['a bad request', 'BadRequestError', 400, 'invalid_request_error', undefined, { max_tokens: 0 }],
      ['an unknown model', 'NotFoundError', 404, 'not_found_error', undefined, { model: 'no-such' }],
      [
        'a request that the provider refuses',
        'BadRequestError',
        400,
        'invalid_request_error',
        status(400),
        {},
      ],
      ['a busy provider', 'OverloadedError', 529, 'overloaded_error', status(503), {}],
    ])('raise the client’s own class for %s', async (_, errorClass, code, type, script, more) => {
      if (script) await truth.script(script);
      const failure = await failureOf(client.messages.create(ask('Hi', more)));
      expect(failure).toBeInstanceOf(Anthropic[errorClass]);
      expect(failure).toMatchObject({ status: code, type, requestID: expect.stringMatching(/^req_/) });
      expect(failure.error).toMatchObject({ type: 'error', request_id: failure.requestID });
    });

    it('raise AuthenticationError for a wrong key', async () => {
      const failure = await failureOf(clientOf({ key: 'llk_wrong' }).messages.create(ask('Hi')));
      expect(failure).toBeInstanceOf(Anthropic.AuthenticationError);
      expect(failure.type).toBe('authentication_error');
    });

    it('raise RateLimitError with the time to wait', async () => {
      await truth.script(status(429, { retryAfter: 61 }));
      const failure = await failureOf(client.messages.create(ask('Hi')));
      expect(failure).toBeInstanceOf(Anthropic.RateLimitError);
      expect([failure.type, failure.headers?.get('retry-after')]).toEqual(['rate_limit_error', '61']);
    });

    it('are not retried when the budget is used up', async () => {
      const account = await app.register();
      await app.createBudget(account, '0');
      let requests = 0;
      const counting = new Anthropic({
        baseURL: app.url,
        apiKey: account.key,
        maxRetries: 3,
        fetch: (...parameters) => {
          requests += 1;
          return fetch(...parameters);
        },
      });
      const failure = await failureOf(counting.messages.create(ask('Hi')));
      expect([failure.status, failure.type, requests]).toEqual([402, 'billing_error', 1]);
      expect(failure.headers?.get('x-should-retry')).toBe('false');
    });

    it('have Anthropic’s shape where the route does not answer itself', async () => {
      const broken = await app.call('POST', '/v1/messages', { body: '{' });
      expect([broken.status, broken.body]).toMatchObject([400, { type: 'error' }]);
      const missing = await failureOf(client.messages.countTokens({ model: GPT, messages: [] }));
      expect(missing).toBeInstanceOf(Anthropic.NotFoundError);
    });
  });
});
