import type { CatalogModel } from '../../src/catalog/index';
import type { ChatBody, ProviderId } from '../../src/common/index';
import type { ProviderSettings } from '../../src/config/index';
import { KeptThoughts } from '../../src/providers/adapters/ai-sdk/kept-thoughts';
import { OpenAiDialectAdapter } from '../../src/providers/adapters/openai-dialect/openai-dialect.adapter';
import type { ChatCall, ProviderAdapter } from '../../src/providers/index';
import {
  API_KEY,
  type ContractRow,
  FACTS,
  MODEL_ID,
  PIXEL,
  PROMPT,
  REQUESTS,
} from '../support/contract/adapter-cases';
import { catalogModel } from '../support/contract/catalog-model';
import { GoldenUpstream, type ReceivedRequest } from '../support/contract/golden-upstream';
import {
  answer,
  callEvents,
  callItem,
  completed,
  CREATED,
  event,
  reasoningItem,
  response,
  RESPONSES_GOLDENS,
  sse,
  TEXT_ITEM,
  USAGE,
} from '../support/contract/openai-responses.goldens';
import { drain, runContract } from '../support/contract/run-contract';
import { StoreInMemory } from '../support/contract/thought-store';

const { tools } = REQUESTS.tools();
/** `strict` is what the chat API assumes where nothing is said. */
const SENT_TOOLS = tools?.map(({ function: fn }) => ({ type: 'function', ...fn, strict: false }));
const SENT_BEFORE = [
  { role: 'system', content: 'Answer briefly.' },
  { role: 'user', content: PROMPT },
];

function settings(baseUrl: string, apiKey: string | undefined = API_KEY): ProviderSettings {
  return { baseUrl, apiKey, isConfigured: true, variables: ['BASE_URL'] };
}

/** Every request with a tool, which is what brings it to the Responses API. */
class WithTools implements ProviderAdapter {
  constructor(private readonly inner: ProviderAdapter) {}
  readonly provider = this.inner.provider;
  readonly chat = (call: ChatCall) => this.inner.chat(equipped(call));
  readonly chatStream = (call: ChatCall) => this.inner.chatStream(equipped(call));
  readonly close = async (): Promise<void> => this.inner.close?.();
}

function equipped(call: ChatCall): ChatCall {
  return { ...call, body: { tools, ...call.body } };
}

const sent =
  (extra: object) =>
  ({ body }: ReceivedRequest) => {
    expect(body).toEqual({
      model: MODEL_ID,
      store: false,
      include: ['reasoning.encrypted_content'],
      max_output_tokens: 256,
      tools: SENT_TOOLS,
      ...extra,
    });
  };

function row(name: string, provider: ProviderId, overrides: Partial<ContractRow>): ContractRow {
  return {
    name,
    model: catalogModel({ provider, upstreamId: MODEL_ID, toolsApi: 'responses' }),
    goldens: RESPONSES_GOLDENS,
    chatPath: '/responses',
    credentialHeader: ['authorization', `Bearer ${API_KEY}`],
    mockPath: '/v1',
    received: {
      text: (request) => {
        sent({ input: SENT_BEFORE })(request);
        expect(request.headers['x-request-id']).toBe('req_0123456789abcdef0123456789abcdef');
        expect(request.headers['content-type']).toBe('application/json');
      },
      parallelTools: sent({ input: SENT_BEFORE, tool_choice: 'auto' }),
      toolResult: sent({
        input: [
          { role: 'user', content: 'Weather in Paris and Rome?' },
          ...FACTS.calls.map(({ id, name: called, arguments: input }) => ({
            type: 'function_call',
            call_id: id,
            name: called,
            arguments: JSON.stringify(input),
          })),
          { type: 'function_call_output', call_id: 'call_a', output: '18 degrees' },
          { type: 'function_call_output', call_id: 'call_b', output: '24 degrees' },
        ],
      }),
      image: sent({
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What colour is this?' },
              { type: 'input_image', image_url: PIXEL },
            ],
          },
        ],
      }),
      jsonSchema: sent({
        input: SENT_BEFORE,
        text: {
          format: {
            type: 'json_schema',
            name: 'place',
            strict: true,
            schema: tools?.[0]?.function?.parameters,
          },
        },
      }),
      stream: sent({ input: SENT_BEFORE, stream: true }),
      streamTools: sent({ input: SENT_BEFORE, stream: true, tool_choice: 'auto' }),
    },
    create: (baseUrl) => new WithTools(new OpenAiDialectAdapter(provider, settings(baseUrl))),
    ...overrides,
  };
}

runContract(row('openai-responses', 'openai', {}));
runContract(
  row('azure-responses', 'azure', {
    chatPath: '/openai/v1/responses',
    credentialHeader: ['api-key', API_KEY],
    mockPath: undefined,
  }),
);

describe('tools over the Responses API', () => {
  const upstream = new GoldenUpstream();
  const adapters: OpenAiDialectAdapter[] = [];
  const model = catalogModel({ toolsApi: 'responses' });
  const thoughts = new KeptThoughts(new StoreInMemory());

  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  beforeEach(() => upstream.reset());
  afterEach(async () => {
    for (const adapter of adapters.splice(0)) await adapter.close();
  });

  const at = (url: string, apiKey?: string): OpenAiDialectAdapter => {
    const adapter = new OpenAiDialectAdapter('openai', settings(url, apiKey), { thoughts });
    adapters.push(adapter);
    return adapter;
  };
  const call = (body: ChatBody, extra: Partial<ChatCall> = {}): ChatCall => ({
    model,
    body,
    signal: new AbortController().signal,
    requestId: 'req_1',
    ownerId: 'owner-1',
    ...extra,
  });
  const input = (): unknown => upstream.last.body.input;

  it.each<[string, ChatBody, CatalogModel]>([
    ['a request without tools', REQUESTS.text(), model],
    ['an empty list of tools', { ...REQUESTS.text(), tools: [] }, model],
    ['a model that takes tools over Chat Completions', REQUESTS.tools(), catalogModel()],
  ])('leaves %s to Chat Completions', async (_, body, called) => {
    const url = upstream.serve('chat', RESPONSES_GOLDENS.text);
    await at(url)
      .chat(call(body, { model: called }))
      .catch(() => undefined);
    expect(upstream.last.path).toBe('/chat/completions');
  });

  it('sends a conversation with tool calls over the Responses API although it offers none any more', async () => {
    const { tools: _, ...body } = REQUESTS.toolResult();
    await at(upstream.serve('text', RESPONSES_GOLDENS.text)).chat(call(body));
    expect(upstream.last.path).toBe('/responses');
    expect(upstream.last.body).not.toHaveProperty('tools');
  });

  it('calls with the credential of an owner, and keeps his thoughts with the others', async () => {
    const url = upstream.serve(
      'call',
      answer([reasoningItem('rs_9', 'gAAAAABo-own'), callItem(0), callItem(1)]),
    );
    const own = at(url).withSettings(settings(url, 'credential-of-the-owner'));
    await own.chat(call(REQUESTS.tools(), { ownerId: 'owner-9' }));
    expect(upstream.last.headers.authorization).toBe('Bearer credential-of-the-owner');
    await own.chat(call(REQUESTS.toolResult(), { ownerId: 'owner-9' }));
    expect(input()).toContainEqual(expect.objectContaining({ encrypted_content: 'gAAAAABo-own' }));
  });

  describe('thoughts', () => {
    const FIRST = reasoningItem('rs_1', 'gAAAAABo-first');
    const SECOND = reasoningItem('rs_2', 'gAAAAABo-second');
    const SAID = {
      ...TEXT_ITEM,
      phase: 'commentary',
      content: [{ type: 'output_text', text: 'I will look.', annotations: [] }],
    };
    const OUTPUT = [FIRST, SAID, callItem(0), SECOND, callItem(1)];
    const returned = (): ChatBody => {
      const body = REQUESTS.toolResult();
      const [user, assistant, ...results] = body.messages;
      if (!user || !assistant) throw new Error('The request lost its messages');
      return { ...body, messages: [user, { ...assistant, content: 'I will look.' }, ...results] };
    };
    const sentBack = (item: object): object => {
      const { status: _, ...rest } = item as { readonly status?: string };
      return rest;
    };
    const CALLS = FACTS.calls.map(({ id, name, arguments: args }) => ({
      type: 'function_call',
      call_id: id,
      name,
      arguments: JSON.stringify(args),
    }));
    const WITH_THOUGHTS = [
      sentBack(FIRST),
      { role: 'assistant', content: 'I will look.', phase: 'commentary' },
      CALLS[0],
      sentBack(SECOND),
      CALLS[1],
    ];
    const WITHOUT = [{ role: 'assistant', content: 'I will look.' }, ...CALLS];
    const streamed = sse(
      CREATED,
      event('response.output_item.done', { output_index: 0, item: FIRST }),
      event('response.output_item.done', { output_index: 1, item: SAID }),
      ...callEvents(0, 2),
      event('response.output_item.done', { output_index: 3, item: SECOND }),
      ...callEvents(1, 4),
      completed(OUTPUT),
    );

    it('go back where they stood, for the owner alone', async () => {
      await at(upstream.serve('call', answer(OUTPUT))).chat(call(REQUESTS.tools()));
      const adapter = at(upstream.serve('text', RESPONSES_GOLDENS.text));
      await adapter.chat(call(returned()));
      expect((input() as unknown[]).slice(1, 6)).toEqual(WITH_THOUGHTS);
      await adapter.chat(call(returned(), { ownerId: 'owner-2' }));
      expect((input() as unknown[]).slice(1, 4)).toEqual(WITHOUT);
    });

    it('of a stream are kept when its last chunk is seen', async () => {
      const owner = { ownerId: 'owner-3' };
      const url = upstream.serve('call', streamed);
      await drain(await at(url).chatStream(call(REQUESTS.tools(), owner)));
      await drain(
        await at(upstream.serve('text', RESPONSES_GOLDENS.stream)).chatStream(call(returned(), owner)),
      );
      expect((input() as unknown[]).slice(1, 6)).toEqual(WITH_THOUGHTS);
    });

    it('of another account stay where they are: it could not read them', async () => {
      const owner = { ownerId: 'owner-4' };
      await at(upstream.serve('call', answer(OUTPUT))).chat(call(REQUESTS.tools(), owner));
      const other = at(upstream.serve('text', RESPONSES_GOLDENS.text), 'another-credential');
      await other.chat(call(returned(), owner));
      expect((input() as unknown[]).slice(1, 4)).toEqual(WITHOUT);
    });

    it('are told before the call, and then go back as they were told', async () => {
      const owner = { ownerId: 'owner-6' };
      await at(upstream.serve('call', answer(OUTPUT))).chat(call(REQUESTS.tools(), owner));
      const url = upstream.serve('text', RESPONSES_GOLDENS.text);
      const asked = call(returned(), owner);
      const recalled = await at(url).recall(asked);
      expect(recalled).toHaveLength(2);
      expect(recalled[0]?.thought).toContain('gAAAAABo-first');
      await at(url).chat({ ...asked, recalled });
      expect((input() as unknown[]).slice(1, 6)).toEqual(WITH_THOUGHTS);
      await at(url).chat({ ...asked, recalled: [] });
      expect((input() as unknown[]).slice(1, 4)).toEqual(WITHOUT);
      await at(url, 'another-credential').chat({ ...asked, recalled });
      expect((input() as unknown[]).slice(1, 4)).toEqual(WITHOUT);
      expect(await at(url).recall(call(returned(), { ...owner, model: catalogModel() }))).toEqual([]);
    });

    it('that the provider cannot read are left out of the next attempt', async () => {
      const owner = { ownerId: 'owner-5' };
      await at(upstream.serve('call', answer(OUTPUT))).chat(call(REQUESTS.tools(), owner));
      const error = {
        message: 'The encrypted content gAAA...-ond could not be verified.',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_encrypted_content',
      };
      const refusing = at(upstream.serve('refused', { status: 400, steps: [JSON.stringify({ error })] }));
      await expect(refusing.chat(call(returned(), owner))).rejects.toMatchObject({
        fault: 'invalid_request',
        failure: 'retry',
        mayBeBilled: false,
      });
      expect((input() as unknown[]).slice(1, 6)).toEqual(WITH_THOUGHTS);
      await expect(refusing.chat(call(returned(), owner))).rejects.toMatchObject({ failure: 'final' });
      expect((input() as unknown[]).slice(1, 4)).toEqual(WITHOUT);
    });
  });

  describe('answers', () => {
    it('that ran into the limit end with length', async () => {
      const extra = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
      const { report, body } = await at(upstream.serve('short', answer([TEXT_ITEM], extra))).chat(
        call(REQUESTS.tools()),
      );
      expect(report).toMatchObject({ finishReason: 'length', rawFinishReason: 'max_output_tokens' });
      expect(body).toMatchObject({ choices: [{ finish_reason: 'length' }], service_tier: 'default' });
    });

    it('that failed in the middle of a stream tell what they had counted', async () => {
      const error = { code: 'rate_limit_exceeded', message: 'Slow down' };
      const failed = event('response.failed', { response: response([], { status: 'failed', error }) });
      const url = upstream.serve('failed', sse(CREATED, ...callEvents(0), failed));
      const stream = await at(url).chatStream(call(REQUESTS.tools()));
      await expect(drain(stream)).rejects.toMatchObject({
        fault: 'rate_limited',
        mayBeBilled: true,
        usage: FACTS.usage,
      });
    });

    it('that failed whole are errors with their usage', async () => {
      const error = { code: 'server_error', message: 'Sorry' };
      const url = upstream.serve('failed', answer([], { status: 'failed', error }));
      await expect(at(url).chat(call(REQUESTS.tools()))).rejects.toMatchObject({
        fault: 'overloaded',
        mayBeBilled: true,
        usage: FACTS.usage,
      });
    });

    it('keep their usage as it came', async () => {
      const { report } = await at(upstream.serve('text', RESPONSES_GOLDENS.text)).chat(
        call(REQUESTS.tools()),
      );
      expect(report.rawUsage).toEqual(USAGE);
    });

    it('streamed in one piece and in no delta are the same', async () => {
      const whole = event('response.output_item.done', { output_index: 0, item: callItem(0) });
      const url = upstream.serve('whole', sse(CREATED, whole, completed([callItem(0)])));
      const chunks = await drain(await at(url).chatStream(call(REQUESTS.tools())));
      const pieces = chunks.flatMap(
        ({ chunk }) => chunk.choices as readonly { delta?: { tool_calls?: object[] } }[],
      );
      expect(pieces.flatMap(({ delta: piece }) => piece?.tool_calls ?? [])).toEqual([
        { index: 0, id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '' } },
        { index: 0, function: { arguments: '{"city":"Paris"}' } },
      ]);
    });
  });
});
