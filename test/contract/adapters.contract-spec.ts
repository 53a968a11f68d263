import { OpenAiDialectAdapter } from '../../src/providers/adapters/openai-dialect/openai-dialect.adapter';
import type { ProviderId } from '../../src/common/index';
import type { ProviderSettings } from '../../src/config/index';
import { API_KEY, type ContractRow, MODEL_ID, REQUESTS } from '../support/contract/adapter-cases';
import { catalogModel } from '../support/contract/catalog-model';
import { GoldenUpstream, type ReceivedRequest } from '../support/contract/golden-upstream';
import { chunk, DONE, OPENAI_GOLDENS, sse } from '../support/contract/openai-dialect.goldens';
import { deltaOf, runContract } from '../support/contract/run-contract';

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
    name: `OpenAiDialectAdapter as ${provider}`,
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
    create: (baseUrl) => new OpenAiDialectAdapter('local', settings(baseUrl, undefined)),
  }),
);

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
    const stream = await adapter.chatStream({
      model: catalogModel(),
      body: REQUESTS.text(),
      signal: new AbortController().signal,
      requestId: 'req_1',
    });
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
