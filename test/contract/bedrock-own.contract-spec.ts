import { createServer } from 'node:http';
import { type ChatBody, type JsonObject, OutboundClient } from '../../src/common/index';
import type { ProviderSettings } from '../../src/config/index';
import { ImageLoader } from '../../src/providers/adapters/images/image-loader';
import { BedrockAdapter } from '../../src/providers/adapters/bedrock/bedrock.adapter';
import type { ChatCall, ProviderError } from '../../src/providers/index';
import { FACTS, MODEL_ID, PIXEL, PROMPT, REQUESTS } from '../support/contract/adapter-cases';
import { checkSignature } from '../support/contract/aws-signature';
import {
  BEDROCK_GOLDENS,
  blockStop,
  delta,
  end,
  event,
  exception,
  failed,
  message,
  START,
  stream,
  toolBlock,
} from '../support/contract/bedrock.goldens';
import { catalogModel } from '../support/contract/catalog-model';
import { type GoldenAnswer, type GoldenStep, GoldenUpstream } from '../support/contract/golden-upstream';
import { drain } from '../support/contract/run-contract';
import { listen } from '../support/listen';

const AWS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG', region: 'eu-central-1' };
const HAIKU = 'global.anthropic.claude-haiku-4-5-20251001-v1:0';
const TEXT = { text: FACTS.text };

describe(`${BedrockAdapter.name}, what is Bedrock's own`, () => {
  const upstream = new GoldenUpstream();
  const adapters: BedrockAdapter[] = [];

  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  beforeEach(() => upstream.reset());
  afterEach(async () => {
    await Promise.all(adapters.splice(0).map((adapter) => adapter.close()));
  });

  const adapterAt = (
    baseUrl: string,
    aws?: ProviderSettings['aws'],
    images?: ImageLoader,
  ): BedrockAdapter => {
    const adapter = new BedrockAdapter({ baseUrl, aws, isConfigured: true, variables: [] }, { images });
    adapters.push(adapter);
    return adapter;
  };
  const serving = (answer: GoldenAnswer): BedrockAdapter => adapterAt(upstream.serve('own', answer), AWS);
  const callOf = (body: Partial<ChatBody> = {}, upstreamId = MODEL_ID): ChatCall => ({
    model: catalogModel({ provider: 'bedrock', upstreamId }),
    body: { ...REQUESTS.text(), ...body },
    signal: new AbortController().signal,
    requestId: 'req_0123456789abcdef0123456789abcdef',
  });
  const failureOf = (run: Promise<unknown>): Promise<ProviderError> =>
    run.then(
      () => Promise.reject(new Error('It did not fail')),
      (error: unknown) => error as ProviderError,
    );
  const streamed = (...steps: GoldenStep[]): Promise<ProviderError> =>
    failureOf(
      serving(stream(...steps))
        .chatStream(callOf())
        .then(drain),
    );
  const firstChoice = (body: JsonObject): JsonObject => (body.choices as readonly JsonObject[])[0] ?? {};

  const CACHE_WRITE = {
    inputTokens: 10,
    outputTokens: 90,
    totalTokens: 250,
    cacheReadInputTokens: 100,
    cacheWriteInputTokens: 50,
    cacheDetails: [
      { inputTokens: 20, ttl: '5m' },
      { inputTokens: 30, ttl: '1h' },
    ],
  };
  const COUNTED = {
    promptTokens: 160,
    cachedReadTokens: 100,
    cacheWriteTokens: 50,
    cacheWriteOneHourTokens: 30,
    completionTokens: 90,
  };

  it('streams thoughts, then text, then the finish reason and the whole usage', async () => {
    const answer = stream(
      START,
      delta(0, { reasoningContent: { text: 'A greeting ' } }),
      delta(0, { reasoningContent: { text: 'will do.' } }),
      delta(0, { reasoningContent: { signature: 'EqQBCgIYAhIM' } }),
      blockStop(0),
      delta(1, TEXT),
      blockStop(1),
      ...end('end_turn', CACHE_WRITE),
    );
    const running = await serving(answer).chatStream(callOf({ stream_options: { include_usage: true } }));
    const chunks = (await drain(running)).map(({ chunk }) => chunk);
    expect(chunks.slice(0, -1).map((chunk) => firstChoice(chunk).delta)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning_content: 'A greeting ' },
      { reasoning_content: 'will do.' },
      { content: FACTS.text },
      {},
    ]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 160,
        completion_tokens: 90,
        total_tokens: 250,
        prompt_tokens_details: { cached_tokens: 100 },
      },
    });
    expect(running.report().usage).toEqual(COUNTED);
  });

  it('tells thoughts and cache writes of a whole answer', async () => {
    const thought = { reasoningContent: { reasoningText: { text: 'A greeting.', signature: 'EqQB' } } };
    const { body, report } = await serving(message([thought, TEXT], { usage: CACHE_WRITE })).chat(callOf());
    expect(firstChoice(body).message).toMatchObject({
      content: FACTS.text,
      reasoning_content: 'A greeting.',
    });
    expect(report.usage).toEqual(COUNTED);
    expect(report.rawUsage).toEqual(CACHE_WRITE);
  });

  it('is told the thoughts before tool calls ahead of the call, and brings back what it was told', async () => {
    const thought = { reasoningContent: { reasoningText: { text: 'Both.', signature: 'EqQB' } } };
    const uses = FACTS.calls.map(({ id: toolUseId, name, arguments: input }) => ({
      toolUse: { toolUseId, name, input },
    }));
    const thinking = { max_tokens: 4000, reasoning_effort: 'medium' };
    const adapter = serving(message([thought, ...uses], { stopReason: 'tool_use' }));
    await adapter.chat(callOf({ ...REQUESTS.tools(), ...thinking }, HAIKU));
    upstream.serve('own', BEDROCK_GOLDENS.text);
    const { tools } = REQUESTS.tools();
    const next = { ...REQUESTS.toolResult(), tools, ...thinking };
    const recalled = await adapter.recall(callOf(next, HAIKU));
    expect(recalled.map((one) => one.thought)).toEqual([expect.stringContaining('EqQB')]);
    const turn = () => (upstream.last.body.messages as readonly { content: readonly object[] }[])[1]?.content;
    await adapter.chat({ ...callOf(next, HAIKU), recalled });
    expect(turn()).toMatchObject([thought, ...uses]);
    await adapter.chat({ ...callOf(next, HAIKU), recalled: [] });
    expect(turn()).toMatchObject(uses);
    const without = [
      callOf({ ...next, reasoning_effort: 'none' }, HAIKU),
      callOf({ ...next, tools: undefined }, HAIKU),
      callOf(next, 'amazon.nova-2-lite-v1:0'),
    ];
    for (const call of without) expect(await adapter.recall(call)).toEqual([]);
  });

  it('keeps unknown apart from zero', async () => {
    const { report, body } = await serving(BEDROCK_GOLDENS.text).chat(callOf());
    expect(report.usage).toEqual({ promptTokens: 12, completionTokens: 5 });
    expect(body.usage).toEqual({ prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 });
  });

  it.each([
    ['max_tokens', 'length', 'length'],
    ['model_context_window_exceeded', 'length', 'length'],
    ['content_filtered', 'content_filter', 'content_filter'],
    ['guardrail_intervened', 'content_filter', 'content_filter'],
    ['stop_sequence', 'stop', 'stop'],
    ['something_new', 'unknown', 'stop'],
  ])('maps the stop reason %s to %s', async (stopReason, reported, written) => {
    const { report, body } = await serving(message([TEXT], { stopReason })).chat(callOf());
    expect(report).toMatchObject({ finishReason: reported, rawFinishReason: stopReason });
    expect(firstChoice(body).finish_reason).toBe(written);
    const running = await serving(stream(START, delta(0, TEXT), ...end(stopReason))).chatStream(callOf());
    await drain(running);
    expect(running.report()).toMatchObject({ finishReason: reported, rawFinishReason: stopReason });
  });

  it.each(['malformed_tool_use', 'malformed_model_output'])('takes %s for a failure', async (stopReason) => {
    const expected = { fault: 'malformed', mayBeBilled: true, usage: FACTS.usage };
    expect(await failureOf(serving(message([TEXT], { stopReason })).chat(callOf()))).toMatchObject(expected);
    expect(await streamed(START, delta(0, TEXT), ...end(stopReason))).toMatchObject(expected);
  });

  it('writes empty arguments of a tool call as an object', async () => {
    const answer = stream(START, ...toolBlock(0, 'tooluse_1', 'now', ''), ...end('tool_use'));
    const running = await serving(answer).chatStream(callOf(REQUESTS.tools()));
    const deltas = (await drain(running)).map(({ chunk }) => firstChoice(chunk).delta);
    expect(deltas).toContainEqual({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] });
  });

  it('streams an answer by JSON schema as text', async () => {
    const answer = stream(START, ...toolBlock(0, 'tooluse_1', 'json', FACTS.json), ...end('tool_use'));
    const running = await serving(answer).chatStream(callOf(REQUESTS.jsonSchema()));
    const deltas = (await drain(running)).map(({ chunk }) => firstChoice(chunk).delta);
    expect(deltas).toEqual([{ role: 'assistant', content: '' }, { content: FACTS.json }, {}]);
    expect(running.report().finishReason).toBe('stop');
  });

  describe('streams', () => {
    it.each([
      ['throttlingException', 'Too many tokens, please wait before trying again.', 'rate_limited', 429],
      ['modelStreamErrorException', 'The model failed.', 'overloaded', 424],
      ['internalServerException', 'Internal error.', 'overloaded', 500],
      ['serviceUnavailableException', 'Try again later.', 'overloaded', 503],
      ['validationException', 'Input is too long for requested model.', 'context_length', 400],
      ['validationException', 'Something is wrong.', 'invalid_request', 400],
    ])('end with the exception %s (%s)', async (type, text, fault, upstreamStatus) => {
      const expected = { fault, upstreamStatus, mayBeBilled: true, upstreamRequestId: FACTS.requestId };
      const late = await streamed(START, delta(0, TEXT), exception(type, text));
      expect(late).toMatchObject(expected);
      expect(late.message).toContain(text);
      expect(await streamed(exception(type, text))).toMatchObject({ fault, upstreamStatus });
    });

    it('are cut when they end inside an event, or behind an exception that nobody knows', async () => {
      const half = delta(0, { text: 'lost' }).subarray(0, 30);
      expect(await streamed(START, delta(0, TEXT), half)).toMatchObject({ fault: 'cut', mayBeBilled: true });
      const strange = exception('weatherException', 'It rains.');
      expect(await streamed(START, delta(0, TEXT), strange)).toMatchObject({ fault: 'cut' });
    });

    it('are not trusted when a checksum is wrong', async () => {
      const broken = Buffer.from(delta(0, TEXT));
      broken[broken.length - 8] = (broken.at(-8) ?? 0) ^ 1;
      expect(await streamed(START, broken, ...end())).toMatchObject({
        fault: 'malformed',
        mayBeBilled: true,
      });
    });

    it('are whole without the usage, which stays unknown', async () => {
      const [messageStop] = end();
      const answer = stream(START, delta(0, TEXT), messageStop ?? '');
      const running = await serving(answer).chatStream(callOf());
      await drain(running);
      expect(running.report()).toMatchObject({ finishReason: 'stop', usage: {} });
      expect(running.report().usage.promptTokens).toBeUndefined();
    });

    it('skip events they do not know, and read events that come in pieces or together', async () => {
      const bytes = Buffer.concat([START, event('weatherReport', { sky: 'blue' }), delta(0, TEXT), ...end()]);
      const answer = stream(bytes.subarray(0, 7), bytes.subarray(7, 150), bytes.subarray(150));
      const running = await serving(answer).chatStream(callOf());
      expect((await drain(running)).map(({ chunk }) => firstChoice(chunk).delta)).toContainEqual({
        content: FACTS.text,
      });
    });
  });

  describe('errors', () => {
    it.each([
      [400, 'ServiceQuotaExceededException', 'Your request exceeds the service quota.', 'rate_limited'],
      [400, 'ValidationException', 'The provided model identifier is invalid.', 'not_found'],
      [400, 'ValidationException', 'Operation not allowed', 'rejected'],
      [400, 'ValidationException', 'prompt is too long: 208310 tokens > 200000 maximum', 'context_length'],
      [
        403,
        'AccessDeniedException',
        "You don't have access to the model with the specified model ID.",
        'rejected',
      ],
      [403, 'ExpiredTokenException', 'The security token included in the request is expired', 'rejected'],
      [408, 'ModelTimeoutException', 'The processing time exceeds the model timeout length.', 'overloaded'],
      [424, 'ModelErrorException', 'The model returned an error.', 'overloaded'],
      [429, 'ModelNotReadyException', 'The model is not ready.', 'overloaded'],
    ])('maps %i %s (%s)', async (status, type, text, fault) => {
      const error = await failureOf(serving(failed(status, type, text)).chat(callOf()));
      expect(error).toMatchObject({ fault, upstreamStatus: status, mayBeBilled: false });
      expect(error.upstreamRequestId).toBe(FACTS.requestId);
      expect(error.message).toBe(`bedrock answered ${status} ${type}: ${text}`);
    });

    it('knows an error of the front door by its body, without the header', async () => {
      const body = { __type: 'com.amazon.coral.service#AccessDeniedException', Message: 'Not for you' };
      const answer = { status: 400, steps: [JSON.stringify(body)] };
      const error = await failureOf(serving(answer).chat(callOf()));
      expect(error).toMatchObject({ fault: 'rejected' });
      expect(error.message).toBe('bedrock answered 400 AccessDeniedException: Not for you');
    });

    it('do not tell the account or its users', async () => {
      const text =
        'User: arn:aws:iam::111122223333:user/gateway is not authorized to perform: bedrock:InvokeModel on resource: ' +
        'arn:aws:bedrock:eu-central-1::foundation-model/m because no policy allows the action';
      const error = await failureOf(serving(failed(403, 'AccessDeniedException', text)).chat(callOf()));
      expect(error.message).toContain('User: [redacted] is not authorized');
      expect(error.message).not.toContain('arn:');
    });

    it('never takes a limit per minute for a prompt that is too long', async () => {
      const text = 'Too many tokens, please wait before trying again.';
      const answer = { status: 429, steps: [JSON.stringify({ message: text })] };
      expect(await failureOf(serving(answer).chat(callOf()))).toMatchObject({ fault: 'rate_limited' });
    });
  });

  describe('credentials', () => {
    const withEnvironment = async (run: () => Promise<unknown>): Promise<void> => {
      const planted = {
        AWS_BEARER_TOKEN_BEDROCK: 'planted-bearer',
        AWS_SESSION_TOKEN: 'planted-session',
        AWS_REGION: 'planted-region',
        AWS_ENDPOINT_URL: 'http://192.0.2.1',
      };
      const before = { ...process.env };
      Object.assign(process.env, planted);
      try {
        await run();
      } finally {
        process.env = before;
      }
    };

    it('sign what is sent, for a server that computes the signature again', async () => {
      const adapter = serving(BEDROCK_GOLDENS.text);
      await adapter.chat(callOf({}, HAIKU));
      expect(upstream.last.path).toBe(`/model/${encodeURIComponent(HAIKU)}/converse`);
      const { stated, computed } = checkSignature(upstream.last, '/g/own', AWS.secretAccessKey);
      expect(stated).toBe(computed);
    });

    it('come from the settings only, never from the environment', async () => {
      await withEnvironment(() => serving(BEDROCK_GOLDENS.text).chat(callOf()));
      expect(upstream.last.headers.authorization).toContain('AKIDEXAMPLE');
      expect(JSON.stringify(upstream.last.headers)).not.toContain('planted');
    });

    it('may be an API key, which chats, lists of models and embeddings carry as it is', async () => {
      const adapter = adapterAt(upstream.serve('own', BEDROCK_GOLDENS.text), { apiKey: 'bedrock-key-1' });
      await withEnvironment(() => adapter.chat(callOf()));
      expect(upstream.last.path).toBe(`/model/${MODEL_ID}/converse`);
      const model = catalogModel({
        provider: 'bedrock',
        upstreamId: 'amazon.titan-embed-text-v2:0',
      });
      const { signal, requestId } = callOf();
      await failureOf(
        adapter.embed({ model, inputs: ['a'], encoding: 'float', extra: {}, signal, requestId }),
      );
      expect(await adapter.listModels(signal)).toEqual([]);
      const sent = upstream.received.map(({ headers }) => headers.authorization);
      expect(new Set(sent)).toEqual(new Set(['Bearer bedrock-key-1']));
      expect(sent.length).toBeGreaterThanOrEqual(3);
      expect(JSON.stringify(upstream.received)).not.toContain('planted');
    });

    it('by an API key are never repeated in an error', async () => {
      const refused = { status: 403, steps: [JSON.stringify({ message: 'Bad key a b 1' })] };
      const adapter = adapterAt(upstream.serve('own', refused), { apiKey: 'a b 1' });
      const error = await failureOf(adapter.chat(callOf()));
      expect(error).toMatchObject({ fault: 'rejected' });
      expect(error.message).not.toContain('a b 1');
    });

    it('are not sent without AWS keys: the base URL signs itself', async () => {
      const unsigned = adapterAt(upstream.serve('own', BEDROCK_GOLDENS.text));
      await withEnvironment(() => unsigned.chat(callOf()));
      expect(upstream.last.headers.authorization).toBeUndefined();
      expect(JSON.stringify(upstream.last.headers)).not.toContain('planted');
    });

    it.each(['', '/'])('base URL may end with "%s"', async (ending) => {
      await adapterAt(`${upstream.serve('own', BEDROCK_GOLDENS.text)}${ending}`, AWS).chat(callOf());
      expect(upstream.last.path).toBe(`/model/${MODEL_ID}/converse`);
    });
  });

  describe('requests', () => {
    it('think inside max_tokens, by a budget or an effort', async () => {
      const body = { max_tokens: 4000, reasoning_effort: 'medium' };
      await serving(BEDROCK_GOLDENS.text).chat(callOf(body, HAIKU));
      expect(upstream.last.body).toMatchObject({
        inferenceConfig: { maxTokens: 4000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2000 } },
      });
      await serving(BEDROCK_GOLDENS.text).chat(callOf(body, 'global.anthropic.claude-opus-5-5'));
      expect(upstream.last.body).toMatchObject({
        inferenceConfig: { maxTokens: 4000 },
        additionalModelRequestFields: { thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
      });
      await serving(BEDROCK_GOLDENS.text).chat(
        callOf({ ...body, reasoning_effort: 'high' }, 'global.amazon.nova-2-lite-v1:0'),
      );
      expect(upstream.last.body).toMatchObject({
        inferenceConfig: { maxTokens: 4000 },
        additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } },
      });
    });

    it('carry what is the model’s own beside what Converse has', async () => {
      const cache_control = { type: 'ephemeral', ttl: '1h' };
      const messages: ChatBody['messages'] = [
        { role: 'system', content: [{ type: 'text', text: 'Rules', cache_control }] },
        { role: 'user', content: [{ type: 'text', text: PROMPT, cache_control: { type: 'ephemeral' } }] },
      ];
      const body = {
        ...REQUESTS.tools(),
        messages,
        top_k: 40,
        parallel_tool_calls: false,
        service_tier: 'default',
      };
      const { report } = await serving(BEDROCK_GOLDENS.text).chat(callOf(body, HAIKU));
      expect(upstream.last.body).toMatchObject({
        system: [{ text: 'Rules' }, { cachePoint: { type: 'default', ttl: '1h' } }],
        messages: [{ role: 'user', content: [{ text: PROMPT }, { cachePoint: { type: 'default' } }] }],
        additionalModelRequestFields: {
          top_k: 40,
          tool_choice: { type: 'auto', disable_parallel_tool_use: true },
        },
        serviceTier: { type: 'default' },
      });
      expect(upstream.last.body.inferenceConfig).toEqual({ maxTokens: 256 });
      expect(report.warnings).toEqual([]);
    });

    it('warn of what the model cannot honour, by the names of OpenAI', async () => {
      const body = {
        ...REQUESTS.tools(),
        seed: 7,
        frequency_penalty: 1,
        temperature: 1.7,
        n: 2,
        top_k: 3,
        parallel_tool_calls: false,
        reasoning_effort: 'high',
        response_format: { type: 'json_object' },
      };
      const { report } = await serving(BEDROCK_GOLDENS.text).chat(callOf(body));
      const named = new Set(report.warnings.map((text) => text.split(/[: ]/)[0]));
      expect(named).toEqual(
        new Set([
          'n',
          'seed',
          'frequency_penalty',
          'temperature',
          'top_k',
          'parallel_tool_calls',
          'reasoning_effort',
          'response_format',
        ]),
      );
      const running = await serving(BEDROCK_GOLDENS.stream).chatStream(callOf(body));
      await drain(running);
      expect(running.report().warnings).toEqual(report.warnings);
    });

    it('keep what tools said when no tool may be called any more', async () => {
      const body = { ...REQUESTS.toolResult(), tool_choice: 'none' };
      const { report } = await serving(BEDROCK_GOLDENS.text).chat(callOf(body));
      const sent = JSON.stringify(upstream.last.body.messages);
      expect(sent).toContain('18 degrees');
      expect(sent).toContain('24 degrees');
      expect(upstream.last.body.toolConfig).toBeUndefined();
      expect(report.warnings).toEqual([expect.stringContaining('sent as text')]);
    });
  });

  describe('images by URL', () => {
    const pixel = Buffer.from(PIXEL.split(',')[1] ?? '', 'base64');
    const server = createServer((_request, response) => response.end(pixel));
    let port: number;
    beforeAll(async () => {
      port = await listen(server);
    });
    afterAll(() => void server.close());
    const imageBody = (): Partial<ChatBody> => {
      const url = `http://127.0.0.1:${port}/pixel.png`;
      return { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] };
    };

    it('arrive as bytes', async () => {
      const outbound = new OutboundClient({ allowedHosts: [`127.0.0.1:${port}`], isHttpAllowed: true });
      const base = upstream.serve('own', BEDROCK_GOLDENS.text);
      await adapterAt(base, AWS, new ImageLoader(outbound)).chat(callOf(imageBody()));
      expect(upstream.last.body.messages).toEqual([
        {
          role: 'user',
          content: [{ image: { format: 'png', source: { bytes: pixel.toString('base64') } } }],
        },
      ]);
    });

    it('are refused at private addresses, and nothing is sent', async () => {
      const error = await failureOf(serving(BEDROCK_GOLDENS.text).chat(callOf(imageBody())));
      expect(error).toMatchObject({
        fault: 'invalid_request',
        mayBeBilled: false,
        param: 'messages[0].content[0].image_url.url',
      });
      expect(upstream.received).toHaveLength(0);
    });
  });

  describe('listModels', () => {
    const LISTS = {
      modelSummaries: [{ modelId: 'amazon.nova-pro-v1:0' }, { modelId: 'openai.gpt-oss-120b-1:0' }, {}],
      inferenceProfileSummaries: [{ inferenceProfileId: 'us.amazon.nova-pro-v1:0', status: 'ACTIVE' }],
    };

    it('reads models and inference profiles with signed requests', async () => {
      const adapter = serving({ steps: [JSON.stringify(LISTS)] });
      expect(await adapter.listModels(new AbortController().signal)).toEqual([
        'amazon.nova-pro-v1:0',
        'openai.gpt-oss-120b-1:0',
        'us.amazon.nova-pro-v1:0',
      ]);
      expect(upstream.received.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
        'GET /foundation-models',
        'GET /inference-profiles?maxResults=1000',
      ]);
      for (const request of upstream.received) {
        const { stated, computed } = checkSignature(request, '/g/own', AWS.secretAccessKey);
        expect(stated).toBe(computed);
      }
    });

    it.each([
      [failed(403, 'AccessDeniedException', 'Not authorized'), { fault: 'rejected', upstreamStatus: 403 }],
      [{ steps: ['[]'] }, { fault: 'malformed' }],
    ])('fails like a chat (%#)', async (answer, expected) => {
      const error = await failureOf(serving(answer).listModels(new AbortController().signal));
      expect(error).toMatchObject(expected);
    });
  });
});
