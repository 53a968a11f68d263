import type { ChatBody, ChatMessage, JsonObject } from '../../src/common/index';
import { ImageLoader, ImagesBusyError } from '../../src/providers/adapters/images/image-loader';
import { KeptThoughts } from '../../src/providers/adapters/ai-sdk/kept-thoughts';
import { GoogleAdapter } from '../../src/providers/adapters/google/google.adapter';
import type { ChatCall, ProviderError } from '../../src/providers/index';
import { API_KEY, type ContractRow, FACTS, PIXEL, PROMPT, REQUESTS } from '../support/contract/adapter-cases';
import { catalogModel } from '../support/contract/catalog-model';
import { type GoldenAnswer, GoldenUpstream, type ReceivedRequest } from '../support/contract/golden-upstream';
import {
  answer,
  content,
  END,
  event,
  failed,
  functionCall,
  GOOGLE_GOLDENS,
  HELLO,
  message,
  OVERLOADED_EVENT,
  quotaDetails,
  RESPONSE_ID,
  sse,
  TEXT,
  THOUGHT,
} from '../support/contract/google.goldens';
import { drain, runContract } from '../support/contract/run-contract';
import { StoreInMemory } from '../support/contract/thought-store';

const UPSTREAM_ID = 'gemini-2.5-flash';
const NEWER_ID = 'gemini-3.8-flash';
const PATH = `/v1beta/models/${UPSTREAM_ID}`;
const DULL = { supports: { ...catalogModel({ provider: 'google' }).supports, reasoning: false } };
const SCHEMA = REQUESTS.jsonSchema().response_format?.json_schema?.schema;
const PIXEL_DATA = PIXEL.split(',')[1] ?? '';
const TOOLS = {
  tools: [
    {
      functionDeclarations: REQUESTS.tools().tools?.map(({ function: tool }) => ({
        name: tool?.name,
        description: tool?.description,
        parametersJsonSchema: tool?.parameters,
      })),
    },
  ],
};
const AUTO = { toolConfig: { functionCallingConfig: { mode: 'AUTO' } } };
const ASKED = { role: 'user', parts: [{ text: PROMPT }] };
const SYSTEM = { systemInstruction: { parts: [{ text: 'Answer briefly.' }] } };

/** The request in Google's dialect, whole: nothing may be added that the caller did not ask for. */
const sends = (expected: object) => (request: ReceivedRequest) => {
  expect(request.body).toEqual({
    generationConfig: { maxOutputTokens: 256 },
    contents: [ASKED],
    ...JSON.parse(JSON.stringify(expected)),
  });
};

const row: ContractRow = {
  name: GoogleAdapter.name,
  model: catalogModel({ provider: 'google', upstreamId: UPSTREAM_ID }),
  goldens: GOOGLE_GOLDENS,
  chatPath: `${PATH}:generateContent`,
  streamPath: `${PATH}:streamGenerateContent?alt=sse`,
  credentialHeader: ['x-goog-api-key', API_KEY],
  mockPath: '',
  received: {
    text: (request) => {
      sends(SYSTEM)(request);
      expect(request.headers['x-request-id']).toBe('req_0123456789abcdef0123456789abcdef');
    },
    stream: sends(SYSTEM),
    parallelTools: sends({ ...SYSTEM, ...TOOLS, ...AUTO }),
    streamTools: sends({ ...SYSTEM, ...TOOLS, ...AUTO }),
    toolResult: sends({
      ...TOOLS,
      contents: [
        { role: 'user', parts: [{ text: 'Weather in Paris and Rome?' }] },
        { role: 'model', parts: [functionCall(0), functionCall(1)] },
        {
          role: 'user',
          parts: FACTS.calls.map(({ id, name }, index) => ({
            functionResponse: {
              id,
              name,
              response: { name, content: ['18 degrees', '24 degrees'][index] },
            },
          })),
        },
      ],
    }),
    image: sends({
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'What colour is this?' },
            { inlineData: { mimeType: 'image/png', data: PIXEL_DATA } },
          ],
        },
      ],
    }),
    jsonSchema: sends({
      ...SYSTEM,
      generationConfig: {
        maxOutputTokens: 256,
        responseMimeType: 'application/json',
        responseJsonSchema: SCHEMA,
      },
    }),
  },
  create: (baseUrl) =>
    new GoogleAdapter({ baseUrl, apiKey: API_KEY, isConfigured: true, variables: ['GOOGLE_API_KEY'] }),
};

runContract(row);

describe(`${GoogleAdapter.name}, what is Google's own`, () => {
  const upstream = new GoldenUpstream();
  const adapters: GoogleAdapter[] = [];

  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  beforeEach(() => upstream.reset());
  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((adapter) => adapter.close()));
  });

  /** What outlives an adapter, as the database does a process. */
  const store = new StoreInMemory();

  const adapterAt = (baseUrl: string, apiKey?: string, images?: ImageLoader): GoogleAdapter => {
    const adapter = new GoogleAdapter(
      { baseUrl, apiKey, isConfigured: true, variables: [] },
      { images, thoughts: new KeptThoughts(store) },
    );
    adapters.push(adapter);
    return adapter;
  };
  const serving = (golden: GoldenAnswer): GoogleAdapter => adapterAt(upstream.serve('own', golden), API_KEY);
  const callOf = (body: Partial<ChatBody> = {}, overrides: Partial<ChatCall> = {}): ChatCall => ({
    model: row.model,
    body: { ...REQUESTS.text(), ...body },
    signal: new AbortController().signal,
    requestId: 'req_0123456789abcdef0123456789abcdef',
    ...overrides,
  });
  const newer = { model: catalogModel({ provider: 'google', upstreamId: NEWER_ID }) };
  const failureOf = (run: Promise<unknown>): Promise<ProviderError> =>
    run.then(
      () => Promise.reject(new Error('It did not fail')),
      (error: unknown) => error as ProviderError,
    );
  const firstChoice = (body: JsonObject): JsonObject => (body.choices as readonly JsonObject[])[0] ?? {};
  const named = (warnings: readonly string[]) => new Set(warnings.map((text) => text.split(/[: ]/)[0]));

  it('streams thoughts, then text, then the finish reason and the whole usage', async () => {
    const steps = [
      event(content([{ text: 'A greeting ', thought: true }])),
      event(content([{ text: 'will do.', thought: true }])),
      event(content([TEXT])),
      event(
        content([{ text: '', thoughtSignature: 'Ab12' }], { finishReason: 'STOP', usageMetadata: THOUGHT }),
      ),
    ];
    const stream = await serving(sse(...steps)).chatStream(
      callOf({ stream_options: { include_usage: true } }),
    );
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
      id: RESPONSE_ID,
      choices: [],
      usage: {
        prompt_tokens: 20,
        completion_tokens: 90,
        total_tokens: 110,
        completion_tokens_details: { reasoning_tokens: 64 },
      },
    });
    expect(stream.report().usage).toEqual({ promptTokens: 20, completionTokens: 90, reasoningTokens: 64 });
  });

  it('keeps unknown apart from zero', async () => {
    const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 };
    const { report, body } = await serving(message([TEXT], { usageMetadata })).chat(callOf());
    expect(report.usage).toEqual({ promptTokens: 3, completionTokens: 2 });
    expect(body.usage).toEqual({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
  });

  it.each([
    ['STOP', 'stop', 'stop'],
    ['MAX_TOKENS', 'length', 'length'],
    ['SAFETY', 'content_filter', 'content_filter'],
    ['RECITATION', 'content_filter', 'content_filter'],
    ['BLOCKLIST', 'content_filter', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter', 'content_filter'],
    ['SPII', 'content_filter', 'content_filter'],
    ['IMAGE_PROHIBITED_CONTENT', 'content_filter', 'content_filter'],
    ['LANGUAGE', 'unknown', 'stop'],
    ['SOMETHING_NEW', 'unknown', 'stop'],
  ])('maps the finish reason %s to %s', async (finishReason, reported, written) => {
    const { report, body } = await serving(message([TEXT], { finishReason })).chat(callOf());
    expect(report).toMatchObject({ finishReason: reported, rawFinishReason: finishReason });
    expect(firstChoice(body).finish_reason).toBe(written);
    const stream = await serving(sse(HELLO, event(content([], { finishReason })))).chatStream(callOf());
    const last = (await drain(stream)).at(-1)?.chunk ?? {};
    expect(stream.report()).toMatchObject({ finishReason: reported, rawFinishReason: finishReason });
    expect(firstChoice(last).finish_reason).toBe(written);
  });

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'MALFORMED_RESPONSE'])(
    'takes %s for no answer, but for a paid one',
    async (finishReason) => {
      const expected = { fault: 'malformed', failure: 'retry', mayBeBilled: true, usage: FACTS.usage };
      const whole = failureOf(serving(message([], { finishReason })).chat(callOf()));
      expect(await whole).toMatchObject(expected);
      const streamed = serving(sse(HELLO, event(content([], { finishReason })))).chatStream(callOf());
      expect(await failureOf(streamed.then(drain))).toMatchObject(expected);
    },
  );

  it('tells a refused prompt from an empty answer', async () => {
    const blocked = {
      promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
      usageMetadata: { promptTokenCount: 12, totalTokenCount: 12 },
      modelVersion: UPSTREAM_ID,
    };
    const { report, body } = await serving(answer(blocked)).chat(callOf());
    expect(report).toMatchObject({ finishReason: 'content_filter', rawFinishReason: 'PROHIBITED_CONTENT' });
    expect(report.usage).toEqual({ promptTokens: 12, completionTokens: 0 });
    expect(firstChoice(body)).toMatchObject({ message: { content: '' }, finish_reason: 'content_filter' });
    const stream = await serving(sse(event(blocked))).chatStream(callOf());
    await drain(stream);
    expect(stream.report()).toMatchObject({
      finishReason: 'content_filter',
      usage: { promptTokens: 12, completionTokens: 0 },
    });
    const error = await failureOf(serving(answer({ usageMetadata: {} })).chat(callOf()));
    expect(error).toMatchObject({ fault: 'malformed', mayBeBilled: true });
  });

  it('knows the prompt tokens of a stream that was cut', async () => {
    const error = await failureOf(serving(sse(HELLO, 'CUT')).chatStream(callOf()).then(drain));
    expect(error).toMatchObject({ fault: 'cut', upstreamRequestId: FACTS.requestId });
    expect(error.usage).toEqual({ promptTokens: 12 });
  });

  it('takes an error as the first event for a failure of the provider', async () => {
    const error = await failureOf(serving(sse(OVERLOADED_EVENT)).chatStream(callOf()).then(drain));
    expect(error).toMatchObject({ fault: 'overloaded', upstreamStatus: 503 });
  });

  it('sends one request, also where the answer could go on with a second', async () => {
    const part = { finishReason: 'CONTINUATION', continuationToken: 'next' };
    const { report, body } = await serving(message([TEXT], part)).chat(callOf());
    expect(report).toMatchObject({
      finishReason: 'length',
      rawFinishReason: 'CONTINUATION',
      usage: FACTS.usage,
    });
    expect(firstChoice(body)).toMatchObject({ message: { content: FACTS.text }, finish_reason: 'length' });
    expect(upstream.received).toHaveLength(1);
    const stream = await serving(sse(HELLO, event(content([{ text: '!' }], part)))).chatStream(callOf());
    await drain(stream);
    expect(stream.report()).toMatchObject({
      finishReason: 'length',
      rawFinishReason: 'CONTINUATION',
      usage: FACTS.usage,
    });
    expect(upstream.received).toHaveLength(2);
  });

  it.each([
    [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', { fault: 'rejected' }],
    [400, 'INVALID_ARGUMENT', 'API key expired. Please renew the API key.', { fault: 'rejected' }],
    [400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.', { fault: 'rejected' }],
    [400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.', { fault: 'invalid_request' }],
    [
      400,
      'INVALID_ARGUMENT',
      'Request payload size exceeds the limit: 20971520 bytes.',
      { fault: 'context_length' },
    ],
    [403, 'PERMISSION_DENIED', 'Your project has been denied access.', { fault: 'rejected' }],
    [
      429,
      'RESOURCE_EXHAUSTED',
      'Resource has been exhausted.',
      { fault: 'rate_limited', retryAfterMs: undefined },
    ],
    [499, 'CANCELLED', 'The operation was cancelled.', { fault: 'overloaded' }],
    [504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.', { fault: 'overloaded' }],
  ])('maps %i %s %s', async (status, name, text, expected) => {
    expect(await failureOf(serving(failed(status, name, text)).chat(callOf()))).toMatchObject({
      ...expected,
      upstreamStatus: status,
      mayBeBilled: false,
    });
  });

  it('waits for fractions of a second as the details of a 429 say, streamed or not', async () => {
    const details = quotaDetails('10.689924287s');
    const golden = failed(429, 'RESOURCE_EXHAUSTED', 'Please retry in 10.689924287s.', details);
    expect((await failureOf(serving(golden).chat(callOf()))).retryAfterMs).toBe(10_690);
    const error = { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED', details };
    const late = await failureOf(
      serving(sse(HELLO, event({ error })))
        .chatStream(callOf())
        .then(drain),
    );
    expect(late).toMatchObject({ fault: 'rate_limited', retryAfterMs: 10_690, mayBeBilled: true });
  });

  describe('thought signatures', () => {
    const rounds = REQUESTS.toolResult();
    const modelTurn = () => (upstream.last.body.contents as readonly { parts: unknown }[])[1]?.parts;
    const signedParts = [functionCall(0, 'c2lnbmVk'), functionCall(1)];

    it.each([
      [
        'chat',
        message(signedParts),
        (adapter: GoogleAdapter) => adapter.chat(callOf(REQUESTS.tools(), newer)),
      ],
      [
        'chatStream',
        sse(event(content(signedParts)), END),
        async (adapter: GoogleAdapter) => drain(await adapter.chatStream(callOf(REQUESTS.tools(), newer))),
      ],
    ] as const)('of tool calls from %s go back with them', async (_method, first, ask) => {
      const adapter = serving(first);
      await ask(adapter);
      upstream.serve('own', GOOGLE_GOLDENS.text);
      const { report } = await adapter.chat(callOf(rounds, newer));
      expect(modelTurn()).toEqual(signedParts);
      expect(report.warnings).toEqual([]);
    });

    it('are found by another process, and only for their owner', async () => {
      const owned = { ...newer, ownerId: 'ada' };
      await serving(message(signedParts)).chat(callOf(REQUESTS.tools(), owned));
      const other = serving(GOOGLE_GOLDENS.text);
      await other.chat(callOf(rounds, owned));
      expect(modelTurn()).toEqual(signedParts);
      await other.chat(callOf(rounds, { ...newer, ownerId: 'bob' }));
      expect(modelTurn()).not.toEqual(signedParts);
    });

    it('are told before the call, and then go back as they were told', async () => {
      const owned = { ...newer, ownerId: 'dora' };
      await serving(message(signedParts)).chat(callOf(REQUESTS.tools(), owned));
      const adapter = serving(GOOGLE_GOLDENS.text);
      const call = callOf(rounds, owned);
      const recalled = await adapter.recall(call);
      expect(recalled.map(({ thought }) => thought)).toEqual(['c2lnbmVk']);
      await adapter.chat({ ...call, recalled });
      expect(modelTurn()).toEqual(signedParts);
      await adapter.chat({ ...call, recalled: [] });
      expect(modelTurn()).not.toEqual(signedParts);
    });

    it('are stored before the stream tells that it is whole', async () => {
      const golden = sse(event(content(signedParts)), END);
      const stream = await serving(golden).chatStream(
        callOf(REQUESTS.tools(), { ...newer, ownerId: 'cleo' }),
      );
      const before = store.size;
      for await (const { chunk } of stream.chunks) {
        if (firstChoice(chunk).finish_reason) break;
      }
      expect(store.size).toBe(before + 1);
    });

    it('are not asked for where nothing was called, or by models that do not think', async () => {
      const adapter = serving(GOOGLE_GOLDENS.text);
      const plain = { model: catalogModel({ provider: 'google', upstreamId: NEWER_ID, ...DULL }) };
      const asked = store.questions;
      await adapter.chat(callOf({}, { ...newer, ownerId: 'ada' }));
      await adapter.chat(callOf(rounds, { ...plain, ownerId: 'ada' }));
      expect(store.questions).toBe(asked);
    });

    it('that are lost, or of another call, are replaced by the documented stand-in, with a warning', async () => {
      const other = { functionCall: { id: 'call_a', name: 'get_weather', args: { city: 'Oslo' } } };
      const adapter = serving(message([{ ...other, thoughtSignature: 'c2lnbmVk' }]));
      await adapter.chat(callOf(REQUESTS.tools(), newer));
      upstream.serve('own', GOOGLE_GOLDENS.text);
      const { report } = await adapter.chat(callOf(rounds, newer));
      expect(modelTurn()).toMatchObject([{ thoughtSignature: 'skip_thought_signature_validator' }, {}]);
      expect(report.warnings).toEqual([expect.stringMatching(/^messages: the thoughts behind earlier/)]);
      upstream.serve('own', GOOGLE_GOLDENS.stream);
      const stream = await adapter.chatStream(callOf(rounds, newer));
      await drain(stream);
      expect(stream.report().warnings).toEqual(report.warnings);
    });
  });

  it('gives calls without an id ids of their own', async () => {
    const call = { functionCall: { name: 'now' } };
    const { body } = await serving(message([call, call])).chat(callOf(REQUESTS.tools()));
    const calls = (firstChoice(body).message as JsonObject).tool_calls as readonly { id: string }[];
    expect(calls).toMatchObject([{ function: { name: 'now', arguments: '{}' } }, {}]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    for (const { id } of calls) expect(id).toMatch(/^call_[0-9a-f]{32}$/);
  });

  it('takes reasoning_effort as a budget inside max_tokens, or as a level, by model', async () => {
    const adapter = serving(GOOGLE_GOLDENS.text);
    await adapter.chat(callOf({ max_tokens: 4000, reasoning_effort: 'medium' }));
    expect(upstream.last.body.generationConfig).toEqual({
      maxOutputTokens: 4000,
      thinkingConfig: { includeThoughts: true, thinkingBudget: 2000 },
    });
    await adapter.chat(callOf({ max_tokens: 4000, reasoning_effort: 'medium' }, newer));
    expect(upstream.last.body.generationConfig).toEqual({
      maxOutputTokens: 4000,
      thinkingConfig: { includeThoughts: true, thinkingLevel: 'medium' },
    });
    await adapter.chat(callOf({ max_tokens: 4000, reasoning_effort: 'none' }));
    expect(upstream.last.body.generationConfig).toMatchObject({ thinkingConfig: { thinkingBudget: 0 } });
  });

  it('warns of what the model cannot honour, by the names of OpenAI', async () => {
    const body = {
      n: 2,
      logprobs: true,
      top_logprobs: 2,
      logit_bias: { 7: 1 },
      parallel_tool_calls: false,
      presence_penalty: 1,
      frequency_penalty: 1,
    };
    const { report } = await serving(GOOGLE_GOLDENS.text).chat(callOf(body));
    expect(named(report.warnings)).toEqual(new Set(Object.keys(body)));
    const stream = await serving(GOOGLE_GOLDENS.stream).chatStream(callOf(body));
    await drain(stream);
    expect(stream.report().warnings).toEqual(report.warnings);
  });

  describe('images by URL', () => {
    const messages = (url: string): ChatMessage[] => [
      { role: 'system', content: 'Look closely.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url } },
        ],
      },
    ];

    it('go as bytes', async () => {
      const send = () =>
        Promise.resolve({ status: 200, headers: {}, body: Buffer.from(PIXEL_DATA, 'base64'), isCut: false });
      const images = new ImageLoader({ send, close: () => Promise.resolve() });
      const adapter = adapterAt(upstream.serve('own', GOOGLE_GOLDENS.text), API_KEY, images);
      await adapter.chat(callOf({ messages: messages('https://example.com/a.png') }));
      expect(upstream.last.body.contents).toMatchObject([
        { parts: [{}, { inlineData: { mimeType: 'image/png', data: PIXEL_DATA } }] },
      ]);
    });

    it.each(['chat', 'chatStream'] as const)('%s blames nobody when too many are fetched', async (method) => {
      const images = new ImageLoader();
      jest.spyOn(images, 'load').mockRejectedValue(new ImagesBusyError());
      const adapter = adapterAt(upstream.serve('own', GOOGLE_GOLDENS.text), API_KEY, images);
      const call = callOf({ messages: messages('https://example.com/a.png') });
      await expect(adapter[method](call)).rejects.toBeInstanceOf(ImagesBusyError);
      expect(upstream.received).toHaveLength(0);
    });

    it('are never fetched from private addresses', async () => {
      const call = callOf({ messages: messages(`${upstream.url}/g/own/a.png`) });
      const error = await failureOf(serving(GOOGLE_GOLDENS.text).chat(call));
      expect(error).toMatchObject({
        fault: 'invalid_request',
        status: 400,
        param: 'messages[1].content[1].image_url.url',
        mayBeBilled: false,
      });
      expect(error.message).toContain('not a public address');
      expect(upstream.received).toHaveLength(0);
    });
  });

  describe('base URL', () => {
    it.each([
      ['', PATH],
      ['/', PATH],
      ['/v1beta', PATH],
      ['/v1beta/', PATH],
      ['/v1', PATH.replace('v1beta', 'v1')],
    ])('may end with "%s"', async (ending, path) => {
      const base = upstream.serve('own', GOOGLE_GOLDENS.text);
      await adapterAt(`${base}${ending}`, API_KEY).chat(callOf());
      expect(upstream.last.path).toBe(`${path}:generateContent`);
    });

    it('needs no key', async () => {
      await adapterAt(upstream.serve('own', GOOGLE_GOLDENS.text)).chat(callOf());
      expect(upstream.last.headers['x-goog-api-key']).toBeUndefined();
    });
  });

  describe('listModels', () => {
    const page = (names: readonly string[], nextPageToken?: string): GoldenAnswer =>
      answer({
        models: names.map((name) => ({
          name,
          version: '001',
          supportedGenerationMethods: ['generateContent'],
        })),
        nextPageToken,
      });
    const list = (adapter: GoogleAdapter) => adapter.listModels(new AbortController().signal);

    it('reads the names without their collection', async () => {
      const adapter = serving(page(['models/gemini-a', 'models/gemini-b']));
      expect(await list(adapter)).toEqual(['gemini-a', 'gemini-b']);
      expect(upstream.last).toMatchObject({ method: 'GET', path: '/v1beta/models?pageSize=1000' });
      expect(upstream.last.headers['x-goog-api-key']).toBe(API_KEY);
    });

    it('asks for the next page by the token of the last, and ends where a page is empty', async () => {
      const adapter = serving(page(['models/gemini-a'], 'to ken'));
      const running = list(adapter);
      await upstream.arrival();
      upstream.serve('own', page([], 'more'));
      expect(await running).toEqual(['gemini-a']);
      expect(upstream.received.map(({ path }) => path)).toEqual([
        '/v1beta/models?pageSize=1000',
        '/v1beta/models?pageSize=1000&pageToken=to%20ken',
      ]);
    });

    it('fails like a chat', async () => {
      const error = await failureOf(list(serving(GOOGLE_GOLDENS.unauthorized)));
      expect(error).toMatchObject({ fault: 'rejected', upstreamStatus: 401 });
    });
  });
});
