import { ImageLoader, ImagesBusyError } from '../../src/providers/adapters/images/image-loader';
import { LocalAdapter } from '../../src/providers/adapters/openai-dialect/local.adapter';
import { OpenAiDialectAdapter } from '../../src/providers/adapters/openai-dialect/openai-dialect.adapter';
import type { ProviderId } from '../../src/common/index';
import type { ProviderSettings } from '../../src/config/index';
import { type ChatCall, ProviderError } from '../../src/providers/index';
import {
  API_KEY,
  type ContractRow,
  FACTS,
  MODEL_ID,
  PIXEL,
  REQUESTS,
} from '../support/contract/adapter-cases';
import { catalogModel } from '../support/contract/catalog-model';
import { GoldenUpstream, type ReceivedRequest } from '../support/contract/golden-upstream';
import {
  CACHED_USAGE,
  chunk,
  DONE,
  OPENAI_GOLDENS,
  REASONING_USAGE,
  sse,
  usageChunk,
  XAI_WRONG_KEY,
} from '../support/contract/openai-dialect.goldens';
import { deltaOf, drain, runContract } from '../support/contract/run-contract';

const DEPLOYMENT_PATH = `/openai/deployments/${MODEL_ID}/chat/completions?api-version=2024-10-21`;

function settings(baseUrl: string, apiKey: string | undefined): ProviderSettings {
  return { baseUrl, apiKey, isConfigured: true, variables: ['BASE_URL'] };
}

const same = (body: object) => (request: ReceivedRequest) => {
  expect(request.body).toEqual(JSON.parse(JSON.stringify(body)));
};

function streamed(hasStreamUsage: boolean, body: object): (request: ReceivedRequest) => void {
  return same({
    ...body,
    stream: true,
    ...(hasStreamUsage ? { stream_options: { include_usage: true } } : {}),
  });
}

function row(provider: ProviderId, overrides: Partial<ContractRow>, hasStreamUsage = true): ContractRow {
  return {
    name: `${provider === 'local' ? LocalAdapter.name : OpenAiDialectAdapter.name} as ${provider}`,
    model: catalogModel({ provider, upstreamId: MODEL_ID }),
    goldens: OPENAI_GOLDENS,
    chatPath: '/chat/completions',
    credentialHeader: ['authorization', `Bearer ${API_KEY}`],
    mockPath: '/v1',
    received: {
      text: (request) => {
        same(REQUESTS.text())(request);
        expect(request.headers['x-request-id']).toBe('req_0123456789abcdef0123456789abcdef');
        expect(request.headers['content-type']).toBe('application/json');
      },
      parallelTools: same(REQUESTS.tools()),
      toolResult: same(REQUESTS.toolResult()),
      image: same(REQUESTS.image()),
      jsonSchema: same(REQUESTS.jsonSchema()),
      stream: streamed(hasStreamUsage, REQUESTS.text()),
      streamTools: streamed(hasStreamUsage, REQUESTS.tools()),
    },
    create: (baseUrl) => new OpenAiDialectAdapter(provider, settings(baseUrl, API_KEY)),
    ...overrides,
  };
}

runContract(row('openai', {}));
runContract(row('xai', {}));
runContract(
  row('azure', { chatPath: DEPLOYMENT_PATH, credentialHeader: ['api-key', API_KEY], mockPath: '' }),
);
runContract(
  row('dial', { chatPath: DEPLOYMENT_PATH, credentialHeader: ['api-key', API_KEY], mockPath: '' }, false),
);
runContract(
  row('local', {
    credentialHeader: ['authorization', undefined],
    create: (baseUrl) => new LocalAdapter(settings(baseUrl, undefined)),
  }),
);

describe('an answer of nothing but an error', () => {
  const upstream = new GoldenUpstream();
  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());

  it('is none, also with a list of choices in it', async () => {
    const body = { choices: [], error: { message: 'Try later', code: 'server_error' } };
    const url = upstream.serve('error', { steps: [JSON.stringify(body)] });
    const adapter = new OpenAiDialectAdapter('openai', settings(url, API_KEY));
    const { signal } = new AbortController();
    const answer = adapter.chat({ model: catalogModel(), body: REQUESTS.text(), signal, requestId: 'req_1' });
    await expect(answer).rejects.toMatchObject({ fault: 'overloaded', mayBeBilled: true });
    await adapter.close();
  });
});

function callOf(overrides: Partial<ChatCall> = {}): ChatCall {
  return {
    model: catalogModel(),
    body: REQUESTS.text(),
    signal: new AbortController().signal,
    requestId: 'req_1',
    ...overrides,
  };
}

async function failureOf(answer: Promise<unknown>): Promise<unknown> {
  return await answer.then(
    () => new Error('It did not fail'),
    (error: unknown) => error,
  );
}

describe('LocalAdapter and images by URL', () => {
  const upstream = new GoldenUpstream();
  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  beforeEach(() => upstream.reset());

  const URL_OF_IMAGE = 'https://example.com/a.png';
  const body = (): ChatCall['body'] => ({
    ...REQUESTS.text(),
    messages: [
      { role: 'system', content: 'Answer briefly.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Which is bluer?' },
          { type: 'image_url', image_url: { url: URL_OF_IMAGE, detail: 'low' } },
          { type: 'image_url', image_url: { url: PIXEL } },
        ],
      },
    ],
  });
  const using = async <T>(images: ImageLoader, run: (adapter: LocalAdapter) => Promise<T>): Promise<T> => {
    const scenario = { ...OPENAI_GOLDENS.text };
    const adapter = new LocalAdapter(settings(upstream.serve('images', scenario), undefined), { images });
    try {
      return await run(adapter);
    } finally {
      await adapter.close();
    }
  };
  const loader = (status = 200): ImageLoader =>
    new ImageLoader({
      send: () =>
        Promise.resolve({
          status,
          headers: {},
          body: Buffer.from(PIXEL.split(',')[1] ?? '', 'base64'),
          isCut: false,
        }),
      close: () => Promise.resolve(),
    });

  it.each(['chat', 'chatStream'] as const)('%s puts their bytes into the request', async (method) => {
    await using(loader(), async (adapter) => {
      // The golden is a whole answer; only what was sent matters here.
      await failureOf(adapter[method](callOf({ body: body() })));
    });
    const [system, user] = upstream.last.body.messages as readonly { readonly content: unknown }[];
    expect(system).toEqual(body().messages[0]);
    expect(user?.content).toEqual([
      { type: 'text', text: 'Which is bluer?' },
      { type: 'image_url', image_url: { url: PIXEL, detail: 'low' } },
      { type: 'image_url', image_url: { url: PIXEL } },
    ]);
  });

  it('names the field of an image that cannot be had, and sends nothing', async () => {
    const error = await using(loader(404), (adapter) => failureOf(adapter.chat(callOf({ body: body() }))));
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({
      fault: 'invalid_request',
      param: 'messages[1].content[1].image_url.url',
      mayBeBilled: false,
    });
    expect(upstream.received).toHaveLength(0);
  });

  it('blames nobody when too many are being downloaded', async () => {
    const busy = loader();
    jest.spyOn(busy, 'load').mockRejectedValue(new ImagesBusyError());
    const error = await using(busy, (adapter) => failureOf(adapter.chat(callOf({ body: body() }))));
    expect(error).toBeInstanceOf(ImagesBusyError);
  });

  it('ends as cancelled when the caller leaves meanwhile', async () => {
    const caller = new AbortController();
    const images = new ImageLoader({
      send: () => {
        caller.abort(new Error('gone'));
        return Promise.reject(new Error('gone'));
      },
      close: () => Promise.resolve(),
    });
    const call = callOf({ body: body(), signal: caller.signal });
    const error = await using(images, (adapter) => failureOf(adapter.chat(call)));
    expect(error).toMatchObject({ fault: 'aborted', mayBeBilled: false });
    expect(upstream.received).toHaveLength(0);
  });
});

describe('what the dialect tells beside the common cases', () => {
  const upstream = new GoldenUpstream();
  let adapter: OpenAiDialectAdapter;
  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());
  afterEach(() => adapter.close());

  it.each([
    ['reasoning', REASONING_USAGE, FACTS.reasoning],
    ['cached', CACHED_USAGE, FACTS.cached],
  ])('counts %s tokens at the end of a stream', async (name, raw, usage) => {
    const answer = sse(chunk({ content: FACTS.text }), chunk({}, 'stop'), usageChunk(raw), DONE);
    adapter = new OpenAiDialectAdapter('openai', settings(upstream.serve(name, answer), API_KEY));
    const stream = await adapter.chatStream(callOf());
    await drain(stream);
    expect(stream.report()).toMatchObject({ usage, rawUsage: raw });
  });

  it('knows xAI’s refusal of a key, which is not the caller’s fault', async () => {
    const url = upstream.serve('wrong-key', XAI_WRONG_KEY);
    adapter = new OpenAiDialectAdapter('xai', settings(url, API_KEY));
    const error = await failureOf(adapter.chat(callOf({ model: catalogModel({ provider: 'xai' }) })));
    expect(error).toMatchObject({ fault: 'rejected', status: 502, failure: 'fallover', upstreamStatus: 400 });
    expect((error as Error).message).not.toContain(API_KEY);
  });
});

describe('a long stream and a slow consumer', () => {
  const upstream = new GoldenUpstream();
  beforeAll(() => upstream.start());
  afterAll(() => upstream.stop());

  it('delivers every chunk in order', async () => {
    const total = 1500;
    const filler = 'x'.repeat(2000);
    const steps = Array.from({ length: total }, (_, index) => chunk({ content: `${index} ${filler}` }));
    const url = upstream.serve('long', sse(...steps, chunk({}, 'stop'), DONE));
    const adapter = new OpenAiDialectAdapter('openai', settings(url, API_KEY));
    const stream = await adapter.chatStream(callOf());
    let next = 0;
    for await (const { chunk: received } of stream.chunks) {
      const text = deltaOf(received);
      if (text) expect(Number.parseInt(text, 10)).toBe(next++);
      if (next % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(next).toBe(total);
    expect(stream.report().finishReason).toBe('stop');
    await adapter.close();
  });
});
