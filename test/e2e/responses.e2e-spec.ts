import OpenAI from 'openai';
import type {
  ParsedResponse,
  ResponseCreateParamsNonStreaming,
  ResponseInputItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { RESPONSE_EXAMPLES } from '../../src/gateway/responses/dto/response.request.dto';
import { startApp, type TestApp } from '../support/app';
import { block, end, message, sse, start } from '../support/contract/anthropic.goldens';
import { GoldenUpstream } from '../support/contract/golden-upstream';
import { eventually } from '../support/eventually';
import {
  type Attempt,
  type Script,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const GPT = 'openai/gpt-4o-mini';
const CLAUDE = 'claude-haiku-5-5';
const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const TOOLS: OpenAI.Responses.FunctionTool[] = ['get_weather', 'get_time'].map((name) => ({
  type: 'function',
  name,
  strict: true,
  parameters: PARAMETERS,
}));

type Params = Omit<ResponseCreateParamsNonStreaming, 'stream'>;

const ask = (input: Params['input'], more: Partial<Params> = {}): Params => ({ model: GPT, input, ...more });

const failureOf = (call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> =>
  call.then(
    () => {
      throw new Error('It succeeded');
    },
    (failure: unknown) => failure as InstanceType<typeof OpenAI.APIError>,
  );

/** OpenAI's own client in front, OpenAI's chat dialect and Anthropic's behind. */
describe('POST /v1/responses', () => {
  const upstream = new GoldenUpstream();
  let truth: TruthProvider;
  let app: TestApp;
  let client: OpenAI;

  beforeAll(async () => {
    truth = await startTruthProvider();
    await upstream.start();
    app = await startApp({
      OPENAI_BASE_URL: truth.url,
      ANTHROPIC_BASE_URL: upstream.serve('claude', message([])),
      ANTHROPIC_API_KEY: 'sk-ant-test',
      LATTICE_SANDBOX: 'on',
    });
    client = app.openai;
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
    const all = await truth.waitFor((attempts) =>
      attempts.slice(before).every(({ outcome }) => outcome !== 'open'),
    );
    return all.slice(before);
  }

  async function eventsOf(params: Params): Promise<ResponseStreamEvent[]> {
    const events: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ ...params, stream: true })) events.push(event);
    return events;
  }

  describe('JSON', () => {
    it.each(['auto', GPT, 'gpt-4o-mini'])('answers model %s and books what was charged', async (model) => {
      const request = () =>
        client.responses.create(ask('Hello there', { model, instructions: 'Be brief.' })).withResponse();
      let answer: Awaited<ReturnType<typeof request>> | undefined;
      const attempts = await attemptsOf(async () => (answer = await request()));
      const { data, response } = answer as NonNullable<typeof answer>;
      expect(data).toMatchObject({
        id: expect.stringMatching(/^resp_[0-9a-f]{32}$/),
        object: 'response',
        status: 'completed',
        error: null,
        incomplete_details: null,
        instructions: 'Be brief.',
        store: true,
        usage: {
          input_tokens: attempts[0]?.promptTokens,
          output_tokens: attempts[0]?.completionTokens,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens_details: { reasoning_tokens: 0 },
        },
      });
      expect(data.output).toMatchObject([{ type: 'message', role: 'assistant', status: 'completed' }]);
      expect(data.output_text).toMatch(/\w/);
      const lines = await app.lines(response.headers.get('x-lattice-request-id') ?? '');
      expect(lines).toMatchObject([
        {
          promptTokens: attempts[0]?.promptTokens,
          completionTokens: attempts[0]?.completionTokens,
          costUsd: response.headers.get('x-lattice-cost-usd'),
        },
      ]);
      expect(response.headers.get('x-lattice-decision-id')).toMatch(/^dec_/);
      expect(response.headers.get('x-lattice-warnings') ?? '').not.toMatch(/left out|not stored/);
    });

    it('sends nothing that OpenAI’s chat API does not know', async () => {
      const params = ask('Hi', {
        instructions: 'Be brief.',
        max_output_tokens: 50,
        temperature: 0.5,
        metadata: { project: 'x' },
        user: 'u-1',
        prompt_cache_key: 'k',
        truncation: 'auto',
        include: ['reasoning.encrypted_content'],
        reasoning: { effort: 'low' },
        text: { format: { type: 'text' } },
      });
      let warnings: string | null = null;
      const [attempt] = await attemptsOf(async () => {
        const { data, response } = await client.responses.create(params).withResponse();
        expect(data).toMatchObject({ metadata: { project: 'x' }, max_output_tokens: 50, temperature: 0.5 });
        warnings = response.headers.get('x-lattice-warnings');
      });
      expect(attempt?.body).toEqual({
        model: 'gpt-4o-mini',
        max_completion_tokens: 50,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        temperature: 0.5,
        user: 'u-1',
        prompt_cache_key: 'k',
      });
      expect(warnings).toMatch(
        /include was left out.*truncation was left out.*the reasoning effort was left out/,
      );
    });

    it('tells cached and reasoning tokens', async () => {
      await truth.script({
        usage: { promptTokens: 100, cachedTokens: 60, completionTokens: 7, reasoningTokens: 5 },
      });
      const { usage } = await client.responses.create(ask('Hi'));
      expect(usage).toEqual({
        input_tokens: 100,
        input_tokens_details: { cached_tokens: 60, cache_write_tokens: 0 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 5 },
        total_tokens: 107,
      });
    });

    it('shows thoughts only to who asked for a summary', async () => {
      await truth.script({ reasoning: 'Let me think.', answer: 'Yes', times: 2 });
      const shown = await client.responses.create(ask('Hi', { reasoning: { summary: 'auto' } }));
      expect(shown.output).toMatchObject([
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Let me think.' }] },
        { type: 'message' },
      ]);
      const hidden = await client.responses.create(ask('Hi'));
      expect(hidden.output.map(({ type }) => type)).toEqual(['message']);
    });

    it.each([
      ['max_output_tokens', { answer: 'one two three four five six' }, { max_output_tokens: 3 }],
      ['content_filter', { answer: 'No', finishReason: 'content_filter' }, {}],
    ] as const)('tells that %s ended it', async (reason, script, more) => {
      await truth.script(script);
      const answer = await client.responses.create(ask('Hi', more));
      expect(answer).toMatchObject({ status: 'incomplete', incomplete_details: { reason } });
      expect(answer.output.at(-1)).toMatchObject({ status: 'incomplete' });
    });

    it('passes images on', async () => {
      const url = 'data:image/png;base64,iVBORw0KGgo=';
      const input: ResponseInputItem[] = [
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: url, detail: 'low' },
            { type: 'input_text', text: 'What is it?' },
          ],
        },
      ];
      const [attempt] = await attemptsOf(() => client.responses.create(ask(input)));
      expect(attempt?.body.messages).toEqual([
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url, detail: 'low' } },
            { type: 'text', text: 'What is it?' },
          ],
        },
      ]);
    });

    it('gives structured output', async () => {
      await truth.script({ answer: '{"city":"Oslo"}' });
      const format = { type: 'json_schema', name: 'place', strict: true, schema: PARAMETERS } as const;
      const [attempt] = await attemptsOf(async () => {
        const parsed: ParsedResponse<object> = await client.responses.parse(
          ask('Where?', { text: { format } }),
        );
        expect(JSON.parse(parsed.output_text)).toEqual({ city: 'Oslo' });
        expect(parsed.text).toEqual({ format });
      });
      expect(attempt?.body.response_format).toEqual({
        type: 'json_schema',
        json_schema: { name: 'place', schema: PARAMETERS, strict: true },
      });
    });

    it('runs Lattice’s own tools', async () => {
      await truth.script({ toolCalls: [{ name: 'current_time', arguments: {} }], toolRounds: 1 });
      const params = { ...ask('What time is it?'), lattice: { tools: ['current_time'] } };
      const attempts = await attemptsOf(async () => {
        const { data, response } = await client.responses.create(params).withResponse();
        expect(data.output.map(({ type }) => type)).toEqual(['message']);
        expect(response.headers.get('x-lattice-attempts')).toBe('2');
      });
      expect(attempts).toHaveLength(2);
    });
  });

  describe('tools', () => {
    const calls = [
      { id: 'call_1', name: 'get_weather', arguments: { city: 'Oslo' } },
      { id: 'call_2', name: 'get_time', arguments: { city: 'Rome' } },
    ];
    const results: ResponseInputItem[] = [
      { type: 'function_call_output', call_id: 'call_1', output: 'Rain' },
      { type: 'function_call_output', call_id: 'call_2', output: [{ type: 'input_text', text: 'Noon' }] },
    ];

    it.each([
      ['parse', 'by id'],
      ['stream', 'by id'],
      ['parse', 'by items'],
    ] as const)('called in parallel go there and back (%s, %s)', async (way, back) => {
      await truth.script({ toolCalls: calls });
      const params = ask('Weather and time?', { tools: TOOLS, tool_choice: 'required' });
      let first: ParsedResponse<unknown> | undefined;
      const [called] = await attemptsOf(async () => {
        first =
          way === 'parse'
            ? await client.responses.parse(params)
            : await client.responses.stream(params).finalResponse();
        expect(first.status).toBe('completed');
        expect(first.output).toMatchObject([
          {
            type: 'function_call',
            call_id: 'call_1',
            name: 'get_weather',
            parsed_arguments: { city: 'Oslo' },
          },
          { type: 'function_call', call_id: 'call_2', name: 'get_time', parsed_arguments: { city: 'Rome' } },
        ]);
      });
      expect(called?.body).toMatchObject({ tool_choice: 'required', tools: [{ type: 'function' }, {}] });
      const { id, output } = first as ParsedResponse<unknown>;
      const [answered] = await attemptsOf(async () => {
        const second = await client.responses.create(
          back === 'by id'
            ? { ...ask(results, { tools: TOOLS }), previous_response_id: id }
            : ask(
                [
                  { role: 'user', content: 'Weather and time?' },
                  ...(output as unknown as ResponseInputItem[]),
                  ...results,
                ],
                { tools: TOOLS },
              ),
        );
        expect(second.output_text).toMatch(/\w/);
      });
      expect(answered?.body.messages).toEqual([
        { role: 'user', content: 'Weather and time?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: calls.map(({ id: callId, name, arguments: input }) => ({
            id: callId,
            type: 'function',
            function: { name, arguments: JSON.stringify(input) },
          })),
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
        { role: 'tool', tool_call_id: 'call_2', content: 'Noon' },
      ]);
    });
  });

  describe('streams', () => {
    it('come as the events of the Responses API, with usage and cost at the end', async () => {
      await truth.script({ answer: 'Hello from the truth', chunks: 3 });
      const events: ResponseStreamEvent[] = [];
      let final: ParsedResponse<unknown> | undefined;
      const attempts = await attemptsOf(async () => {
        const stream = client.responses.stream(ask('Hi'));
        stream.on('event', (event) => events.push(event as ResponseStreamEvent));
        final = await stream.finalResponse();
      });
      expect(events.map(({ type }) => type)).toEqual([
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.delta',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ]);
      expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
      expect(final).toMatchObject({
        status: 'completed',
        output_text: 'Hello from the truth',
        usage: {
          input_tokens: attempts[0]?.promptTokens,
          output_tokens: attempts[0]?.completionTokens,
        },
      });
      const { lattice } = final as unknown as { lattice: { requestId: string; costUsd: string } };
      const lines = await app.lines(lattice.requestId);
      expect(lines).toMatchObject([
        { costUsd: lattice.costUsd, completionTokens: attempts[0]?.completionTokens },
      ]);
      const kept = await client.responses.retrieve(final?.id ?? '');
      expect(kept).toMatchObject({ id: final?.id, status: 'completed', output_text: 'Hello from the truth' });
    });

    it('tell that the limit ended them', async () => {
      await truth.script({ answer: 'one two three four five six' });
      const events = await eventsOf(ask('Hi', { max_output_tokens: 3 }));
      expect(events.at(-1)).toMatchObject({
        type: 'response.incomplete',
        response: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      });
    });

    it.each(['cut', 'error-frame'] as const)('never complete when the upstream breaks (%s)', async (kind) => {
      await truth.script({ fault: { kind, afterChunks: 2 }, times: 'always' });
      let text = '';
      let failure: Awaited<ReturnType<typeof failureOf>> | undefined;
      const seen: string[] = [];
      let id = '';
      const attempts = await attemptsOf(async () => {
        const stream = client.responses.stream(ask('Hi'));
        stream.on('event', (event) => {
          seen.push(event.type);
          if (event.type === 'response.created') id = event.response.id;
          if (event.type === 'response.output_text.delta') text += event.delta;
        });
        failure = await failureOf(stream.finalResponse());
      });
      expect(failure).toBeInstanceOf(OpenAI.APIError);
      expect(failure?.code).toMatch(/^PROVIDER_/);
      expect(text).not.toBe('');
      expect(seen).toContain('response.failed');
      expect(seen).not.toContain('response.completed');
      expect(attempts).toHaveLength(1);
      const lines = await eventually(async () => {
        const booked = await app.lines(`req_${id.slice('resp_'.length)}`);
        return booked.length > 0 ? booked : undefined;
      });
      expect(lines[0]?.completionTokens).toBeGreaterThanOrEqual(attempts[0]?.completionTokens ?? 0);
      expect(await failureOf(client.responses.retrieve(id))).toBeInstanceOf(OpenAI.NotFoundError);
    });

    it('are given again byte for byte under the same Idempotency-Key', async () => {
      await truth.script({ answer: 'Größe 🙂 one two three', chunks: 5 });
      const request = {
        body: { ...ask('Hi'), stream: true },
        headers: { 'idempotency-key': 'a-response' },
      };
      const attempts = await attemptsOf(async () => {
        const first = await app.call('POST', '/v1/responses', request);
        const second = await app.call('POST', '/v1/responses', request);
        expect(first.text).toContain('event: response.completed');
        expect(second.text).toBe(first.text);
        expect(second.headers.get('x-lattice-idempotent-replay')).toBe('true');
      });
      expect(attempts).toHaveLength(1);
    });
  });

  describe('with Anthropic behind it', () => {
    it('answers and streams', async () => {
      upstream.serve('claude', message([{ type: 'text', text: 'Hello' }]));
      const answer = await client.responses.create(ask('Hi', { model: CLAUDE, instructions: 'Be brief.' }));
      expect([answer.status, answer.output_text]).toEqual(['completed', 'Hello']);
      expect(upstream.last.body).toMatchObject({ system: [{ type: 'text', text: 'Be brief.' }] });
      const text = block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hello' });
      upstream.serve('claude', sse(start(), ...text, ...end()));
      const streamed = await client.responses.stream(ask('Hi', { model: CLAUDE })).finalResponse();
      expect(streamed).toMatchObject({
        output_text: 'Hello',
        usage: { input_tokens: 12, output_tokens: 5 },
      });
    });
  });

  describe('on the sandbox', () => {
    it.each(Object.entries(RESPONSE_EXAMPLES))('answers the documented example %s', async (_, { value }) => {
      for (const model of [value.model, 'sandbox/small']) {
        const answer = await app.call('POST', '/v1/responses', { body: { ...value, model } });
        expect([answer.status, answer.headers.get('x-lattice-warnings')]).toEqual([200, null]);
      }
    });

    it('answers, streams and calls tools', async () => {
      const model = 'sandbox/small';
      const answer = await client.responses.create(ask('Hello', { model }));
      expect(answer.output).toMatchObject([{ type: 'message' }]);
      const streamed = await client.responses.stream(ask('Hello', { model })).finalResponse();
      expect(streamed.output_text).not.toBe('');
      const called = await client.responses.create(
        ask('[[sandbox:tool=get_weather]] Go', { model, tools: TOOLS }),
      );
      expect(called.output.at(-1)).toMatchObject({ type: 'function_call', name: 'get_weather' });
    });
  });

  describe('errors', () => {
    const status = (code: number, more: object = {}): Script => ({
      fault: { kind: 'status', status: code, ...more },
      times: 'always',
    });
    const webSearch = { type: 'web_search' } as const;

    it.each<
      [string, 'BadRequestError' | 'NotFoundError', string | null, Script | undefined, Partial<Params>]
    >([
      ['a bad field', 'BadRequestError', 'max_output_tokens', undefined, { max_output_tokens: 0 }],
      ['a built-in tool', 'BadRequestError', 'tools[0].type', undefined, { tools: [webSearch] }],
      ['a conversation', 'BadRequestError', 'conversation', undefined, { conversation: 'conv_1' }],
      ['work in the background', 'BadRequestError', 'background', undefined, { background: true }],
      ['an unknown model', 'NotFoundError', 'model', undefined, { model: 'no-such' }],
      ['a request that the provider refuses', 'BadRequestError', null, status(400), {}],
    ])('raise the client’s own class for %s', async (_, errorClass, param, script, more) => {
      if (script) await truth.script(script);
      const failure = await failureOf(client.responses.create(ask('Hi', more)));
      expect(failure).toBeInstanceOf(OpenAI[errorClass]);
      expect([failure.param, failure.type]).toEqual([
        param,
        expect.stringMatching(/invalid_request|not_found/),
      ]);
    });

    it('raise AuthenticationError for a wrong key', async () => {
      const stranger = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: 'llk_wrong', maxRetries: 0 });
      const failure = await failureOf(stranger.responses.create(ask('Hi')));
      expect(failure).toBeInstanceOf(OpenAI.AuthenticationError);
    });

    it('raise RateLimitError with the time to wait', async () => {
      await truth.script(status(429, { retryAfter: 61 }));
      const failure = await failureOf(client.responses.create(ask('Hi')));
      expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
      expect(failure.headers?.get('retry-after')).toBe('61');
    });

    it('are not retried when the budget is used up', async () => {
      const account = await app.register();
      await app.createBudget(account, '0');
      let requests = 0;
      const counting = new OpenAI({
        baseURL: `${app.url}/v1`,
        apiKey: account.key,
        maxRetries: 3,
        fetch: (...parameters) => {
          requests += 1;
          return fetch(...parameters);
        },
      });
      const failure = await failureOf(counting.responses.create(ask('Hi')));
      expect([failure.status, failure.type, requests]).toEqual([429, 'insufficient_quota', 1]);
    });

    it('say which prompt does not fit', async () => {
      const failure = await failureOf(client.responses.create(ask('word '.repeat(300_000))));
      expect([failure.status, failure.code]).toEqual([400, 'context_length_exceeded']);
    });
  });
});
