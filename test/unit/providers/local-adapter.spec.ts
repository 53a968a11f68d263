import { createServer, type Server } from 'node:http';
import { LocalAdapter, modelFacts } from '../../../src/providers/adapters/openai-dialect/local.adapter';
import { listen } from '../../support/listen';

describe(modelFacts.name, () => {
  const shown = {
    capabilities: ['completion', 'tools', 'vision', 'thinking'],
    model_info: { 'general.architecture': 'qwen3', 'qwen3.context_length': 40960 },
  };

  it('reads the capabilities and leaves an unset context unknown', () => {
    expect(modelFacts(shown)).toEqual({ canChat: true, tools: true, vision: true, reasoning: true });
  });

  it.each([
    ['num_ctx                        8192\nstop "x"', 8192],
    ['temperature 1\nnum_ctx 131072', 40960],
  ])('reads the context of %j', (parameters, contextWindowTokens) => {
    expect(modelFacts({ ...shown, parameters }).contextWindowTokens).toBe(contextWindowTokens);
  });

  it('takes num_ctx alone where the trained context is unknown', () => {
    expect(modelFacts({ capabilities: ['completion'], parameters: 'num_ctx 2048' }).contextWindowTokens).toBe(
      2048,
    );
  });

  it('knows a model that only embeds', () => {
    const model_info = { 'bert.context_length': 2048, 'bert.embedding_length': 768 };
    expect(modelFacts({ capabilities: ['embedding'], model_info })).toEqual({
      canChat: false,
      embedding: { dimensions: 768, maxInputTokens: 2048 },
    });
    const parameters = 'num_ctx 512';
    expect(modelFacts({ capabilities: ['embedding'], model_info, parameters }).embedding).toEqual({
      dimensions: 768,
      maxInputTokens: 512,
    });
    expect(modelFacts({ capabilities: ['embedding'] })).toEqual({ canChat: false, embedding: {} });
  });

  it('takes a server that tells nothing for one that chats', () => {
    expect(modelFacts({})).toEqual({ canChat: true });
  });
});

describe(LocalAdapter.name, () => {
  const paths: string[] = [];
  let server: Server;
  let url: string;
  const answers: Record<string, string> = {
    'GET /v1/models': '{"object":"list","data":[{"id":"qwen3"},{"id":"nomic"},{"name":"no id"}]}',
    'POST /api/show': '{"capabilities":["completion"]}',
    'GET /odd/models': '{"models":[]}',
    'GET /text/models': 'hello',
  };

  beforeAll(async () => {
    server = createServer((request, response) => {
      const key = `${request.method} ${request.url}`;
      paths.push(key);
      response.statusCode = answers[key] === undefined ? 404 : 200;
      response.end(answers[key] ?? '{"error":"not here"}');
    });
    url = `http://127.0.0.1:${await listen(server)}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => paths.splice(0));

  const { signal } = new AbortController();

  async function using<T>(baseUrl: string, run: (adapter: LocalAdapter) => Promise<T>): Promise<T> {
    const adapter = new LocalAdapter({ baseUrl, isConfigured: true, variables: [] });
    try {
      return await run(adapter);
    } finally {
      await adapter.close();
    }
  }

  it.each(['', '/', '/v1', '/v1/'])('lists and describes models below "%s"', async (suffix) => {
    await using(url + suffix, async (adapter) => {
      expect(await adapter.listModels(signal)).toEqual(['qwen3', 'nomic']);
      expect(await adapter.describeModel('qwen3', signal)).toMatchObject({ canChat: true, tools: false });
    });
    expect(paths).toEqual(['GET /v1/models', 'POST /api/show']);
  });

  it('takes a server without /api/show for one that chats', async () => {
    await using(`${url}/odd`, async (adapter) => {
      expect(await adapter.describeModel('qwen3', signal)).toEqual({ canChat: true });
    });
  });

  it.each([
    ['/odd', 'malformed'],
    ['/text', 'malformed'],
    ['/missing', 'not_found'],
  ])('tells why the list at %s failed', async (path, fault) => {
    await using(url + path, (adapter) => expect(adapter.listModels(signal)).rejects.toMatchObject({ fault }));
  });
});
