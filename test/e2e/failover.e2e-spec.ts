import OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { readSse } from '../support/sse';
import { type Fault, startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const FIRST = 'openai/gpt-6-luna';
const SECOND = 'azure/gpt-6-luna';
const HELLO = [{ role: 'user' as const, content: 'Hello there' }];

describe('failures of providers', () => {
  let openai: TruthProvider;
  let azure: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    [openai, azure] = await Promise.all([startTruthProvider(), startTruthProvider()]);
    app = await startApp({
      OPENAI_BASE_URL: openai.url,
      AZURE_BASE_URL: azure.url,
      AZURE_OPENAI_API_KEY: 'k',
    });
  });

  afterAll(async () => {
    await app.close();
    await Promise.all([openai.stop(), azure.stop()]);
  });

  afterEach(() => Promise.all([openai.clearScripts(), azure.clearScripts()]));

  const ask = (body: object = {}, headers: Record<string, string> = {}) =>
    app.call<{ error?: { code: string; message: string } }>('POST', '/v1/chat/completions', {
      body: { model: FIRST, messages: HELLO, max_tokens: 20, ...body },
      headers,
    });

  const linesOf = async (headers: Headers) =>
    (await app.lines(headers.get('x-lattice-request-id') ?? '')).map(({ attempt, model, outcome }) => [
      attempt,
      model,
      outcome,
    ]);

  it('tries the same model once more, then the same model sold elsewhere', async () => {
    await openai.script({ times: 2, fault: { kind: 'status', status: 503 } });
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-lattice-model')).toBe(SECOND);
    expect(await linesOf(answer.headers)).toEqual([
      [1, FIRST, 'failed'],
      [2, FIRST, 'failed'],
      [3, SECOND, 'succeeded'],
    ]);
  });

  it.each<[string, Fault, number]>([
    ['401', { kind: 'status', status: 401 }, 1],
    ['403', { kind: 'status', status: 403 }, 1],
    ['404', { kind: 'status', status: 404 }, 1],
    ['429', { kind: 'status', status: 429 }, 2],
    ['500', { kind: 'status', status: 500 }, 2],
    ['a cut before the first byte', { kind: 'cut' }, 2],
    ['200 with an error body', { kind: 'error-body' }, 2],
    ['a wrong content type', { kind: 'content-type' }, 2],
    ['an empty answer', { kind: 'empty' }, 2],
  ])('falls over from %s, JSON and SSE alike', async (_, fault, tries) => {
    for (const stream of [false, true]) {
      await openai.script({ times: 'always', fault });
      const before = (await openai.attempts()).length;
      const response = await fetch(`${app.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: FIRST, messages: HELLO, max_tokens: 20, stream }),
      });
      const headers = response.headers;
      expect(stream ? (await readSse(response)).isDone : response.ok).toBe(true);
      expect(headers.get('x-lattice-model')).toBe(SECOND);
      expect((await openai.attempts()).length - before).toBe(tries);
      expect(await linesOf(headers)).toHaveLength(tries + 1);
      await openai.clearScripts();
    }
  });

  it('books every attempt when the failure is in any position', async () => {
    for (let failing = 0; failing <= 3; failing++) {
      await openai.script(
        ...Array.from({ length: failing }, () => ({ fault: { kind: 'status', status: 500 } as const })),
      );
      const answer = await ask({}, { 'x-lattice-fallback': 'none' });
      expect(answer.status).toBe(200);
      expect(await linesOf(answer.headers)).toEqual(
        Array.from({ length: failing + 1 }, (_, index) => [
          index + 1,
          FIRST,
          index < failing ? 'failed' : 'succeeded',
        ]),
      );
      await openai.clearScripts();
    }
  });

  it('waits as long as Retry-After asks', async () => {
    await openai.script({ fault: { kind: 'status', status: 429, retryAfter: 1 } });
    const before = (await openai.attempts()).length;
    expect((await ask({}, { 'x-lattice-fallback': 'none' })).status).toBe(200);
    const [first, second] = (await openai.attempts()).slice(before);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('does not wait for a Retry-After that is too long', async () => {
    await openai.script({ fault: { kind: 'status', status: 429, retryAfter: 3600 } });
    const answer = await ask();
    expect(await linesOf(answer.headers)).toEqual([
      [1, FIRST, 'failed'],
      [2, SECOND, 'succeeded'],
    ]);
  });

  it('does not wait half a minute while another provider is ready', async () => {
    await openai.script({ fault: { kind: 'status', status: 429, retryAfter: 30 } });
    const answer = await ask();
    expect(await linesOf(answer.headers)).toEqual([
      [1, FIRST, 'failed'],
      [2, SECOND, 'succeeded'],
    ]);
  });

  it('never tries again what the request itself caused', async () => {
    await openai.script({
      times: 'always',
      fault: {
        kind: 'status',
        status: 400,
        body: { error: { message: 'bad temperature', type: 'invalid_request_error' } },
      },
    });
    const before = (await openai.attempts()).length;
    const answer = await ask();
    expect([answer.status, (await openai.attempts()).length - before]).toEqual([400, 1]);
    expect(answer.body.error?.message).toContain('bad temperature');
  });

  it('reports a provider’s 401 as 502, never as 401', async () => {
    await openai.script({ times: 'always', fault: { kind: 'status', status: 401 } });
    const answer = await ask({}, { 'x-lattice-fallback': 'none' });
    expect([answer.status, answer.body.error?.code]).toEqual([502, 'PROVIDER_REJECTED']);
  });

  it('reports an over-long prompt as OpenAI does', async () => {
    const body = {
      error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' },
    };
    await openai.script({ times: 'always', fault: { kind: 'status', status: 400, body } });
    const answer = await ask({}, { 'x-lattice-fallback': 'none' });
    expect([answer.status, answer.body.error?.code]).toEqual([400, 'context_length_exceeded']);
    await azure.script({ times: 'always', fault: { kind: 'status', status: 400, body } });
    const everywhere = await ask();
    expect([everywhere.status, everywhere.body.error?.code]).toEqual([400, 'context_length_exceeded']);
    expect(await linesOf(everywhere.headers)).toHaveLength(2);
  });

  it.each([401, 404])('asks for no second try when every provider says %s', async (status) => {
    await openai.script({ times: 'always', fault: { kind: 'status', status } });
    const alone = await ask({}, { 'x-lattice-fallback': 'none' });
    expect([alone.status, alone.headers.get('x-should-retry')]).toEqual([502, 'false']);
    await azure.script({ times: 'always', fault: { kind: 'status', status } });
    const { headers, body } = await ask();
    expect(body.error?.code).toBe('ALL_PROVIDERS_FAILED');
    expect([headers.get('x-should-retry'), headers.get('retry-after')]).toEqual(['false', null]);
  });

  it('names the failure of an answer that broke off after another provider had failed', async () => {
    await openai.script({ times: 'always', fault: { kind: 'status', status: 500 } });
    await azure.script({ times: 'always', fault: { kind: 'cut', afterChunks: 1 } });
    const { text } = await ask({ stream: true });
    expect(text).toContain('PROVIDER_STREAM_CUT');
    expect(text).not.toContain('ALL_PROVIDERS_FAILED');
  });

  it('answers 503 with Retry-After when every provider is down, and OpenAI’s client raises its own class', async () => {
    await openai.script({ times: 'always', fault: { kind: 'status', status: 500 } });
    await azure.script({ times: 'always', fault: { kind: 'status', status: 500 } });
    const failure = await app.openai.chat.completions
      .create({ model: FIRST, messages: HELLO, max_tokens: 20 })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failure).toBeInstanceOf(OpenAI.InternalServerError);
    expect(failure).toMatchObject({ status: 503, code: 'ALL_PROVIDERS_FAILED' });
    expect((failure as InstanceType<typeof OpenAI.APIError>).headers?.get('retry-after')).toMatch(/^\d+$/);
  });

  it('keeps a pinned model unless the client allows another', async () => {
    await Promise.all(
      [openai, azure].map((provider) =>
        provider.script({ model: 'gpt-6-luna', times: 'always', fault: { kind: 'status', status: 500 } }),
      ),
    );
    expect((await ask()).status).toBe(503);
    const other = await ask({}, { 'x-lattice-fallback': 'any' });
    expect(other.status).toBe(200);
    expect([FIRST, SECOND]).not.toContain(other.headers.get('x-lattice-model'));
    const listed = await ask({ models: ['openai/gpt-4o'] });
    expect(listed.headers.get('x-lattice-model')).toBe('openai/gpt-4o');
  });

  it('does not buy a finished tool round again when a later one falls over', async () => {
    await openai.script(
      { toolCalls: [{ name: 'current_time' }] },
      { fault: { kind: 'status', status: 404 } },
    );
    const answer = await ask({ lattice: { tools: ['current_time'] } });
    expect(await linesOf(answer.headers)).toEqual([
      [1, FIRST, 'succeeded'],
      [2, FIRST, 'failed'],
      [3, SECOND, 'succeeded'],
    ]);
    const input = (await azure.attempts()).at(-1)?.body.input as { role?: string; type?: string }[];
    expect(input.map(({ role, type }) => role ?? type)).toEqual([
      'user',
      'function_call',
      'function_call_output',
    ]);
  });

  it('stops a pause between tries when the client hangs up, and books what was sent', async () => {
    await openai.script({ times: 'always', fault: { kind: 'status', status: 429, retryAfter: 30 } });
    const before = (await openai.attempts()).length;
    const controller = new AbortController();
    const call = app.openai.chat.completions.create(
      { model: FIRST, messages: [{ role: 'user', content: 'pause' }] },
      { signal: controller.signal, headers: { 'x-lattice-fallback': 'none' } },
    );
    await openai.endedAttempts(before + 1);
    controller.abort();
    await expect(call).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    const holds = () => app.database.query<object[]>('select 1 from holds');
    await eventually(async () => ((await holds()).length === 0 ? true : undefined));
    expect((await openai.attempts()).length).toBe(before + 1);
  });

  it('tries at most five fallbacks and twelve attempts', async () => {
    await Promise.all(
      [openai, azure].map((provider) =>
        provider.script({ times: 'always', fault: { kind: 'status', status: 500 } }),
      ),
    );
    const before = (await openai.attempts()).length + (await azure.attempts()).length;
    const answer = await ask({ model: 'auto' });
    const tries = (await openai.attempts()).length + (await azure.attempts()).length - before;
    const lines = await linesOf(answer.headers);
    expect(answer.status).toBe(503);
    expect(new Set(lines.map(([, model]) => model)).size).toBe(6);
    expect([tries, lines.length]).toEqual([12, 12]);
  });

  it('leaves no hold behind, whatever happened', async () => {
    const [row] = await app.database.query('select count(*)::int as count from holds');
    expect(row).toEqual({ count: 0 });
  });
});
