/** Embeddings over HTTP with OpenAI's own client; the sandbox answers. */
import { startApp, type TestApp } from '../support/app';

const dot = (left: readonly number[], right: readonly number[]): number =>
  left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);

describe('embeddings in the sandbox', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  const embed = (body: object, headers: Record<string, string> = {}) =>
    app.call<Record<string, unknown> & { data: { index: number; embedding: number[] | string }[] }>(
      'POST',
      '/v1/embeddings',
      { body: { model: 'sandbox/embed', ...body }, headers },
    );

  it('gives the client unit vectors that say which texts are near', async () => {
    const { data, usage, model } = await app.openai.embeddings.create({
      model: 'auto',
      input: ['A cat sat on the mat', 'Two cats sit on a mat', 'Interest rates rose by a quarter'],
    });

    const [cat = [], cats = [], rates = []] = data.map(({ embedding }) => embedding);
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(cat).toHaveLength(512);
    expect(dot(cat, cat)).toBeCloseTo(1, 5);
    expect(dot(cat, cats)).toBeGreaterThan(dot(cat, rates) + 0.1);
    expect(usage).toEqual({ prompt_tokens: 19, total_tokens: 19 });
    const again = await app.openai.embeddings.create({ model, input: 'Two cats sit on a mat' });
    expect([model, again.data[0]?.embedding]).toEqual(['sandbox/embed', cats]);
  });

  it('gives the same numbers as floats and as base64, in the length that was asked for', async () => {
    const request = { model: 'sandbox/embed', input: 'the same text', dimensions: 24 };
    const packed = await app.openai.embeddings.create(request);
    const plain = await app.openai.embeddings.create({ ...request, encoding_format: 'float' });

    expect(packed.data[0]?.embedding).toHaveLength(24);
    expect(plain.data[0]?.embedding).toEqual(packed.data[0]?.embedding);
    const raw = await embed({ input: 'the same text', dimensions: 24, encoding_format: 'base64' });
    expect(typeof raw.body.data[0]?.embedding).toBe('string');
  });

  it('tells model, provider, cost and attempts in headers, and splits what is too much for one request', async () => {
    const inputs = Array.from({ length: 600 }, (_, index) => `text number ${index}`);
    const { status, headers, body } = await embed({ input: inputs, dimensions: 8 });

    expect(status).toBe(200);
    expect(body.data).toHaveLength(600);
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-lattice-model': 'sandbox/embed',
      'x-lattice-provider': 'sandbox',
      'x-lattice-task-type': 'EMBEDDING',
      'x-lattice-attempts': '3',
      'x-lattice-cost-usd': '0',
      'x-lattice-sandbox': 'true',
    });
    const [last] = (await embed({ input: 'text number 599', dimensions: 8 })).body.data;
    expect(body.data[599]?.embedding).toEqual(last?.embedding);
  });

  it('says with auto that another choice would be another space, and explains the choice', async () => {
    const { headers } = await embed({ model: 'auto', input: 'hello' });

    expect(headers.get('x-lattice-warnings')).toContain('auto chose sandbox/embed');
    const id = headers.get('x-lattice-decision-id') ?? '';
    const decision = await app.call<{ decision: object }>('GET', `/api/v1/decisions/${id}`);
    expect(decision.body.decision).toMatchObject({
      asked: { model: 'auto' },
      strategy: 'auto',
      task: { type: 'EMBEDDING' },
      reason: expect.stringContaining('highest score') as string,
      candidates: [{ model: 'sandbox/embed', quality: 0.01 }],
      features: { inputs: 1 },
    });
  });

  it.each([
    ['an empty text', { input: '' }, 'input'],
    ['an empty list', { input: [] }, 'input'],
    ['an empty text in a list', { input: ['a', ''] }, 'input[1]'],
    ['an empty list of token ids', { input: [[1], []] }, 'input[1]'],
    ['a token that is none', { input: [1, 2.5] }, 'input[1]'],
    ['texts and tokens mixed', { input: ['a', [1]] }, 'input'],
    ['too many texts', { input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
    ['no input', {}, 'input'],
    ['no model', { model: '', input: 'a' }, 'model'],
    ['a chat model', { model: 'sandbox/small', input: 'a' }, 'model'],
    ['dimensions below the least', { input: 'a', dimensions: 7 }, 'dimensions'],
    ['dimensions that are no number', { input: 'a', dimensions: '8' }, 'dimensions'],
    ['another encoding', { input: 'a', encoding_format: 'int8' }, 'encoding_format'],
    ['an unknown input type', { input: 'a', input_type: 'poem' }, 'input_type'],
    ['a stream', { input: 'a', stream: true }, 'stream'],
    ['other models to fall back to', { input: 'a', models: ['sandbox/embed'] }, 'models'],
    ['any fallback', { input: 'a', lattice: { fallback: 'any' } }, 'lattice.fallback'],
  ])('refuses %s with 400 and the field', async (_, body, param) => {
    const answer = await embed(body);

    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ type: 'invalid_request_error', param });
    expect(await app.lines(answer.headers.get('x-request-id') ?? 'none')).toEqual([]);
  });

  it('refuses a chat on an embedding model, and never routes one there', async () => {
    const messages = [{ role: 'user', content: 'hello' }];
    const pinned = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'sandbox/embed', messages },
    });
    expect(pinned.status).toBe(400);
    expect(pinned.body.error).toMatchObject({
      param: 'model',
      message: expect.stringContaining('makes embeddings') as string,
    });
    const listed = await app.call('POST', '/v1/chat/completions', {
      body: { model: 'auto', messages, models: ['sandbox/embed'] },
    });
    expect(listed.body.error).toMatchObject({ param: 'models' });
    const route = await app.call<{ ranking: { model: string }[] }>('POST', '/api/v1/route', {
      body: { model: 'auto', messages },
    });
    expect(route.body.ranking.map(({ model }) => model)).not.toContain('sandbox/embed');
  });

  it('marks embedding models in both lists', async () => {
    const { body } = await app.call<{ data: { id: string; lattice?: object }[] }>('GET', '/v1/models');
    expect(body.data.find(({ id }) => id === 'sandbox/embed')?.lattice).toMatchObject({
      kind: 'embedding',
      embedding: { dimensions: 512, minDimensions: 8 },
    });
    expect(body.data.find(({ id }) => id === 'sandbox/small')?.lattice).toMatchObject({ kind: 'chat' });
    const catalog = await app.call<{ data: { id: string; kind: string }[] }>(
      'GET',
      '/api/v1/catalog/models?kind=embedding&limit=100',
    );
    expect(catalog.body.data.map(({ id }) => id)).toContain('cohere/embed-v4.0');
    expect(new Set(catalog.body.data.map(({ kind }) => kind))).toEqual(new Set(['embedding']));
  });

  it('fails on request as the sandbox chats do, and books the attempts', async () => {
    const answer = await embed({ input: 'now [[sandbox:fail=503 times=1]]' });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-lattice-attempts')).toBe('2');
    const lines = await app.lines(answer.headers.get('x-request-id') ?? '');
    expect(lines.map(({ outcome, usageSource, costUsd }) => [outcome, usageSource, costUsd])).toEqual([
      ['failed', 'provider', '0'],
      ['succeeded', 'provider', '0'],
    ]);
  });
});
