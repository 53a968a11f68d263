import { type Answer, startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { readSse } from '../support/sse';
import { type Fault, startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const FIRST = 'openai/gpt-6-luna';
const SECOND = 'azure/gpt-6-luna';
const OTHER = 'openai/gpt-4o';
const FAILURES = 4;
const DOWN: Fault = { kind: 'status', status: 500 };
const ALONE = { 'x-lattice-fallback': 'none' };

interface ErrorBody {
  readonly error?: { readonly code: string; readonly message: string; readonly details?: object };
}

interface Health {
  readonly models: readonly { readonly model: string; readonly circuit: string; readonly reason: string }[];
}

describe('circuit breakers', () => {
  let openai: TruthProvider;
  let azure: TruthProvider;

  beforeAll(async () => {
    [openai, azure] = await Promise.all([startTruthProvider(), startTruthProvider()]);
  });

  afterAll(() => Promise.all([openai.stop(), azure.stop()]));
  afterEach(() => Promise.all([openai.clearScripts(), azure.clearScripts()]));

  const start = (openMs: number): Promise<TestApp> =>
    startApp({
      OPENAI_BASE_URL: openai.url,
      AZURE_BASE_URL: azure.url,
      AZURE_OPENAI_API_KEY: 'k',
      BREAKER_FAILURES: String(FAILURES),
      BREAKER_OPEN_MS: String(openMs),
      BREAKER_MAX_OPEN_MS: String(openMs),
    });

  function tools(app: () => TestApp) {
    const ask = (body: object = {}, headers: Record<string, string> = ALONE): Promise<Answer<ErrorBody>> =>
      app().call('POST', '/v1/chat/completions', {
        body: { model: FIRST, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20, ...body },
        headers,
      });
    const circuit = async (provider = 'openai', model = FIRST): Promise<string> => {
      const { body } = await app().call<Health>('GET', `/api/v1/providers/${provider}/health`);
      return body.models.find((one) => one.model === model)?.circuit ?? 'closed';
    };
    const reset = async (): Promise<void> => {
      for (const provider of ['openai', 'azure']) {
        expect((await app().call('POST', `/api/v1/providers/${provider}/reset`)).status).toBe(200);
      }
    };
    const lines = async (answer: Answer<unknown>) =>
      (await app().lines(answer.headers.get('x-lattice-request-id') ?? '')).map((line) => [
        line.attempt,
        line.model,
        line.outcome,
      ]);
    /** Makes the first model fail until it is left alone. */
    const breakFirst = async (): Promise<void> => {
      await openai.script({ model: 'gpt-6-luna', times: FAILURES, fault: DOWN });
      await ask();
      expect(await circuit()).toBe('open');
    };
    return { ask, circuit, reset, lines, breakFirst };
  }

  const attempts = async (): Promise<number> =>
    (await openai.attempts()).length + (await azure.attempts()).length;

  describe('that stay open', () => {
    let app: TestApp;
    const { ask, circuit, reset, lines, breakFirst } = tools(() => app);

    beforeAll(async () => {
      app = await start(60_000);
    });

    afterAll(() => app.close());
    afterEach(reset);

    it('refuse the only candidate at once, with Retry-After, and nothing is sent or booked', async () => {
      await breakFirst();
      const before = await attempts();
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask()));
      for (const answer of answers) {
        expect([answer.status, answer.body.error?.code]).toEqual([503, 'CIRCUIT_OPEN']);
        expect(answer.body.error?.details).toMatchObject({ model: FIRST, reason: 'overloaded' });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(30);
        expect(await lines(answer)).toEqual([]);
      }
      expect(await attempts()).toBe(before);
      expect(await app.database.query('select 1 from holds')).toEqual([]);
    });

    it('let the next candidate answer as the first attempt, JSON and SSE alike', async () => {
      await breakFirst();
      const before = (await openai.attempts()).length;
      const answer = await ask({}, {});
      expect(answer.headers.get('x-lattice-model')).toBe(SECOND);
      expect(await lines(answer)).toEqual([[1, SECOND, 'succeeded']]);
      const stream = await fetch(`${app.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: FIRST, messages: [{ role: 'user', content: 'Hi' }], stream: true }),
      });
      expect((await readSse(stream)).isDone).toBe(true);
      expect(stream.headers.get('x-lattice-model')).toBe(SECOND);
      expect((await openai.attempts()).length).toBe(before);
      expect(await app.reconcile()).toEqual([]);
    });

    it('have the model that is really called written down before it is called', async () => {
      await breakFirst();
      await azure.script({ fault: { kind: 'stall' } });
      const controller = new AbortController();
      const call = app.openai.chat.completions.create(
        { model: FIRST, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20 },
        { signal: controller.signal },
      );
      call.catch(() => undefined);
      const [hold] = await eventually(async () => {
        const rows = await app.database.query<object[]>(
          'select intent_attempt, intent_provider, intent_model from holds where intent_model = $1',
          [SECOND],
        );
        return rows.length > 0 ? rows : undefined;
      });
      expect(hold).toEqual({ intent_attempt: 1, intent_provider: 'azure', intent_model: SECOND });
      controller.abort();
      const holds = () => app.database.query<object[]>('select 1 from holds');
      await eventually(async () => ((await holds()).length === 0 ? true : undefined));
    });

    it('leave nothing to try when all are open: 503 at once with Retry-After', async () => {
      await openai.script({ model: 'gpt-6-luna', times: 'always', fault: DOWN });
      await azure.script({ model: 'gpt-6-luna', times: 'always', fault: DOWN });
      await ask({}, {});
      await ask({}, {});
      expect([await circuit(), await circuit('azure', SECOND)]).toEqual(['open', 'open']);
      const before = await attempts();
      const answer = await ask({}, {});
      expect([answer.status, answer.body.error?.code]).toEqual([503, 'ALL_PROVIDERS_FAILED']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(30);
      expect(answer.body.error?.details).toEqual({
        attempts: [
          { model: FIRST, code: 'CIRCUIT_OPEN' },
          { model: SECOND, code: 'CIRCUIT_OPEN' },
        ],
      });
      expect(await attempts()).toBe(before);
    });

    it('open on streams that are cut after the first byte', async () => {
      await openai.script({ model: 'gpt-6-luna', times: 'always', fault: { kind: 'cut', afterChunks: 1 } });
      for (let count = 0; count < FAILURES; count++) {
        expect(await circuit()).toBe('closed');
        const answer = await ask({ stream: true });
        expect(answer.text).toContain('PROVIDER_STREAM_CUT');
      }
      expect(await circuit()).toBe('open');
    });

    it('stay closed while the provider only flaps', async () => {
      for (let round = 0; round < 4; round++) {
        await openai.script({ times: FAILURES - 1, fault: DOWN });
        expect((await ask()).status).toBe(200);
      }
      expect(await circuit()).toBe('closed');
    });

    it('stay closed whatever the requests themselves cause, and when clients hang up', async () => {
      await openai.script({ times: FAILURES + 1, fault: { kind: 'status', status: 400 } });
      for (let count = 0; count <= FAILURES; count++) expect((await ask()).status).toBe(400);
      await openai.script({ times: 'always', fault: { kind: 'stall' } });
      const before = (await openai.attempts()).length;
      const controllers = Array.from({ length: FAILURES + 1 }, () => new AbortController());
      const calls = controllers.map(({ signal }) =>
        app.openai.chat.completions.create(
          { model: FIRST, messages: [{ role: 'user', content: 'Hello' }] },
          { signal, headers: ALONE },
        ),
      );
      await eventually(async () =>
        (await openai.attempts()).length === before + calls.length ? true : undefined,
      );
      for (const controller of controllers) controller.abort();
      await Promise.allSettled(calls);
      await openai.endedAttempts(before + calls.length);
      const holds = () => app.database.query<object[]>('select 1 from holds');
      await eventually(async () => ((await holds()).length === 0 ? true : undefined));
      expect(await circuit()).toBe('closed');
    });

    it('are open for every model of a provider that refused the credential', async () => {
      await openai.script({ fault: { kind: 'status', status: 401 } });
      expect((await ask()).body.error?.code).toBe('PROVIDER_REJECTED');
      const before = await attempts();
      const answer = await ask({ model: OTHER });
      expect([answer.status, answer.body.error?.code]).toEqual([503, 'CIRCUIT_OPEN']);
      expect(answer.body.error?.details).toMatchObject({ reason: 'credential_rejected' });
      expect(await attempts()).toBe(before);
      const { body } = await app.call('GET', '/api/v1/providers/openai');
      expect(body).toMatchObject({ state: 'error', reason: 'credential_rejected' });
    });

    it('concern only those who use the credential that was refused', async () => {
      const owner = await app.register();
      const made = await app.call('POST', '/api/v1/credentials', {
        body: { provider: 'openai', apiKey: 'sk-of-the-owner-0123456789' },
        credential: owner.accessToken,
      });
      expect(made.status).toBe(201);
      const body = { model: FIRST, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20 };
      const askAs = (credential: string) =>
        app.call<ErrorBody>('POST', '/v1/chat/completions', { body, credential, headers: ALONE });
      await openai.script({ fault: { kind: 'status', status: 401 } });
      const before = await attempts();
      expect((await askAs(owner.key)).body.error?.code).toBe('CREDENTIAL_REJECTED');
      expect((await askAs(owner.key)).body.error?.code).toBe('CREDENTIAL_REJECTED');
      expect(await attempts()).toBe(before + 1);
      expect((await ask()).status).toBe(200);
      const { body: seen } = await app.call('GET', '/api/v1/providers/openai', {
        credential: owner.accessToken,
      });
      expect(seen).toMatchObject({ state: 'error', reason: 'credential_rejected' });
      const { body: others } = await app.call('GET', '/api/v1/providers/openai');
      expect(others).toMatchObject({ state: 'available' });
    });

    it('are counted and shown to administrators', async () => {
      await breakFirst();
      await ask();
      const { text } = await app.call('GET', '/metrics', { credential: app.admin.accessToken });
      expect(text).toMatch(
        /lattice_circuit_transitions_total\{provider="openai",model="openai\/gpt-6-luna",to="open"\} \d/,
      );
      expect(text).toMatch(/lattice_circuit_refusals_total\{.*\} \d/);
    });
  });

  describe('that become half-open', () => {
    let app: TestApp;
    const { ask, circuit, reset, breakFirst } = tools(() => app);

    beforeAll(async () => {
      app = await start(400);
    });

    afterAll(() => app.close());
    afterEach(reset);

    const halfOpen = () => eventually(async () => ((await circuit()) === 'half_open' ? true : undefined));

    it('are asked by real requests only, one at a time, and closed by the first that is answered', async () => {
      await breakFirst();
      await halfOpen();
      const before = await attempts();
      await openai.script({ times: 'always', fault: { kind: 'stall' } });
      const controller = new AbortController();
      let refused = 0;
      const calls = Array.from({ length: 10 }, () =>
        app.openai.chat.completions
          .create(
            { model: FIRST, messages: [{ role: 'user', content: 'Hello' }] },
            { signal: controller.signal, headers: ALONE },
          )
          .catch((error: unknown) => {
            if ((error as { code?: unknown }).code === 'CIRCUIT_OPEN') refused += 1;
          }),
      );
      await eventually(() => Promise.resolve(refused === 9 ? true : undefined));
      await eventually(async () => ((await attempts()) === before + 1 ? true : undefined));
      expect((await ask()).body.error?.code).toBe('CIRCUIT_OPEN');
      expect(await attempts()).toBe(before + 1);

      controller.abort();
      await Promise.all(calls);
      await openai.endedAttempts((await openai.attempts()).length);
      await openai.clearScripts();
      const answer = await eventually(async () => {
        const asked = await ask();
        return asked.status === 200 ? asked : undefined;
      });
      expect(answer.headers.get('x-lattice-model')).toBe(FIRST);
      expect(await circuit()).toBe('closed');
      expect(await attempts()).toBe(before + 2);
    });

    it('open again when the probe fails, after one attempt', async () => {
      await breakFirst();
      await halfOpen();
      const before = await attempts();
      await openai.script({ times: 'always', fault: DOWN });
      expect((await ask()).body.error?.code).toBe('PROVIDER_OVERLOADED');
      expect(await attempts()).toBe(before + 1);
      await openai.clearScripts();
      await eventually(async () => ((await ask()).status === 200 ? true : undefined));
      expect(await circuit()).toBe('closed');
    });

    it('close when the stream of a probe has begun, while it goes on', async () => {
      await breakFirst();
      await halfOpen();
      await openai.script({ fault: { kind: 'stall', afterChunks: 1 } });
      const controller = new AbortController();
      const stream = await app.openai.chat.completions.create(
        { model: FIRST, messages: [{ role: 'user', content: 'Hello' }], stream: true },
        { signal: controller.signal, headers: ALONE },
      );
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      expect((await ask()).status).toBe(200);
      expect(await circuit()).toBe('closed');
      controller.abort();
    });
  });
});
