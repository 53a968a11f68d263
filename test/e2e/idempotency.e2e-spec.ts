import { setTimeout as delay } from 'node:timers/promises';
import OpenAI from 'openai';
import { AnswerBells } from '../../src/idempotency/answer-bells.service';
import { ExpiredKeys, IdempotencyOptions } from '../../src/idempotency/index';
import { OpenRequests } from '../../src/observability/index';
import { type Answer, PASSWORD, startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import {
  type Attempt,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';
const CHAT = '/v1/chat/completions';
const REPLAY = 'x-lattice-idempotent-replay';
const DAY_MS = 86_400_000;

describe('Idempotency-Key', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let tests = 0;
  let key: string;
  /** In every prompt of the running test, and in no other. */
  let marker: string;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  beforeEach(() => {
    tests += 1;
    key = `key-${tests}`;
    marker = `question number ${tests}.`;
  });

  afterEach(async () => {
    await truth.clearScripts();
    expect(await app.reconcile()).toEqual([]);
  });

  interface Ask {
    readonly script?: object;
    readonly body?: object;
    readonly headers?: Record<string, string>;
    readonly credential?: string;
  }

  const bodyOf = ({ script, body }: Ask): object => ({
    model: MODEL,
    messages: [{ role: 'user', content: script ? `${marker} [[script:${JSON.stringify(script)}]]` : marker }],
    ...body,
  });

  const headersOf = ({ headers }: Ask) => ({
    'idempotency-key': key,
    'x-lattice-fallback': 'none',
    ...headers,
  });

  const ask = (options: Ask = {}): Promise<Answer<{ error?: Record<string, unknown> }>> =>
    app.call('POST', CHAT, {
      body: bodyOf(options),
      headers: headersOf(options),
      credential: options.credential ?? app.admin.key,
    });

  /** Sends a request whose client hangs up when told to. */
  const askAndLeave = (options: Ask = {}) => {
    const client = new AbortController();
    const response = fetch(`${app.url}${CHAT}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${app.admin.key}`,
        'content-type': 'application/json',
        ...headersOf(options),
      },
      body: JSON.stringify(bodyOf(options)),
      signal: client.signal,
    });
    response.catch(() => undefined);
    return { response, leave: () => client.abort() };
  };

  const ofThisTest = (attempts: readonly Attempt[]) =>
    attempts.filter(({ body }) => JSON.stringify(body).includes(marker));
  const attempts = async () => ofThisTest(await truth.attempts());
  const seen = (count: number) => truth.waitFor((all) => ofThisTest(all).length >= count);
  const ended = (count: number) =>
    truth.waitFor((all) => ofThisTest(all).filter(({ outcome }) => outcome !== 'open').length >= count);
  const allWorkDone = () =>
    eventually(async () => (app.app.get(OpenRequests).count === 0 ? true : undefined));

  const withOptions = async (options: Partial<IdempotencyOptions>, work: () => Promise<void>) => {
    const live = app.app.get(IdempotencyOptions);
    const before: Partial<IdempotencyOptions> = Object.fromEntries(Object.entries(live));
    Object.assign(live, options);
    try {
      await work();
    } finally {
      Object.assign(live, before);
    }
  };

  describe('the same request again', () => {
    it('gets the stored answer with its headers, and a request id of its own', async () => {
      const first = await ask();
      const second = await ask();
      expect([first.status, first.headers.get(REPLAY)]).toEqual([200, null]);
      expect([second.status, second.headers.get(REPLAY)]).toEqual([200, 'true']);
      expect(second.text).toBe(first.text);
      for (const name of [
        'content-type',
        'x-lattice-decision-id',
        'x-lattice-cost-usd',
        'x-lattice-model',
        'x-lattice-attempts',
      ]) {
        expect([name, second.headers.get(name)]).toEqual([name, first.headers.get(name)]);
        expect(first.headers.get(name)).toBeTruthy();
      }
      const firstId = first.headers.get('x-lattice-request-id');
      expect(second.headers.get('x-lattice-original-request-id')).toBe(firstId);
      expect(second.headers.get('x-lattice-request-id')).not.toBe(firstId);
      expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
      expect(await attempts()).toHaveLength(1);
      expect(await app.lines(firstId ?? '')).toHaveLength(1);
    });

    it('gets a stream byte for byte', async () => {
      const body = { stream: true, stream_options: { include_usage: true } };
      const script = { answer: 'Größe 🙂 one two three four five', chunks: 6 };
      const first = await ask({ body, script });
      const second = await ask({ body, script });
      expect(first.text).toContain('data: [DONE]');
      expect(second.text).toBe(first.text);
      expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
      expect(second.headers.get('x-lattice-decision-id')).toBe(first.headers.get('x-lattice-decision-id'));
      expect([second.status, second.headers.get(REPLAY)]).toEqual([200, 'true']);
      expect(await attempts()).toHaveLength(1);
    });

    it.each([false, true])('is answered whole only when the answer is kept (stream: %s)', async (stream) => {
      let isWhole = false;
      let wasWholeBefore: boolean | undefined;
      const queryDatabase = app.database.query.bind(app.database);
      const query = jest.spyOn(app.database, 'query').mockImplementation(async (...asked) => {
        const isStore = asked[0].includes('set answer');
        if (isStore) await delay(100);
        const rows: unknown = await queryDatabase(...asked);
        if (isStore) wasWholeBefore = isWhole;
        return rows;
      });
      await ask({ body: { stream } }).then(() => (isWhole = true));
      query.mockRestore();
      expect([isWhole, wasWholeBefore]).toEqual([true, false]);
    });

    it('gets the refusal that the first one got, when the request itself is to blame', async () => {
      const script = {
        fault: { kind: 'status', status: 400, body: { error: { message: 'no such voice' } } },
      };
      const first = await ask({ script });
      const second = await ask({ script });
      expect([first.status, second.status, second.headers.get(REPLAY)]).toEqual([400, 400, 'true']);
      expect(second.text).toBe(first.text);
      expect(await attempts()).toHaveLength(1);
    });

    it('is recognised whatever the client says of itself, also with OpenAI’s own client and its retries', async () => {
      const openai = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: app.admin.key, maxRetries: 2 });
      const send = (retries: string) =>
        openai.chat.completions
          .create(
            { model: MODEL, messages: [{ role: 'user', content: marker }] },
            { headers: { 'Idempotency-Key': key, 'x-app-try': retries } },
          )
          .withResponse();
      const first = await send('1');
      const second = await send('2');
      expect(second.data).toEqual(first.data);
      expect(second.response.headers.get(REPLAY)).toBe('true');
      const differently = await app.call('POST', CHAT, {
        body: { model: MODEL, messages: [{ role: 'user', content: marker }] },
        headers: { 'idempotency-key': key, 'x-stainless-retry-count': '1', traceparent: 'other' },
      });
      expect(differently.headers.get(REPLAY)).toBe('true');
      expect(await attempts()).toHaveLength(1);
    });
  });

  describe('another request under the same key', () => {
    it.each<[string, Ask]>([
      ['another body', { body: { temperature: 0.5 } }],
      ['another option in a header', { headers: { 'x-lattice-fallback': 'any' } }],
    ])('is 409 with %s, and says not to retry', async (_, other) => {
      await ask();
      const refused = await ask(other);
      expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([409, 'false']);
      expect(refused.body.error).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', param: 'Idempotency-Key' });
      expect((await ask()).headers.get(REPLAY)).toBe('true');
      expect(await attempts()).toHaveLength(1);
    });

    it('is 409 for another route, and at once while the first one runs', async () => {
      const script = { delayMs: 400 };
      const first = ask({ script });
      await seen(1);
      const refused = await ask({ script, body: { temperature: 0 } });
      expect([refused.status, await attempts()]).toEqual([
        409,
        [expect.objectContaining({ outcome: 'open' })],
      ]);
      expect((await first).status).toBe(200);
      const elsewhere = await app.call('POST', '/api/v1/route', {
        body: bodyOf({ script }),
        headers: headersOf({}),
      });
      expect(elsewhere.status).toBe(409);
    });

    it('is carried out for another user, while the keys of one user share', async () => {
      const other = await app.register();
      const mine = await ask();
      const theirs = await ask({ credential: other.key });
      expect([theirs.status, theirs.headers.get(REPLAY)]).toEqual([200, null]);
      expect(theirs.headers.get('x-lattice-decision-id')).not.toBe(mine.headers.get('x-lattice-decision-id'));
      expect(await attempts()).toHaveLength(2);
      const sameUser = await ask({ credential: app.admin.accessToken });
      expect(sameUser.headers.get('x-lattice-decision-id')).toBe(mine.headers.get('x-lattice-decision-id'));
      expect(await attempts()).toHaveLength(2);
    });
  });

  describe('the same request at the same time', () => {
    it.each([false, true])('gets one answer for all ten (stream: %s)', async (stream) => {
      // Woken, not by looking again.
      await withOptions({ pollMs: 60_000 }, async () => {
        const options = { script: { delayMs: 200 }, body: { stream } };
        const answers = await Promise.all(Array.from({ length: 10 }, () => ask(options)));
        expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
        expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
        expect(answers.filter(({ headers }) => headers.get(REPLAY) === null)).toHaveLength(1);
        expect(await attempts()).toHaveLength(1);
      });
    });

    it('stops waiting after its own time, with 409', async () => {
      await withOptions({ waitMs: 50 }, async () => {
        const script = { delayMs: 600 };
        const first = ask({ script });
        await seen(1);
        const refused = await ask({ script });
        expect([refused.status, refused.body.error?.code]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(refused.headers.get('x-should-retry')).toBe('false');
        expect((await first).status).toBe(200);
        expect(await attempts()).toHaveLength(1);
      });
    });

    it('takes the place of a first one that fails', async () => {
      await truth.script({ delayMs: 300, fault: { kind: 'status', status: 401 } });
      const first = ask();
      await seen(1);
      const second = await ask();
      expect((await first).status).toBe(502);
      expect([second.status, second.headers.get(REPLAY)]).toEqual([200, null]);
      expect(await attempts()).toHaveLength(2);
    });

    it('takes nobody’s place when its client has hung up', async () => {
      await truth.script({ delayMs: 1500, fault: { kind: 'status', status: 401 } });
      const first = ask();
      await seen(1);
      const waiter = askAndLeave();
      await eventually(async () => {
        const [row] = await app.database.query<{ is_awaited: boolean }[]>(
          'select is_awaited from idempotency_keys where key = $1',
          [key],
        );
        return row?.is_awaited ? true : undefined;
      });
      waiter.leave();
      const bells = app.app.get(AnswerBells);
      await eventually(async () => (bells.topicCount === 0 ? true : undefined));
      expect((await attempts())[0]?.outcome).toBe('open');
      expect((await first).status).toBe(502);
      await allWorkDone();
      expect(await attempts()).toHaveLength(1);
    });
  });

  describe('a client that hangs up', () => {
    it('finds the whole stream when it comes back', async () => {
      const options = { script: { chunks: 8, chunkDelayMs: 40 }, body: { stream: true } };
      const lost = askAndLeave(options);
      const reader = (await lost.response).body?.getReader();
      await reader?.read();
      lost.leave();
      const answer = await ask(options);
      expect([answer.status, answer.headers.get(REPLAY)]).toEqual([200, 'true']);
      expect(answer.text).toMatch(/data: \[DONE\]\n\n$/);
      const [attempt, ...more] = await attempts();
      expect([attempt?.outcome, more]).toEqual(['completed', []]);
      const content = [...answer.text.matchAll(/"content":"([^"]*)"/g)].map((match) => match[1]).join('');
      const id = answer.headers.get('x-lattice-original-request-id') ?? '';
      expect(content.length).toBeGreaterThan(10);
      expect(await app.lines(id)).toEqual([
        expect.objectContaining({
          outcome: 'succeeded',
          completionTokens: attempt?.completionTokens,
          usageSource: 'provider',
        }),
      ]);
      await allWorkDone();
    });

    it.each([false, true])('finds an answer that had not begun (stream: %s)', async (stream) => {
      const options = { script: { delayMs: 300 }, body: { stream } };
      const lost = askAndLeave(options);
      await seen(1);
      lost.leave();
      await ended(1);
      await allWorkDone();
      const answer = await ask(options);
      expect([answer.status, answer.headers.get(REPLAY)]).toEqual([200, 'true']);
      expect(answer.text).toContain(stream ? '[DONE]' : '"finish_reason":"stop"');
      expect((await attempts()).map(({ outcome }) => outcome)).toEqual(['completed']);
    });

    it('finds the refusal that it did not wait for', async () => {
      const script = { delayMs: 300, fault: { kind: 'status', status: 400 } };
      const lost = askAndLeave({ script });
      await seen(1);
      lost.leave();
      await allWorkDone();
      const answer = await ask({ script });
      expect([answer.status, answer.headers.get(REPLAY)]).toEqual([400, 'true']);
      expect(await attempts()).toHaveLength(1);
    });

    it('frees the key when the answer it did not wait for is a failure', async () => {
      await truth.script({ delayMs: 300, fault: { kind: 'status', status: 401 } });
      const lost = askAndLeave();
      await seen(1);
      lost.leave();
      await allWorkDone();
      const answer = await ask();
      expect([answer.status, answer.headers.get(REPLAY)]).toEqual([200, null]);
    });

    it('ends the upstream call as ever when it sent no key', async () => {
      const options = { script: { fault: { kind: 'endless' }, chunkDelayMs: 5 }, body: { stream: true } };
      const client = new AbortController();
      const response = await fetch(`${app.url}${CHAT}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify(bodyOf(options)),
        signal: client.signal,
      });
      await response.body?.getReader().read();
      client.abort();
      await ended(1);
      expect((await attempts()).map(({ outcome }) => outcome)).toEqual(['client_closed']);
      await allWorkDone();
    });

    it('ends it too once the answer is longer than can be kept', async () => {
      await withOptions({ maxAnswerBytes: 5000 }, async () => {
        const options = { script: { fault: { kind: 'endless' }, chunkDelayMs: 1 }, body: { stream: true } };
        const lost = askAndLeave(options);
        await (await lost.response).body?.getReader().read();
        lost.leave();
        await ended(1);
        const [attempt, ...more] = await attempts();
        expect([attempt?.outcome, more]).toEqual(['client_closed', []]);
        expect(attempt?.sentBytes).toBeGreaterThan(5000);
        await allWorkDone();
      });
    });

    it('ends it when it leaves after that', async () => {
      await withOptions({ maxAnswerBytes: 200 }, async () => {
        const options = { script: { fault: { kind: 'endless' }, chunkDelayMs: 1 }, body: { stream: true } };
        const lost = askAndLeave(options);
        await lost.response;
        await truth.waitFor((all) => (ofThisTest(all)[0]?.sentBytes ?? 0) > 2000);
        lost.leave();
        await ended(1);
        expect((await attempts()).map(({ outcome }) => outcome)).toEqual(['client_closed']);
        await allWorkDone();
      });
    });
  });

  describe('what is not stored', () => {
    it.each<[string, object, number]>([
      ['a failure of the provider', { fault: { kind: 'status', status: 401 } }, 502],
      ['an empty answer', { fault: { kind: 'empty' }, times: 4 }, 502],
    ])('%s: the next one is carried out', async (_, script, status) => {
      await truth.script(script);
      const first = await ask();
      await truth.clearScripts();
      const second = await ask();
      expect([first.status, second.status, second.headers.get(REPLAY)]).toEqual([status, 200, null]);
    });

    it('a stream that ended in an error event', async () => {
      const body = { stream: true };
      await truth.script({ fault: { kind: 'cut', afterChunks: 2 } });
      const first = await ask({ body });
      expect(first.text).toContain('PROVIDER_STREAM_CUT');
      const second = await ask({ body });
      expect([second.text.includes('[DONE]'), second.headers.get(REPLAY)]).toEqual([true, null]);
      expect(await attempts()).toHaveLength(2);
    });

    it('a wrong password', async () => {
      const account = await app.register();
      const change = (currentPassword: string) =>
        app.call<{ error?: { code: string } }>('POST', '/api/v1/auth/password', {
          credential: account.accessToken,
          body: { currentPassword, newPassword: `${PASSWORD} new` },
          headers: { 'idempotency-key': key },
        });
      const refused = [await change('not this one, surely'), await change('not this one, surely')];
      expect(refused.map(({ body, headers }) => [body.error?.code, headers.get(REPLAY)])).toEqual([
        ['WRONG_PASSWORD', null],
        ['WRONG_PASSWORD', null],
      ]);
    });

    it('an exhausted budget', async () => {
      const account = await app.register();
      await app.createBudget(account, '0');
      const first = await ask({ credential: account.key });
      expect([first.status, first.headers.get('x-should-retry')]).toEqual([429, 'false']);
      await app.database.query(`update budgets set limit_pico = 1000000000000 where scope = 'user'`);
      const second = await ask({ credential: account.key });
      expect([second.status, second.headers.get(REPLAY)]).toEqual([200, null]);
    });

    it.each([false, true])('a longer answer than can be kept (stream: %s)', async (stream) => {
      await withOptions({ maxAnswerBytes: 100 }, async () => {
        const first = await ask({ body: { stream } });
        const second = await ask({ body: { stream } });
        expect([first.status, second.status, second.headers.get(REPLAY)]).toEqual([200, 200, null]);
        expect(second.text.length).toBeGreaterThan(100);
        expect(await attempts()).toHaveLength(2);
      });
    });
  });

  describe('limits', () => {
    const setLimit = async (scopeId: string, requestsPerHour: number): Promise<string> => {
      const body = { scope: 'key', scopeId, requestsPerHour };
      return (await app.call<{ id: string }>('POST', '/api/v1/limits', { body })).body.id;
    };
    const usedOf = async (id: string) => {
      const { body } = await app.call<{ windows: { requestsPerHour: { used: number } } }>(
        'GET',
        `/api/v1/limits/${id}`,
      );
      return body.windows.requestsPerHour.used;
    };

    it('count a replay as a request, and the first one once', async () => {
      const account = await app.register();
      const id = await setLimit(account.keyId, 3);
      const answers = [];
      for (let sent = 0; sent < 5; sent += 1) answers.push(await ask({ credential: account.key }));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
      expect(answers.slice(0, 3).map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual([
        '2',
        '1',
        '0',
      ]);
      expect(answers[4]?.body.error).toMatchObject({
        code: 'REQUEST_LIMIT_EXCEEDED',
        details: { scope: 'key', value: 3 },
      });
      expect(answers[4]?.headers.get('retry-after')).toBeTruthy();
      expect([await usedOf(id), await attempts()]).toEqual([3, [expect.anything()]]);
    });

    it('count those that waited, too', async () => {
      const account = await app.register();
      const id = await setLimit(account.keyId, 2);
      const options = { script: { delayMs: 300 }, credential: account.key };
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(options)));
      expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([
        200,
        200,
        ...Array<number>(6).fill(429),
      ]);
      expect([await usedOf(id), await attempts()]).toEqual([2, [expect.anything()]]);
    });

    it('let no more of one user wait than may', async () => {
      await withOptions({ maxWaiters: 1 }, async () => {
        const options = { script: { delayMs: 1500 } };
        const answers = await Promise.all([ask(options), ask(options), ask(options)]);
        expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([
          200, 200, 429,
        ]);
        const refused = answers.find(({ status }) => status === 429);
        expect([refused?.body.error?.code, refused?.headers.get('retry-after')]).toEqual([
          'RATE_LIMITED',
          '5',
        ]);
      });
    });
  });

  describe('how long', () => {
    const hoursLeft = async () => {
      const [row] = await app.database.query<{ left: string }[]>(
        'select extract(epoch from expires_at - now()) * 1000 as left from idempotency_keys where key = $1',
        [key],
      );
      return Number(row?.left) / DAY_MS;
    };

    it('is 24 hours; then the request is carried out again, and what nobody asked for is removed', async () => {
      await ask();
      expect(await hoursLeft()).toBeGreaterThan(0.99);
      expect(await hoursLeft()).toBeLessThanOrEqual(1);
      await app.database.query(
        `update idempotency_keys set expires_at = now() - interval '1 second' where key = $1`,
        [key],
      );
      expect((await ask()).headers.get(REPLAY)).toBeNull();
      expect(await attempts()).toHaveLength(2);
      expect((await ask()).headers.get(REPLAY)).toBe('true');
      await app.database.query(
        `update idempotency_keys set expires_at = now() - interval '1 second' where key = $1`,
        [key],
      );
      await app.app.get(ExpiredKeys).run();
      expect(await hoursLeft()).toBeNaN();
    });
  });

  describe('every other POST', () => {
    it('gives the same API key once and again', async () => {
      const account = await app.register();
      const make = () =>
        app.call<{ id: string; key: string }>('POST', '/api/v1/keys', {
          credential: account.accessToken,
          body: { name: 'once' },
          headers: { 'idempotency-key': key },
        });
      const [first, second] = [await make(), await make()];
      expect([first.status, second.status, second.headers.get(REPLAY)]).toEqual([201, 201, 'true']);
      expect(second.body).toEqual(first.body);
      expect(first.body.key).toMatch(/^llk_/);
      const list = await app.call<{ data: { name: string }[] }>('GET', '/api/v1/keys', {
        credential: account.accessToken,
      });
      expect(list.body.data.filter(({ name }) => name === 'once')).toHaveLength(1);
    });

    it('gives the same session to the same login, keeps no refused one, and shows no token in the table', async () => {
      const account = await app.register();
      const logIn = (password: string, idempotencyKey: string) =>
        app.call<{ accessToken: string }>('POST', '/api/v1/auth/login', {
          credential: null,
          body: { email: account.email, password },
          headers: { 'idempotency-key': idempotencyKey },
        });
      const [first, second] = [
        await logIn('correct horse battery staple', key),
        await logIn('correct horse battery staple', key),
      ];
      expect([first.status, second.status, second.headers.get(REPLAY)]).toEqual([200, 200, 'true']);
      expect(second.text).toBe(first.text);
      expect((await logIn('wrong', key)).status).toBe(409);
      expect((await logIn('wrong', `${key}-wrong`)).status).toBe(401);
      expect((await logIn('wrong', `${key}-wrong`)).headers.get(REPLAY)).toBeNull();
      const rows = await app.database.query<{ owner: string; answer: Buffer }[]>(
        'select owner, answer from idempotency_keys where key like $1',
        [`${key}%`],
      );
      expect(rows.map(({ owner }) => owner)).toEqual(['address:127.0.0.1']);
      expect(rows[0]?.answer.includes('accessToken')).toBe(false);
    });

    it('does not look at the header of a GET', async () => {
      const answer = await app.call('GET', '/api/v1/keys', { headers: { 'idempotency-key': 'not a key' } });
      expect(answer.status).toBe(200);
    });
  });

  it.each(['', 'two words', 'x'.repeat(256), 'schlüssel'])('refuses the malformed key "%s"', async (bad) => {
    const answer = await ask({ headers: { 'idempotency-key': bad } });
    expect([answer.status, answer.body.error]).toEqual([
      400,
      expect.objectContaining({ code: 'VALIDATION_FAILED', param: 'Idempotency-Key' }),
    ]);
  });

  it('answers 503 while PostgreSQL cannot be asked, and calls nobody', async () => {
    const real = app.database.query.bind(app.database);
    const query = jest.spyOn(app.database, 'query').mockImplementation((...asked) => {
      if (!isOfKeys(asked[0])) return real(...asked);
      return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    });
    const answer = await ask();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect([statementsOfKeys(query).length, await attempts()]).toEqual([1, []]);
    query.mockRestore();
  });

  it('costs a request without it no statement', async () => {
    const query = jest.spyOn(app.database, 'query');
    const answer = await app.call('POST', CHAT, { body: bodyOf({}) });
    expect([answer.status, statementsOfKeys(query)]).toEqual([200, []]);
    query.mockRestore();
  });

  it('stands in the document of every route that takes it', async () => {
    const { body } = await app.call<{
      paths: Record<string, { post?: { parameters?: { name: string }[] } }>;
    }>('GET', '/openapi.json');
    const posts = Object.entries(body.paths).filter(
      ([path, { post }]) => post && /^\/(api\/)?v1\//.test(path),
    );
    expect(posts.length).toBeGreaterThan(4);
    for (const [path, { post }] of posts) {
      expect([path, post?.parameters?.some(({ name }) => name === 'Idempotency-Key')]).toEqual([path, true]);
    }
  });

  it('refuses a body that cannot be read again, with 400', async () => {
    const deep = `{"model":"${MODEL}","messages":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const answer = await app.call('POST', CHAT, { body: deep, headers: { 'idempotency-key': key } });
    expect(answer.status).toBe(400);
  });
});

describe('Idempotency-Key at shutdown', () => {
  it('ends work that has outlived its client', async () => {
    const truth = await startTruthProvider();
    const app = await startApp({ OPENAI_BASE_URL: truth.url });
    const client = new AbortController();
    const response = await fetch(`${app.url}${CHAT}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${app.admin.key}`,
        'content-type': 'application/json',
        'idempotency-key': 'endless',
      },
      body: JSON.stringify({
        model: MODEL,
        stream: true,
        messages: [{ role: 'user', content: '[[script:{"fault":{"kind":"endless"},"chunkDelayMs":5}]]' }],
      }),
      signal: client.signal,
    });
    await response.body?.getReader().read();
    client.abort();
    await delay(50);
    expect((await truth.attempts())[0]?.outcome).toBe('open');
    await app.app.get(OpenRequests).drain(0, 5000);
    expect((await truth.endedAttempts(1))[0]?.outcome).toBe('client_closed');
    expect(await app.database.query('select key from idempotency_keys')).toEqual([]);
    await app.close();
    await truth.stop();
  });
});

/** The pool is shared: background work of the service may ask it something at any moment. */
function isOfKeys(sql: string): boolean {
  return sql.includes('idempotency_keys');
}

function statementsOfKeys(query: {
  readonly mock: { readonly calls: readonly [string, ...unknown[]][] };
}): string[] {
  return query.mock.calls.map(([sql]) => sql).filter(isOfKeys);
}
