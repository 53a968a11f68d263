import { readFileSync } from 'node:fs';
import { type Answer, startApp, type TestApp } from '../support/app';
import { catalogFolder } from '../support/catalog/catalog-folder';
import { eventually } from '../support/eventually';
import { startTruthProvider, totalsOf, type TruthProvider } from '../support/truth-provider/truth-provider';

const AT_ONCE = 3;
const PER_MINUTE = 2;
/** No capacity of its own, only its provider's. */
const PLAIN = 'openai/gpt-6-luna';
const PACED = 'openai/gpt-5.6-sol';
const SECOND_SELLER = 'azure/gpt-5.6-sol';
const SINGLE = 'azure/gpt-6-luna';
const HURRIED = 'azure/gpt-5.4-mini';
/** Few enough that the bound of one cut stream is more than all of them. */
const COUNTED = 'openai/gpt-5.4-mini';
const CROWDED = 'azure/gpt-5.4-nano';
const ALONE = { 'x-lattice-fallback': 'none' };
const CATALOG = `
models:
  - { id: ${PACED}, capacity: { requestsPerMinute: ${PER_MINUTE} } }
  - { id: ${COUNTED}, capacity: { tokensPerMinute: 10000, queueMs: 0 } }
deployments:
  - { id: ${SINGLE}, base: ${PLAIN}, capacity: { concurrency: 1, queueMs: 60000 } }
  - { id: ${CROWDED}, base: openai/gpt-5.4-nano, capacity: { concurrency: 1, queueMs: 60000, queueLength: 1 } }
  - { id: ${HURRIED}, base: openai/gpt-5.4-mini, capacity: { concurrency: 1, queueMs: 0, tokensPerMinute: 5000 } }
providers:
  openai: { capacity: { concurrency: ${AT_ONCE}, queueMs: 60000 } }
`;

interface ErrorBody {
  readonly error?: { readonly code: string; readonly details?: object };
}

/** The most requests that were open at once, by the order of the provider's own log. */
function mostAtOnce({ logFile }: TruthProvider): number {
  let open = 0;
  let most = 0;
  for (const text of readFileSync(logFile, 'utf8').trim().split('\n')) {
    const { type } = JSON.parse(text) as { type: string };
    if (type === 'attempt') most = Math.max(most, (open += 1));
    else if (type === 'end') open -= 1;
  }
  return most;
}

describe('capacities of providers', () => {
  let openai: TruthProvider;
  let azure: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    [openai, azure] = await Promise.all([startTruthProvider(), startTruthProvider()]);
    app = await startApp({
      OPENAI_BASE_URL: openai.url,
      AZURE_BASE_URL: azure.url,
      AZURE_OPENAI_API_KEY: 'k',
      LATTICE_CONFIG_DIR: catalogFolder({ 'own.yaml': CATALOG }),
    });
  });

  afterAll(async () => {
    await app.close();
    await Promise.all([openai.stop(), azure.stop()]);
  });

  afterEach(async () => {
    await Promise.all([openai.clearScripts(), azure.clearScripts()]);
    await eventually(async () => {
      const rows = await app.database.query<object[]>(
        'select 1 from holds union all select 1 from capacity_leases',
      );
      return rows.length === 0 ? true : undefined;
    });
    expect(await app.reconcile()).toEqual([]);
  });

  const ask = (model: string, body: object = {}, headers: Record<string, string> = ALONE) =>
    app.call<ErrorBody>('POST', '/v1/chat/completions', {
      body: { model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20, ...body },
      headers,
    });
  const booked = async (answers: readonly Answer<unknown>[]) => {
    const lines = await Promise.all(
      answers.map((answer) => app.lines(answer.headers.get('x-lattice-request-id') ?? '')),
    );
    return lines.flat();
  };
  /** A stream that has begun and goes on until the signal. */
  const openStream = async (model: string, provider: TruthProvider, signal: AbortSignal) => {
    await provider.script({ fault: { kind: 'stall', afterChunks: 1 } });
    const stream = await app.openai.chat.completions.create(
      { model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20, stream: true },
      { signal, headers: ALONE },
    );
    await stream[Symbol.asyncIterator]().next();
  };

  it('hold against 40 calls at once, JSON and SSE: the provider never has more open than it takes', async () => {
    await openai.script({ times: 'always', delayMs: 30, chunkDelayMs: 2 });
    const before = (await openai.attempts()).length;
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => ask(PLAIN, index % 2 ? { stream: true } : {})),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
    for (const { text } of answers.filter((_, index) => index % 2)) expect(text).toContain('[DONE]');
    expect(mostAtOnce(openai)).toBeLessThanOrEqual(AT_ONCE);

    const attempts = (await openai.endedAttempts(before + 40)).slice(before);
    expect(attempts).toHaveLength(40);
    await eventually(async () => ((await booked(answers)).length === 40 ? true : undefined));
    const lines = await booked(answers);
    const sum = (of: 'promptTokens' | 'completionTokens') =>
      lines.reduce((total, line) => total + (line[of] ?? 0), 0);
    expect({ promptTokens: sum('promptTokens'), completionTokens: sum('completionTokens') }).toEqual(
      totalsOf(attempts),
    );
  });

  it('send what is over a minute’s requests to the next seller at once, as the first attempt', async () => {
    const before = (await openai.attempts()).length;
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(PACED, {}, {})));
    const answeredBy = (model: string) =>
      answers.filter(({ headers }) => headers.get('x-lattice-model') === model).length;
    expect([answeredBy(PACED), answeredBy(SECOND_SELLER)]).toEqual([PER_MINUTE, 6 - PER_MINUTE]);
    expect((await openai.attempts()).length - before).toBe(PER_MINUTE);
    const lines = await booked(answers);
    expect(lines.map(({ attempt, outcome }) => [attempt, outcome])).toEqual(Array(6).fill([1, 'succeeded']));

    const refused = await ask(PACED);
    expect([refused.status, refused.body.error?.code]).toEqual([503, 'UPSTREAM_BUSY']);
    expect(refused.body.error?.details).toEqual({
      provider: 'openai',
      model: PACED,
      scope: PACED,
      limit: 'requests_per_minute',
    });
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(30);
    expect(retryAfter).toBeLessThanOrEqual(62);
    expect(await booked([refused])).toEqual([]);
  });

  it('count a stream until its end, whoever ends it', async () => {
    const controller = new AbortController();
    await openStream(SINGLE, azure, controller.signal);
    const before = (await azure.attempts()).length;
    const next = ask(SINGLE);
    await eventually(async () => {
      const { body } = await app.call<{ capacities: object[] }>('GET', '/api/v1/providers/azure/health');
      const [capacity] = body.capacities.filter((one) => (one as { model: string }).model === SINGLE);
      return (capacity as { waiting: number }).waiting === 1 ? capacity : undefined;
    });
    expect(await azure.attempts()).toHaveLength(before);
    controller.abort();
    expect((await next).status).toBe(200);
  });

  it('are shown with what is in use, and counted', async () => {
    const controller = new AbortController();
    await openStream(SINGLE, azure, controller.signal);
    const { body } = await app.call('GET', '/api/v1/providers/azure/health');
    expect(body.capacities).toContainEqual({
      model: SINGLE,
      requestsPerMinute: null,
      tokensPerMinute: null,
      concurrency: { limit: 1, used: 1 },
      waiting: 0,
    });
    await openStream(HURRIED, azure, controller.signal);
    expect((await ask(HURRIED)).body.error?.code).toBe('UPSTREAM_BUSY');
    controller.abort();
    const { text } = await app.call('GET', '/metrics', { credential: app.admin.accessToken });
    const of = '\\{provider="azure",model="azure/gpt-5.4-mini"';
    expect(text).toMatch(new RegExp(`lattice_capacity_queue${of}\\} 0`));
    expect(text).toMatch(new RegExp(`lattice_capacity_wait_seconds_count${of}\\} \\d`));
    expect(text).toMatch(new RegExp(`lattice_capacity_refusals_total${of},limit="concurrency"\\} \\d`));
  });

  it('make a busy answer in Anthropic’s dialect too, and leave nothing behind when a waiting client hangs up', async () => {
    const controller = new AbortController();
    await openStream(HURRIED, azure, controller.signal);
    const busy = await app.call<ErrorBody & { error: { type: string } }>('POST', '/v1/messages', {
      body: { model: HURRIED, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20 },
      headers: ALONE,
    });
    expect([busy.status, busy.body.error.type, busy.body.error.code]).toEqual([
      529,
      'overloaded_error',
      'UPSTREAM_BUSY',
    ]);
    controller.abort();

    const first = new AbortController();
    await openStream(SINGLE, azure, first.signal);
    const before = (await azure.attempts()).length;
    const impatient = new AbortController();
    const waiting = app.openai.chat.completions
      .create(
        { model: SINGLE, messages: [{ role: 'user', content: 'Hello' }] },
        { signal: impatient.signal, headers: ALONE },
      )
      .catch((error: unknown) => error);
    const holds = async () => (await app.database.query<object[]>('select 1 from holds')).length;
    await eventually(async () => ((await holds()) === 2 ? true : undefined));
    impatient.abort();
    await waiting;
    await eventually(async () => ((await holds()) === 1 ? true : undefined));
    expect(await azure.attempts()).toHaveLength(before);
    first.abort();
  });

  it('count a stream that was cut by estimate, not by the bound that is booked', async () => {
    await openai.script({ fault: { kind: 'stall', afterChunks: 3 } });
    const controller = new AbortController();
    const before = (await openai.attempts()).length;
    const stream = await app.openai.chat.completions.create(
      { model: COUNTED, messages: [{ role: 'user', content: 'Hello' }], stream: true },
      { signal: controller.signal, headers: ALONE },
    );
    await stream[Symbol.asyncIterator]().next();
    controller.abort();
    await openai.endedAttempts(before + 1);
    const lines = await eventually(async () => {
      const all = await app.lines();
      const cut = all.filter(({ model, outcome }) => model === COUNTED && outcome === 'cancelled');
      return cut.length > 0 ? cut : undefined;
    });
    expect(lines).toEqual([expect.objectContaining({ usageSource: 'upper_bound' })]);
    expect(lines[0]?.completionTokens).toBeGreaterThan(10_000);
    expect((await ask(COUNTED)).status).toBe(200);
  });

  it('send on to the next seller whoever finds the queue full', async () => {
    const controller = new AbortController();
    await openStream(CROWDED, azure, controller.signal);
    const waiting = async () => {
      const { body } = await app.call<{ capacities: { model: string; waiting: number }[] }>(
        'GET',
        '/api/v1/providers/azure/health',
      );
      return body.capacities.find(({ model }) => model === CROWDED)?.waiting;
    };
    const second = ask(CROWDED);
    await eventually(async () => ((await waiting()) === 1 ? true : undefined));
    const before = (await azure.attempts()).length;
    const third = await ask(CROWDED, {}, {});
    expect([third.status, third.headers.get('x-lattice-model')]).toEqual([200, 'openai/gpt-5.4-nano']);
    expect(await azure.attempts()).toHaveLength(before);
    expect((await ask(CROWDED)).body.error?.code).toBe('UPSTREAM_BUSY');
    controller.abort();
    expect((await second).status).toBe(200);
  });

  it('refuse at once a prompt that never fits', async () => {
    const answer = await ask(HURRIED, { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] });
    expect([answer.status, answer.body.error?.code]).toEqual([503, 'UPSTREAM_BUSY']);
    expect([answer.headers.get('x-should-retry'), answer.headers.get('retry-after')]).toEqual([
      'false',
      null,
    ]);
  });

  it('do not bind owners with a credential of their own', async () => {
    const controller = new AbortController();
    await openStream(HURRIED, azure, controller.signal);
    const owner = await app.register();
    await app.call('POST', '/api/v1/credentials', {
      body: { provider: 'azure', apiKey: 'key-of-the-owner-0123456789' },
      credential: owner.accessToken,
    });
    const body = { model: HURRIED, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20 };
    const own = await app.call('POST', '/v1/chat/completions', {
      body,
      credential: owner.key,
      headers: ALONE,
    });
    expect([own.status, (await ask(HURRIED)).status]).toEqual([200, 503]);
    controller.abort();
  });
});
