/** What embeddings cost, and what becomes of them when a provider fails. The oracle is the provider's own log. */
import OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';
import { catalogFolder } from '../support/catalog/catalog-folder';
import { eventually } from '../support/eventually';
import {
  type Attempt,
  startTruthProvider,
  totalsOf,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const NAME = 'text-embedding-3-small';
const OPENAI = `openai/${NAME}`;
const AZURE = `azure/${NAME}`;
const LARGE = 'text-embedding-3-large';
const USD_PER_TOKEN = 0.00000002;
/** Two texts per upstream request, so that a few texts are several. */
const SMALL_BATCHES = `models:
  - { id: ${OPENAI}, embedding: { maxBatch: 2 } }
`;
const TEXTS = ['a', 'bb bb', 'ccc', 'dddd dd', 'e e e'];

interface List {
  readonly data: { index: number; embedding: number[] }[];
  readonly usage: { prompt_tokens: number; total_tokens: number };
  readonly error?: { code: string; message: string; type: string; param?: string };
}

describe('the books of embeddings', () => {
  let openai: TruthProvider;
  let azure: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    [openai, azure] = await Promise.all([startTruthProvider(), startTruthProvider()]);
    app = await startApp({
      OPENAI_BASE_URL: openai.url,
      AZURE_BASE_URL: azure.url,
      AZURE_OPENAI_API_KEY: 'k',
      LATTICE_CONFIG_DIR: catalogFolder({ 'own.yaml': SMALL_BATCHES }),
    });
  });
  afterAll(async () => {
    expect(await app.reconcile()).toEqual([]);
    await app.close();
    await Promise.all([openai.stop(), azure.stop()]);
  });
  afterEach(() => Promise.all([openai.clearScripts(), azure.clearScripts()]));

  const embed = (body: object, options: { credential?: string; headers?: Record<string, string> } = {}) =>
    app.call<List>('POST', '/v1/embeddings', { body: { model: OPENAI, input: TEXTS, ...body }, ...options });
  const linesOf = (headers: Headers) => app.lines(headers.get('x-lattice-request-id') ?? '');
  /** What both providers log while `work` runs. */
  const seenDuring = async <T>(
    work: () => Promise<T>,
  ): Promise<{ result: T; seen: Attempt[]; atAzure: Attempt[] }> => {
    const [before, azureBefore] = [await openai.attempts(), await azure.attempts()];
    const result = await work();
    const seen = (await openai.attempts()).slice(before.length);
    return { result, seen, atAzure: (await azure.attempts()).slice(azureBefore.length) };
  };
  const usd = (tokens: number): string =>
    (tokens * USD_PER_TOKEN).toFixed(12).replace(/0+$/, '').replace(/\.$/, '');

  it('books each upstream request as a line of its own, exactly as the provider charged it', async () => {
    const { result, seen } = await seenDuring(() => embed({}));

    expect(result.status).toBe(200);
    // The first number of the provider's vectors is the length of the text.
    expect(result.body.data.map(({ embedding }) => embedding[0])).toEqual(TEXTS.map(({ length }) => length));
    expect(seen.map(({ body }) => body.input)).toEqual([
      TEXTS.slice(0, 2),
      TEXTS.slice(2, 4),
      TEXTS.slice(4),
    ]);
    const { promptTokens } = totalsOf(seen);
    expect(result.body.usage).toEqual({ prompt_tokens: promptTokens, total_tokens: promptTokens });
    expect(result.headers.get('x-lattice-attempts')).toBe('3');
    expect(result.headers.get('x-lattice-cost-usd')).toBe(usd(promptTokens));
    const lines = await linesOf(result.headers);
    expect(lines.map(({ attempt, outcome, usageSource }) => [attempt, outcome, usageSource])).toEqual(
      [1, 2, 3].map((attempt) => [attempt, 'succeeded', 'provider']),
    );
    expect(
      lines.map(({ promptTokens: prompt, completionTokens: none, costUsd }) => [prompt, none, costUsd]),
    ).toEqual(expect.arrayContaining(seen.map((sent) => [sent.promptTokens, 0, usd(sent.promptTokens)])));
    expect(lines.flatMap(({ disputes }) => disputes)).toEqual([]);
  });

  it('serves OpenAI’s own client, which asks for base64, and passes its fields on', async () => {
    const { result, seen } = await seenDuring(() =>
      app.openai.embeddings.create({ model: OPENAI, input: ['four', 'words'], dimensions: 6, user: 'ada' }),
    );

    expect(result.data.map(({ embedding }) => [embedding.length, embedding[0]])).toEqual([
      [6, 4],
      [6, 5],
    ]);
    expect(result.model).toBe(NAME);
    expect(seen[0]?.body).toEqual({
      model: NAME,
      input: ['four', 'words'],
      encoding_format: 'base64',
      dimensions: 6,
      user: 'ada',
    });
  });

  it('asks for packed vectors, and for no more at once than can be read, whatever the client wants', async () => {
    const dimensions = 3072;
    await openai.script({ model: LARGE, times: 'always', vectorLength: dimensions });
    const input = Array.from({ length: 1100 }, (_, index) => 'x'.repeat(1 + (index % 40)));
    const { result, seen } = await seenDuring(() => embed({ model: `openai/${LARGE}`, input }));

    expect(result.status).toBe(200);
    expect(seen.map(({ body, outcome }) => [body.encoding_format, outcome])).toEqual([
      ['base64', 'completed'],
      ['base64', 'completed'],
    ]);
    expect(Math.max(...seen.map(({ sentBytes }) => sentBytes))).toBeLessThan(16 * 1024 * 1024);
    expect(result.headers.get('x-lattice-attempts')).toBe('2');
    expect(result.body.data.map(({ index }) => index)).toEqual(input.map((_, index) => index));
    expect(result.body.data.map(({ embedding }) => embedding[0])).toEqual(input.map(({ length }) => length));
    expect(new Set(result.body.data.map(({ embedding }) => embedding.length))).toEqual(new Set([dimensions]));
    expect(result.body.usage.prompt_tokens).toBe(totalsOf(seen).promptTokens);
  });

  it('never buys an answer again that was too large to read, here or elsewhere', async () => {
    const endless = { kind: 'endless', pieceBytes: 4 * 1024 * 1024 } as const;
    await openai.script({ times: 'always', chunkDelayMs: 0, fault: endless });
    const { result, seen, atAzure } = await seenDuring(() => embed({ input: 'four words are here' }));

    expect(result.status).toBe(502);
    expect(result.body.error).toMatchObject({ code: 'PROVIDER_ANSWER_TOO_LARGE' });
    expect([seen.length, atAzure.length]).toEqual([1, 0]);
    const [line, ...more] = await linesOf(result.headers);
    expect(line).toMatchObject({ outcome: 'failed', usageSource: 'upper_bound' });
    expect(line?.promptTokens).toBeGreaterThanOrEqual(totalsOf(seen).promptTokens);
    expect(more).toEqual([]);
  });

  it('takes token ids and fields that nobody knows', async () => {
    const { result, seen } = await seenDuring(() => embed({ input: [11, 12, 13], rare: { deep: true } }));

    expect(result.body.usage.prompt_tokens).toBe(3);
    expect(seen[0]?.body).toMatchObject({ input: [[11, 12, 13]], rare: { deep: true } });
  });

  it('asks again only for what did not come', async () => {
    await openai.script({ name: 'once', steps: [{ fault: { kind: 'status', status: 503 } }, {}] });
    const input = ['a', 'b', 'c', 'd [[script:once]]', 'e'];
    const { result, seen } = await seenDuring(() => embed({ input }));

    expect(result.status).toBe(200);
    expect(seen).toHaveLength(4);
    expect(seen.filter(({ outcome }) => outcome === 'completed').flatMap(({ body }) => body.input)).toEqual(
      expect.arrayContaining(input),
    );
    expect(result.body.data.map(({ embedding }) => embedding[0])).toEqual(input.map(({ length }) => length));
    const lines = await linesOf(result.headers);
    expect(lines.map(({ outcome }) => outcome).toSorted()).toEqual([
      'failed',
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
    expect(sumOf(lines)).toBe(totalsOf(seen).promptTokens);
  });

  it('falls over to another seller of the same model with the whole request, never mixing the two', async () => {
    await openai.script({ name: 'dead', fault: { kind: 'status', status: 401 } });
    const input = ['a', 'b', 'c', 'd [[script:dead]]', 'e'];
    await azure.script({ name: 'dead' });
    const { result, seen, atAzure } = await seenDuring(() => embed({ input }));

    expect(result.headers.get('x-lattice-model')).toBe(AZURE);
    expect(atAzure.flatMap(({ body }) => body.input)).toEqual(expect.arrayContaining(input));
    expect(atAzure).toHaveLength(3);
    expect(result.body.data.map(({ embedding }) => embedding[0])).toEqual(input.map(({ length }) => length));
    // What the client is told is what his vectors took; what he pays is all of it.
    expect(result.body.usage.prompt_tokens).toBe(totalsOf(atAzure).promptTokens);
    const charged = totalsOf([...seen, ...atAzure]).promptTokens;
    expect(charged).toBeGreaterThan(totalsOf(atAzure).promptTokens);
    expect(result.headers.get('x-lattice-cost-usd')).toBe(usd(charged));
    const lines = await linesOf(result.headers);
    expect(lines.at(-1)).toMatchObject({ model: AZURE, outcome: 'succeeded' });
    expect(lines.map(({ attempt }) => attempt)).toEqual(lines.map((_, index) => index + 1));
    expect(sumOf(lines)).toBe(charged);
  });

  it('stays with the named seller when fallbacks are forbidden, and never takes another model', async () => {
    await openai.script({ times: 'always', fault: { kind: 'status', status: 403 } });
    const pinned = await seenDuring(() => embed({}, { headers: { 'x-lattice-fallback': 'none' } }));
    expect([pinned.result.status, pinned.atAzure.length]).toEqual([502, 0]);
    expect(pinned.seen).toHaveLength(1);

    await azure.script({ times: 'always', fault: { kind: 'status', status: 403 } });
    const both = await seenDuring(() => embed({}));
    expect(both.result.body.error).toMatchObject({ code: 'ALL_PROVIDERS_FAILED' });
    expect([...both.seen, ...both.atAzure].map(({ model }) => model)).toEqual([NAME, NAME]);
  });

  it('sends nothing when a hard budget cannot pay, and holds to one that can', async () => {
    const poor = await app.register();
    await app.createBudget(poor, '0.0000001');
    const refused = await seenDuring(() => embed({}, { credential: poor.key }));
    expect(refused.result.status).toBe(429);
    expect(refused.result.body.error).toMatchObject({ type: 'insufficient_quota' });
    expect([refused.seen, refused.atAzure]).toEqual([[], []]);

    const rich = await app.register();
    await app.createBudget(rich, '0.00001');
    const { result } = await seenDuring(() => embed({}, { credential: rich.key }));
    expect(result.status).toBe(200);
  });

  it('estimates and labels what the provider does not count, and bounds what was cut', async () => {
    await openai.script({ usage: { report: 'omit' } });
    const silent = await seenDuring(() => embed({ input: 'four words are here' }));
    expect(await linesOf(silent.result.headers)).toMatchObject([
      { outcome: 'succeeded', usageSource: 'estimated', promptTokens: 6 },
    ]);

    await openai.script({ fault: { kind: 'cut', afterChunks: 0 } });
    const cut = await seenDuring(() => embed({ input: 'four words are here' }));
    const lines = await linesOf(cut.result.headers);
    expect(lines.map(({ outcome, usageSource }) => [outcome, usageSource])).toEqual([
      ['truncated', 'upper_bound'],
      ['succeeded', 'provider'],
    ]);
    expect(lines[0]?.promptTokens).toBeGreaterThanOrEqual(cut.seen[0]?.promptTokens ?? Infinity);
  });

  it('refuses vectors of another length than was asked for, and still pays for them', async () => {
    await openai.script({ times: 'always', vectorLength: 5 });
    const { result, seen } = await seenDuring(() =>
      embed({ input: 'hello', dimensions: 4 }, { headers: { 'x-lattice-fallback': 'none' } }),
    );

    expect(result.status).toBe(502);
    expect(result.body.error).toMatchObject({ code: 'PROVIDER_WRONG_DIMENSIONS', param: 'dimensions' });
    expect(seen).toHaveLength(1);
    expect(await linesOf(result.headers)).toMatchObject([{ outcome: 'succeeded', promptTokens: 1 }]);
  });

  it('books every request that was under way when the client left', async () => {
    await openai.script({ name: 'silent', fault: { kind: 'stall' } });
    const before = (await openai.attempts()).length;
    const controller = new AbortController();
    const client = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: app.admin.key, maxRetries: 0 });
    const input = ['a', 'b', ...Array.from({ length: 8 }, (_, index) => `${index} [[script:silent]]`)];
    const call = client.embeddings.create({ model: OPENAI, input }, { signal: controller.signal });
    await openai.waitFor((all) => all.length === before + 5);
    controller.abort();
    await expect(call).rejects.toThrow();

    const seen = (await openai.endedAttempts(before + 5)).slice(before);
    const lines = await eventually(async () => {
      const newest = await app.call<{ data: { requestId: string }[] }>('GET', '/api/v1/usage/lines?limit=1');
      const booked = await app.lines(newest.body.data[0]?.requestId);
      return booked.length === 5 ? booked : undefined;
    });
    // The first went alone, then four at once.
    expect(seen.map(({ outcome }) => outcome)).toEqual(['completed', ...Array(4).fill('client_closed')]);
    expect(lines.map(({ outcome }) => outcome).toSorted()).toEqual([
      ...Array<string>(4).fill('cancelled'),
      'succeeded',
    ]);
    expect(sumOf(lines)).toBeGreaterThanOrEqual(totalsOf(seen).promptTokens);
    await eventually(async () => {
      const [row]: { count: string }[] = await app.database.query('select count(*) from holds');
      return row?.count === '0' ? true : undefined;
    });
  });

  it('keeps to the models that a key may use', async () => {
    const made = await app.call<{ key: string }>('POST', '/api/v1/keys', {
      body: { name: 'narrow', allowedModels: [AZURE] },
      credential: app.admin.accessToken,
    });
    const { key } = made.body;
    expect((await embed({}, { credential: key })).status).toBe(403);
    const allowed = await seenDuring(() => embed({ model: NAME }, { credential: key }));
    expect(allowed.result.headers.get('x-lattice-model')).toBe(AZURE);
    expect(allowed.seen).toEqual([]);
    const chosen = await embed({ model: 'auto' }, { credential: key });
    expect(chosen.headers.get('x-lattice-model')).toBe(AZURE);
  });

  it.each([
    ['one text', 'once'],
    ['several', ['once', 'twice']],
  ])('answers a repeated request of one idempotency key from the first: %s', async (name, input) => {
    const headers = { 'idempotency-key': `embed-${name.replace(' ', '-')}-0123456789` };
    const { result, seen } = await seenDuring(async () => [
      await embed({ input }, { headers }),
      await embed({ input }, { headers }),
    ]);

    expect(result[1]?.text).toBe(result[0]?.text);
    expect(result[1]?.headers.get('x-lattice-idempotent-replay')).toBe('true');
    expect(seen).toHaveLength(1);
  });

  it('counts embeddings under a task type of their own', async () => {
    const { body } = await app.call<{ data: { taskType: string }[] }>(
      'GET',
      '/api/v1/usage/lines?taskType=EMBEDDING&limit=1',
    );
    expect(body.data).toMatchObject([{ taskType: 'EMBEDDING' }]);
  });
});

function sumOf(lines: readonly { readonly promptTokens: number | null }[]): number {
  return lines.reduce((sum, { promptTokens }) => sum + (promptTokens ?? 0), 0);
}
