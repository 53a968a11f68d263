import type { JsonObject } from '../../src/common/index';
import { KeptThoughts } from '../../src/providers/adapters/ai-sdk/kept-thoughts';
import { AnthropicAdapter } from '../../src/providers/adapters/anthropic/anthropic.adapter';
import { createServer, type Socket } from 'node:net';
import type { ChatBody } from '../../src/common/index';
import type { ChatCall, ProviderError } from '../../src/providers/index';
import {
  ANTHROPIC_GOLDENS,
  block,
  end,
  event,
  failed,
  message,
  OVERLOADED_EVENT,
  PING,
  sse,
  start,
  USAGE,
} from '../support/contract/anthropic.goldens';
import { API_KEY, type ContractRow, FACTS, PIXEL, PROMPT, REQUESTS } from '../support/contract/adapter-cases';
import { catalogModel, PATIENT } from '../support/contract/catalog-model';
import { type GoldenAnswer, GoldenUpstream, type ReceivedRequest } from '../support/contract/golden-upstream';
import { drain, runContract } from '../support/contract/run-contract';
import { listen } from '../support/listen';
import { StoreInMemory } from '../support/contract/thought-store';

const UPSTREAM_ID = 'claude-sonnet-4-5';
const SYSTEM = [{ type: 'text', text: 'Answer briefly.' }];
const ASKED = { role: 'user', content: [{ type: 'text', text: PROMPT }] };
const SCHEMA = REQUESTS.jsonSchema().response_format?.json_schema?.schema;
const TOOLS = REQUESTS.tools().tools?.map(({ function: tool }) => ({
  name: tool?.name,
  description: tool?.description,
  input_schema: tool?.parameters,
}));

/** The request in Anthropic's dialect, whole: nothing may be added that the caller did not ask for. */
const sends = (expected: object) => (request: ReceivedRequest) => {
  expect(request.body).toEqual({
    model: UPSTREAM_ID,
    max_tokens: 256,
    system: SYSTEM,
    messages: [ASKED],
    ...JSON.parse(JSON.stringify(expected)),
  });
};

const withoutSystem = (expected: object) => (request: ReceivedRequest) => {
  sends({ ...expected, system: null })({ ...request, body: { ...request.body, system: null } });
  expect(request.body.system).toBeUndefined();
};

const row: ContractRow = {
  name: AnthropicAdapter.name,
  model: catalogModel({ provider: 'anthropic', upstreamId: UPSTREAM_ID }),
  goldens: ANTHROPIC_GOLDENS,
  chatPath: '/v1/messages',
  credentialHeader: ['x-api-key', API_KEY],
  mockPath: '',
  received: {
    text: (request) => {
      sends({})(request);
      expect(request.headers['anthropic-version']).toBe('2023-06-01');
      expect(request.headers['x-request-id']).toBe('req_0123456789abcdef0123456789abcdef');
    },
    stream: sends({ stream: true }),
    parallelTools: sends({ tools: TOOLS, tool_choice: { type: 'auto' } }),
    streamTools: sends({ tools: TOOLS, tool_choice: { type: 'auto' }, stream: true }),
    toolResult: withoutSystem({
      tools: TOOLS,
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Weather in Paris and Rome?' }] },
        {
          role: 'assistant',
          content: FACTS.calls.map(({ id, name, arguments: input }) => ({
            type: 'tool_use',
            id,
            name,
            input,
          })),
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_a', content: '18 degrees' },
            { type: 'tool_result', tool_use_id: 'call_b', content: '24 degrees' },
          ],
        },
      ],
    }),
    image: withoutSystem({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What colour is this?' },
            {
              type: 'image',
              source: { type: 'base64', media_type: 'image/png', data: PIXEL.split(',')[1] },
            },
          ],
        },
      ],
    }),
    jsonSchema: (request) => {
      const { format } = request.body.output_config as { format: JsonObject };
      expect(format).toEqual({ type: 'json_schema', schema: SCHEMA });
      expect(request.body.tools).toBeUndefined();
    },
  },
  create: (baseUrl) =>
    new AnthropicAdapter({ baseUrl, apiKey: API_KEY, isConfigured: true, variables: ['ANTHROPIC_API_KEY'] }),
};

runContract(row);

describe(`${AnthropicAdapter.name}, what is Anthropic's own`, () => {
  const upstream = new GoldenUpstream();
  const adapters: AnthropicAdapter[] = [];

  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  beforeEach(() => upstream.reset());
  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((adapter) => adapter.close()));
  });

  /** What outlives an adapter, as the database does a process. */
  const store = new StoreInMemory();

  const adapterAt = (baseUrl: string, apiKey?: string): AnthropicAdapter => {
    const settings = { baseUrl, apiKey, isConfigured: true, variables: [] };
    const adapter = new AnthropicAdapter(settings, { thoughts: new KeptThoughts(store) });
    adapters.push(adapter);
    return adapter;
  };
  const serving = (answer: GoldenAnswer): AnthropicAdapter =>
    adapterAt(upstream.serve('own', answer), API_KEY);
  const callOf = (body: Partial<ChatBody> = {}, overrides: Partial<ChatCall> = {}): ChatCall => ({
    model: row.model,
    body: { ...REQUESTS.text(), ...body },
    signal: new AbortController().signal,
    requestId: 'req_0123456789abcdef0123456789abcdef',
    ...overrides,
  });
  const failureOf = (run: Promise<unknown>): Promise<ProviderError> =>
    run.then(
      () => Promise.reject(new Error('It did not fail')),
      (error: unknown) => error as ProviderError,
    );
  const firstChoice = (body: JsonObject): JsonObject => (body.choices as readonly JsonObject[])[0] ?? {};

  const CACHE_WRITE = {
    ...USAGE,
    input_tokens: 10,
    cache_read_input_tokens: 100,
    cache_creation_input_tokens: 50,
    cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
  };
  const THINKING = block(
    0,
    { type: 'thinking', thinking: '', signature: '' },
    { type: 'thinking_delta', thinking: 'A greeting ' },
    { type: 'thinking_delta', thinking: 'will do.' },
    { type: 'signature_delta', signature: 'EqQBCgIYAhIM1gbcDa9GJwZA' },
  );
  const TEXT_BLOCK = block(1, { type: 'text', text: '' }, { type: 'text_delta', text: FACTS.text });

  it('streams thoughts, then text, then the finish reason and the whole usage', async () => {
    const finalUsage = { output_tokens: 90, output_tokens_details: { thinking_tokens: 64 } };
    const answer = sse(start(CACHE_WRITE), ...THINKING, ...TEXT_BLOCK, ...end('end_turn', finalUsage));
    const stream = await serving(answer).chatStream(callOf({ stream_options: { include_usage: true } }));
    const chunks = (await drain(stream)).map(({ chunk }) => chunk);
    expect(chunks.slice(0, -1).map((chunk) => firstChoice(chunk).delta)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'A greeting ' },
      { reasoning_content: 'will do.' },
      { content: FACTS.text },
      {},
    ]);
    expect(firstChoice(chunks.at(-2) ?? {}).finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({
      id: 'msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY',
      choices: [],
      usage: {
        prompt_tokens: 160,
        completion_tokens: 90,
        total_tokens: 250,
        prompt_tokens_details: { cached_tokens: 100 },
        completion_tokens_details: { reasoning_tokens: 64 },
      },
    });
    expect(stream.report().usage).toEqual({
      promptTokens: 160,
      cachedReadTokens: 100,
      cacheWriteTokens: 50,
      cacheWriteOneHourTokens: 30,
      completionTokens: 90,
      reasoningTokens: 64,
    });
  });

  it('tells thoughts and cache writes of a whole answer', async () => {
    const content = [
      { type: 'thinking', thinking: 'A greeting.', signature: 'EqQB' },
      { type: 'text', text: FACTS.text },
    ];
    const { body, report } = await serving(message(content, { usage: CACHE_WRITE })).chat(callOf());
    expect(firstChoice(body).message).toMatchObject({
      content: FACTS.text,
      reasoning_content: 'A greeting.',
    });
    expect(report.usage).toMatchObject({
      promptTokens: 160,
      cacheWriteTokens: 50,
      cacheWriteOneHourTokens: 30,
    });
  });

  it('keeps unknown apart from zero', async () => {
    const usage = { input_tokens: 3, output_tokens: 2 };
    const { report, body } = await serving(message([{ type: 'text', text: 'Hi' }], { usage })).chat(callOf());
    expect(report.usage).toEqual({ promptTokens: 3, completionTokens: 2 });
    expect(body.usage).toEqual({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
  });

  it.each([
    ['max_tokens', 'length', 'length'],
    ['model_context_window_exceeded', 'length', 'length'],
    ['refusal', 'content_filter', 'content_filter'],
    ['stop_sequence', 'stop', 'stop'],
    ['something_new', 'unknown', 'stop'],
  ])('maps the stop reason %s to %s', async (stop_reason, reported, written) => {
    const { report, body } = await serving(message([{ type: 'text', text: 'Hi' }], { stop_reason })).chat(
      callOf(),
    );
    expect(report).toMatchObject({ finishReason: reported, rawFinishReason: stop_reason });
    expect(firstChoice(body).finish_reason).toBe(written);
  });

  it('writes empty arguments of a tool call as an object', async () => {
    const call = block(0, { type: 'tool_use', id: 'toolu_1', name: 'now', input: {} });
    const stream = await serving(sse(start(), ...call, ...end('tool_use'))).chatStream(callOf());
    const deltas = (await drain(stream)).map(({ chunk }) => firstChoice(chunk).delta);
    expect(deltas).toContainEqual({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] });
  });

  it('lets go of a stalled stream at once, also while a chunk is awaited', async () => {
    const stream = await serving(ANTHROPIC_GOLDENS.streamStalls).chatStream(callOf());
    const iterator = stream.chunks[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const pending = failureOf(iterator.next());
    await iterator.return?.();
    expect(await pending).toMatchObject({ fault: 'aborted' });
    await upstream.clientClosed();
  });

  it('skips events it does not know', async () => {
    const unknown = event({ type: 'weather_report', sky: 'blue' });
    const answer = sse(start(), unknown, ...TEXT_BLOCK, ...end());
    const stream = await serving(answer).chatStream(callOf());
    await drain(stream);
    expect(stream.report().finishReason).toBe('stop');
    expect(stream.malformedLines()).toBe(1);
  });

  it('takes an error as the first event for a refusal that cost nothing', async () => {
    const error = await failureOf(serving(sse(OVERLOADED_EVENT)).chatStream(callOf()));
    expect(error).toMatchObject({ fault: 'overloaded', upstreamStatus: 529, mayBeBilled: false });
  });

  it.each([
    ['before the first event', [], { firstByteMs: 60, idleMs: 60 }],
    ['in the middle of an answer', [start(), ...TEXT_BLOCK.slice(0, 2)], { idleMs: 60 }],
  ])('does not take pings for an answer: %s', async (_, opening, timeouts) => {
    const answer = { ...sse(...opening), endless: { text: PING, everyMs: 10 } };
    const model = { ...row.model, timeouts: { ...PATIENT, ...timeouts } };
    const error = await failureOf(serving(answer).chatStream(callOf({}, { model })).then(drain));
    expect(error).toMatchObject({ fault: 'timeout', mayBeBilled: true });
    await upstream.clientClosed();
  });

  it('reads no event that is too large', async () => {
    const answer = { ...sse(start(), 'data: '), endless: { text: 'x'.repeat(4 * 1024 * 1024) } };
    const error = await failureOf(serving(answer).chatStream(callOf()).then(drain));
    expect(error).toMatchObject({ fault: 'too_large', mayBeBilled: true });
    await upstream.clientClosed();
  });

  it('knows the prompt tokens of a stream that was cut', async () => {
    const answer = sse(start(CACHE_WRITE), ...TEXT_BLOCK.slice(0, 2), 'CUT');
    const error = await failureOf(serving(answer).chatStream(callOf()).then(drain));
    expect(error).toMatchObject({
      fault: 'cut',
      upstreamRequestId: FACTS.requestId,
      usage: { promptTokens: 160, cachedReadTokens: 100, cacheWriteTokens: 50 },
    });
    expect(error.usage?.completionTokens).toBeUndefined();
  });

  it('knows them when the whole prompt came from the cache', async () => {
    const usage = { ...USAGE, input_tokens: 0, cache_read_input_tokens: 5000, output_tokens: 1 };
    const answer = sse(start(usage), ...TEXT_BLOCK.slice(0, 2), 'CUT');
    const error = await failureOf(serving(answer).chatStream(callOf()).then(drain));
    expect(error.usage).toMatchObject({ promptTokens: 5000, cachedReadTokens: 5000 });
  });

  it.each([
    [
      529,
      'overloaded_error',
      'Overloaded',
      { 'retry-after': '3' },
      { fault: 'overloaded', retryAfterMs: 3000 },
    ],
    [400, 'invalid_request_error', 'Your credit balance is too low', {}, { fault: 'rejected' }],
    [
      400,
      'invalid_request_error',
      'Output blocked by content filtering policy',
      {},
      { fault: 'content_filter' },
    ],
    [413, 'request_too_large', 'Request exceeds the maximum size', {}, { fault: 'context_length' }],
    [402, 'billing_error', 'Payment required', {}, { fault: 'rejected' }],
    [418, 'teapot_error', 'Short and stout', {}, { fault: 'invalid_request', upstreamStatus: 418 }],
  ])('maps %i %s', async (status, type, text, headers, expected) => {
    const answer = failed(status, type, text, headers);
    expect(await failureOf(serving(answer).chat(callOf()))).toMatchObject({
      ...expected,
      mayBeBilled: false,
    });
  });

  it('follows no redirect', async () => {
    const answer = { status: 307, headers: { location: 'http://192.0.2.1/' }, steps: [] };
    expect(await failureOf(serving(answer).chat(callOf()))).toMatchObject({ fault: 'malformed' });
    expect(upstream.received).toHaveLength(1);
  });

  it('takes reasoning_effort as a budget inside max_tokens, or as an effort, by model', async () => {
    const text = message([{ type: 'text', text: 'Hi' }]);
    const body = { max_tokens: 4000, reasoning_effort: 'medium' };
    await serving(text).chat(callOf(body));
    expect(upstream.last.body).toMatchObject({
      max_tokens: 4000,
      thinking: { type: 'enabled', budget_tokens: 2000 },
    });
    const model = catalogModel({ provider: 'anthropic', upstreamId: 'claude-opus-4-6' });
    await serving(text).chat(callOf(body, { model }));
    expect(upstream.last.body).toMatchObject({
      max_tokens: 4000,
      thinking: { type: 'adaptive' },
      output_config: { effort: 'medium' },
    });
  });

  describe('thinking before tool calls', () => {
    const THOUGHTS = [
      { type: 'thinking', thinking: 'Both cities.', signature: 'EqQBCg' },
      { type: 'redacted_thinking', data: 'c2VjcmV0' },
    ];
    const CALLS = FACTS.calls.map(({ id, name, arguments: input }) => ({
      type: 'tool_use',
      id,
      name,
      input,
    }));
    const ADAPTIVE = catalogModel({ provider: 'anthropic', upstreamId: 'claude-opus-4-6' });
    const thinking = { max_tokens: 4000, reasoning_effort: 'medium' };
    const goesOn = { ...REQUESTS.toolResult(), ...thinking };
    const turn = () =>
      (upstream.last.body.messages as readonly { role: string; content: readonly { type: string }[] }[])[1]
        ?.content;
    const streamed = sse(
      start(),
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'Both ' },
        { type: 'thinking_delta', thinking: 'cities.' },
        { type: 'signature_delta', signature: 'EqQBCg' },
      ),
      ...block(1, { type: 'redacted_thinking', data: 'c2VjcmV0' }),
      ...CALLS.flatMap((call, index) =>
        block(
          index + 2,
          { ...call, input: {} },
          { type: 'input_json_delta', partial_json: JSON.stringify(call.input) },
        ),
      ),
      ...end('tool_use'),
    );
    const first = { ...REQUESTS.tools(), ...thinking };
    const asked = {
      chat: async (overrides: Partial<ChatCall>) =>
        serving(message([...THOUGHTS, ...CALLS], { stop_reason: 'tool_use' })).chat(callOf(first, overrides)),
      chatStream: async (overrides: Partial<ChatCall>) =>
        drain(await serving(streamed).chatStream(callOf(first, overrides))),
    };

    it.each([
      ['chat', row.model],
      ['chatStream', row.model],
      ['chat', ADAPTIVE],
      ['chatStream', ADAPTIVE],
    ] as const)('of %s goes back with the results, from any process', async (method, model) => {
      const owned = { ownerId: `${method} of ${model.upstreamId}`, model };
      await asked[method](owned);
      const { report } = await serving(message([{ type: 'text', text: 'Hi' }])).chat(callOf(goesOn, owned));
      expect(turn()).toMatchObject([...THOUGHTS, ...CALLS]);
      expect(upstream.last.body.thinking).toBeDefined();
      expect(report.warnings).toEqual([]);
    });

    it('is nobody else’s, and a model that needs it does not think on without', async () => {
      await asked.chat({ ownerId: 'ada' });
      const text = message([{ type: 'text', text: 'Hi' }]);
      const { report } = await serving(text).chat(callOf(goesOn, { ownerId: 'bob' }));
      expect(turn()?.map(({ type }) => type)).toEqual(['tool_use', 'tool_use']);
      expect(upstream.last.body.thinking).toBeUndefined();
      expect(report.warnings).toEqual([expect.stringContaining('reasoning_effort was left out')]);
    });

    it('is told before the call, and then goes back as it was told', async () => {
      const owned = { ownerId: 'dora' };
      await asked.chat(owned);
      const adapter = serving(message([{ type: 'text', text: 'Hi' }]));
      const call = callOf(goesOn, owned);
      const recalled = await adapter.recall(call);
      expect(recalled.map(({ thought }) => thought)).toEqual([expect.stringContaining('EqQBCg')]);
      await adapter.chat({ ...call, recalled });
      expect(turn()).toMatchObject([...THOUGHTS, ...CALLS]);
      await adapter.chat({ ...call, recalled: [] });
      expect(turn()?.map(({ type }) => type)).toEqual(['tool_use', 'tool_use']);
      expect(await adapter.recall(callOf(REQUESTS.toolResult(), owned))).toEqual([]);
      const plan = { id: 'other', type: 'function' as const, function: { name: 'plan', arguments: '{}' } };
      const half = [...goesOn.messages, { role: 'assistant' as const, content: null, tool_calls: [plan] }];
      expect(await adapter.recall(callOf({ ...goesOn, messages: half }, owned))).toEqual([]);
    });

    it('is not asked for when nobody thinks, or when the round is over', async () => {
      const before = store.questions;
      const adapter = serving(message([{ type: 'text', text: 'Hi' }]));
      await adapter.chat(callOf(REQUESTS.toolResult(), { ownerId: 'ada' }));
      const over = [...REQUESTS.toolResult().messages, { role: 'user' as const, content: 'Thanks' }];
      await adapter.chat(callOf({ ...goesOn, messages: over }, { ownerId: 'ada' }));
      expect(store.questions).toBe(before);
    });
  });

  it('names the stop sequence that ended the answer', async () => {
    const text = { type: 'text', text: 'one, ' };
    const whole = message([text], { stop_reason: 'stop_sequence', stop_sequence: 'two' });
    const { body } = await serving(whole).chat(callOf({ stop: ['two'] }));
    expect(firstChoice(body)).toMatchObject({ finish_reason: 'stop', stop_reason: 'two' });
    const streamed = sse(start(), ...end('stop_sequence', { output_tokens: 5 }, 'two'));
    const chunks = await drain(await serving(streamed).chatStream(callOf({ stop: ['two'] })));
    expect(firstChoice(chunks.at(-1)?.chunk ?? {})).toMatchObject({
      finish_reason: 'stop',
      stop_reason: 'two',
    });
    const other = await serving(message([text])).chat(callOf({ stop: ['two'] }));
    expect(firstChoice(other.body)).not.toHaveProperty('stop_reason');
  });

  it('warns of what the model cannot honour, by the names of OpenAI', async () => {
    const body = {
      seed: 7,
      frequency_penalty: 1,
      temperature: 1.7,
      n: 2,
      response_format: { type: 'json_object' },
    };
    const { report } = await serving(message([{ type: 'text', text: '{}' }])).chat(callOf(body));
    const named = report.warnings.map((text) => text.split(/[: ]/)[0]);
    expect(new Set(named)).toEqual(
      new Set(['n', 'seed', 'frequency_penalty', 'temperature', 'response_format']),
    );
    const stream = await serving(ANTHROPIC_GOLDENS.stream).chatStream(callOf(body));
    await drain(stream);
    expect(stream.report().warnings).toEqual(report.warnings);
  });

  it.each([
    ['messages[0].content[0].type', [{ type: 'hologram' }]],
    [undefined, [{ type: 'input_audio', input_audio: { data: 'QUJD', format: 'wav' } }]],
  ])('sends nothing that it cannot convert', async (param, content) => {
    const messages = [{ role: 'user' as const, content }];
    const error = await failureOf(serving(ANTHROPIC_GOLDENS.text).chat(callOf({ messages })));
    expect(error).toMatchObject({ fault: 'invalid_request', mayBeBilled: false, param });
    expect(upstream.received).toHaveLength(0);
  });

  describe('base URL', () => {
    it.each(['', '/', '/v1', '/v1/'])('may end with "%s"', async (ending) => {
      const base = upstream.serve('own', ANTHROPIC_GOLDENS.text);
      await adapterAt(`${base}${ending}`, API_KEY).chat(callOf());
      expect(upstream.last.path).toBe('/v1/messages');
    });

    it('needs no key', async () => {
      await adapterAt(upstream.serve('own', ANTHROPIC_GOLDENS.text)).chat(callOf());
      expect(upstream.last.headers['x-api-key']).toBeUndefined();
    });
  });

  describe('a server that never finishes its handshake', () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket));
    let port: number;
    beforeAll(async () => {
      port = await listen(silent);
    });
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const unreachable = () => adapterAt(`https://127.0.0.1:${port}`, API_KEY);

    it('is given up by the connect timer and billed nothing', async () => {
      const model = { ...row.model, timeouts: { ...PATIENT, connectMs: 40 } };
      const error = await failureOf(unreachable().chat(callOf({}, { model })));
      expect(error).toMatchObject({ fault: 'connect', mayBeBilled: false });
    });

    it('is left at once when the caller leaves', async () => {
      const controller = new AbortController();
      const running = failureOf(unreachable().chatStream(callOf({}, { signal: controller.signal })));
      setImmediate(() => controller.abort());
      expect(await running).toMatchObject({ fault: 'aborted', mayBeBilled: false });
    });
  });

  describe('listModels', () => {
    const page = (ids: readonly string[], hasMore: boolean): GoldenAnswer => ({
      steps: [
        JSON.stringify({
          data: ids.map((id) => ({
            type: 'model',
            id,
            display_name: id,
            created_at: '2026-02-04T00:00:00Z',
          })),
          first_id: ids[0] ?? null,
          has_more: hasMore,
          last_id: ids.at(-1) ?? null,
        }),
      ],
    });

    it('reads every page', async () => {
      const adapter = serving(page(['claude-a', 'claude-b'], false));
      expect(await adapter.listModels(new AbortController().signal)).toEqual(['claude-a', 'claude-b']);
      expect(upstream.last).toMatchObject({ method: 'GET', path: '/v1/models?limit=1000' });
      expect(upstream.last.headers).toMatchObject({
        'x-api-key': API_KEY,
        'anthropic-version': '2023-06-01',
      });
    });

    it('asks for the next page from where the last one ended', async () => {
      const adapter = serving(page(['claude-a'], true));
      const listing = adapter.listModels(new AbortController().signal);
      await upstream.arrival();
      upstream.serve('own', page([], false));
      expect(await listing).toEqual(['claude-a']);
      expect(upstream.last.path).toBe('/v1/models?limit=1000&after_id=claude-a');
    });

    it.each([
      [ANTHROPIC_GOLDENS.unauthorized, { fault: 'rejected', upstreamStatus: 401 }],
      [{ steps: ['[]'] }, { fault: 'malformed' }],
      [ANTHROPIC_GOLDENS.wrongContentType, { fault: 'malformed' }],
    ])('fails like a chat (%#)', async (answer, expected) => {
      const error = await failureOf(serving(answer).listModels(new AbortController().signal));
      expect(error).toMatchObject(expected);
    });
  });
});
