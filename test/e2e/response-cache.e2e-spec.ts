import OpenAI from 'openai';
import { formatUsd, fromApiId, parseUsd } from '../../src/common/index';
import { type Account, type Answer, startApp, type TestApp, type UsageLine } from '../support/app';
import { eventually } from '../support/eventually';
import { parseSse } from '../support/sse';
import {
  type Attempt,
  type Fault,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';
const OTHER_MODEL = 'openai/gpt-4o';
const ON = { 'x-lattice-cache': 'on' };
const ALONE = { ...ON, 'x-lattice-fallback': 'none' };

interface Line extends UsageLine {
  readonly savedUsd: string | null;
  readonly savedTokens: number | null;
}

interface ChatAnswer {
  readonly id: string;
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly error?: { readonly code: string };
}

interface AskOptions {
  readonly body?: object;
  readonly headers?: Record<string, string>;
  readonly credential?: string;
}

describe('the response cache', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let texts = 0;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(async () => {
    await truth.clearScripts();
    expect(await app.reconcile()).toEqual([]);
  });

  /** A prompt that nobody has asked before. */
  const fresh = (script?: string): string => {
    texts += 1;
    return `${script ? `[[script:${script}]] ` : ''}prompt number ${texts}`;
  };

  const bodyOf = (text: string, more: object = {}): object => ({
    model: MODEL,
    temperature: 0,
    messages: [{ role: 'user', content: text }],
    ...more,
  });

  const ask = (text: string, { body, headers = ON, credential }: AskOptions = {}) =>
    app.call<ChatAnswer>('POST', '/v1/chat/completions', {
      body: bodyOf(text, body),
      headers,
      ...(credential && { credential }),
    });

  const status = (answer: Answer<unknown>): string | null => answer.headers.get('x-lattice-cache');
  const linesOf = async (answer: Answer<unknown>): Promise<readonly Line[]> =>
    (await app.lines(answer.headers.get('x-lattice-request-id') ?? '')) as Line[];
  const attemptsOf = async (text: string): Promise<readonly Attempt[]> =>
    (await truth.attempts()).filter(({ body }) => JSON.stringify(body).includes(text));
  const attemptCount = async (text: string): Promise<number> => (await attemptsOf(text)).length;

  /** Keys do not manage keys. */
  const loggedIn = () => ({ credential: app.admin.accessToken });

  const newKey = async (account: Account, settings: object): Promise<{ id: string; key: string }> => {
    const { status: code, body } = await app.call<{ id: string; key: string }>('POST', '/api/v1/keys', {
      credential: account.accessToken,
      body: { name: 'another', ...settings },
    });
    expect(code).toBe(201);
    return body;
  };

  /** All lines that name this request's attempts and hits: what the log says plus lines of cost 0. */
  const booked = (lines: readonly Line[]): bigint =>
    lines.reduce((sum, { costUsd }) => sum + parseUsd(costUsd ?? 'null'), 0n);

  it('gives the same answer again, byte for byte, and books what that saved', async () => {
    const text = fresh();
    const first = await ask(text);
    const second = await ask(text);

    expect([first.status, status(first), second.status, status(second)]).toEqual([200, 'miss', 200, 'hit']);
    expect(second.text).toBe(first.text);
    expect(Number(second.headers.get('age'))).toBeLessThan(60);
    expect(first.headers.get('age')).toBeNull();
    expect(second.headers.get('x-lattice-cost-usd')).toBe('0');
    expect(second.headers.get('x-lattice-attempts')).toBe('0');
    expect(second.headers.get('x-lattice-model')).toBe(MODEL);
    expect(second.headers.get('x-lattice-request-id')).not.toBe(first.headers.get('x-lattice-request-id'));
    expect(await attemptCount(text)).toBe(1);
    const [paid] = await linesOf(first);
    const [free, ...more] = await linesOf(second);
    expect(more).toEqual([]);
    expect(paid).toMatchObject({ usageSource: 'provider', savedUsd: null, savedTokens: null });
    expect(parseUsd(paid?.costUsd ?? '0')).toBeGreaterThan(0n);
    expect(free).toMatchObject({
      attempt: 1,
      model: MODEL,
      outcome: 'succeeded',
      usageSource: 'cached',
      costUsd: '0',
      promptTokens: 0,
      completionTokens: 0,
      savedUsd: paid?.costUsd,
      savedTokens: (paid?.promptTokens ?? 0) + (paid?.completionTokens ?? 0),
    });
  });

  it('sees the same request behind another order of keys, and another one behind any other value', async () => {
    const text = fresh();
    const tool = (parameters: object) => ({
      body: { tools: [{ type: 'function', function: { name: 'look', parameters } }] },
    });
    await ask(text, tool({ type: 'object', properties: { a: {}, b: {} } }));

    expect(status(await ask(text, tool({ properties: { b: {}, a: {} }, type: 'object' })))).toBe('hit');
    expect(status(await ask(text, tool({ type: 'object', properties: { a: {} } })))).toBe('miss');
    expect(status(await ask(text))).toBe('miss');
    expect(status(await ask(text, { body: { top_p: 0.5 } }))).toBe('miss');
    expect(status(await ask(text, { body: { something_new: 1 } }))).toBe('miss');
    expect(status(await ask(text, { body: { something_new: 1 } }))).toBe('hit');
    expect(status(await ask(text, { body: { model: OTHER_MODEL } }))).toBe('miss');
    expect(await attemptCount(text)).toBe(6);
  });

  it('is off where nobody asks for it, and where a request says so', async () => {
    const text = fresh();
    await ask(text);
    const others: readonly Record<string, string>[] = [{}, { 'x-lattice-cache': 'off' }];
    for (const headers of others) {
      const answer = await ask(text, { headers });
      expect([answer.status, status(answer)]).toEqual([200, null]);
    }
    expect(await attemptCount(text)).toBe(3);
    const wrong = await ask(text, { headers: { 'x-lattice-cache': 'perhaps' } });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('x-lattice-cache');
  });

  it('asks anew for refresh, and keeps the newer answer', async () => {
    const text = fresh();
    await truth.script({ model: 'gpt-4o-mini', answer: 'old' }, { model: 'gpt-4o-mini', answer: 'new' });
    const contents = [];
    for (const mode of ['on', 'refresh', 'on']) {
      const answer = await ask(text, { headers: {}, body: { lattice: { cache: mode } } });
      contents.push([status(answer), answer.body.choices[0]?.message.content]);
    }
    expect(contents).toEqual([
      ['miss', 'old'],
      ['miss', 'new'],
      ['hit', 'new'],
    ]);
  });

  it.each([
    ['a temperature', { temperature: 0.7 }, 'temperature 0'],
    ['no temperature', { temperature: undefined }, 'temperature 0'],
    ['several choices', { n: 2 }, 'n = 1'],
    ['server-side tools', { lattice: { tools: ['current_time'] } }, 'server-side tools'],
    ["the provider's own search", { web_search_options: {} }, "provider's own tools"],
  ])('is not for requests with %s, and says why', async (_, body, reason) => {
    const text = fresh();
    for (let time = 0; time < 2; time++) {
      const answer = await ask(text, { body });
      expect([answer.status, status(answer)]).toEqual([200, 'bypass']);
      expect(answer.headers.get('x-lattice-warnings')).toContain(reason);
    }
    expect(await attemptCount(text)).toBe(2);
  });

  it('takes a seed for repeatable too', async () => {
    const text = fresh();
    const body = { temperature: 1, seed: 7 };
    expect(status(await ask(text, { body }))).toBe('miss');
    expect(status(await ask(text, { body }))).toBe('hit');
  });

  it('belongs to one owner: nobody else ever gets an answer of theirs', async () => {
    const text = fresh();
    const other = await app.register();
    await ask(text);

    expect(status(await ask(text, { credential: other.key }))).toBe('miss');
    expect(status(await ask(text, { credential: other.key }))).toBe('hit');
    expect(await attemptCount(text)).toBe(2);
  });

  it('is shared by the keys of one owner that may use the model, and by no others', async () => {
    const text = fresh();
    await ask(text);
    const may = await newKey(app.admin, { allowedModels: [MODEL] });
    const mayNot = await newKey(app.admin, { allowedModels: [OTHER_MODEL] });

    expect(status(await ask(text, { credential: may.key }))).toBe('hit');
    const refused = await ask(text, { credential: mayNot.key });
    expect([refused.status, status(refused)]).toEqual([403, null]);
    const routed = await ask(text, { credential: mayNot.key, body: { model: 'auto' } });
    expect([routed.status, status(routed), routed.headers.get('x-lattice-model')]).toEqual([
      200,
      'miss',
      OTHER_MODEL,
    ]);
  });

  it('keeps what `auto` chose for each key apart', async () => {
    const text = fresh();
    const keys = [];
    for (const model of [MODEL, OTHER_MODEL]) {
      keys.push((await newKey(app.admin, { allowedModels: [model] })).key);
    }
    const answers = [];
    for (const credential of [...keys, ...keys]) {
      const answer = await ask(text, { credential, body: { model: 'auto' } });
      answers.push([status(answer), answer.headers.get('x-lattice-model')]);
    }
    expect(answers).toEqual([
      ['miss', MODEL],
      ['miss', OTHER_MODEL],
      ['hit', MODEL],
      ['hit', OTHER_MODEL],
    ]);
  });

  it('makes nobody wait for the answer of a model that their key may not use', async () => {
    await truth.script({
      name: 'gone',
      steps: [{ delayMs: 400, fault: { kind: 'status', status: 404 } }, {}],
    });
    const text = fresh('gone');
    const { key } = await newKey(app.admin, { allowedModels: [MODEL] });
    const headers = { ...ON, 'x-lattice-fallback': 'any' };
    const first = ask(text, { headers });
    await truth.waitFor((attempts) => attempts.some((one) => JSON.stringify(one.body).includes(text)));
    const second = await ask(text, { headers, credential: key });

    expect((await first).headers.get('x-lattice-model')).not.toBe(MODEL);
    expect([second.status, status(second), second.headers.get('x-lattice-model')]).toEqual([
      200,
      'miss',
      MODEL,
    ]);
  });

  it('is what a key may ask for by itself, until it does not any more', async () => {
    const { id, key } = await newKey(app.admin, { cache: true });
    const shown = await app.call<{ cache: boolean }>('GET', `/api/v1/keys/${id}`);
    expect(shown.body.cache).toBe(true);
    const text = fresh();
    const once = async (headers: Record<string, string> = {}) =>
      status(await ask(text, { headers, credential: key }));

    expect([await once(), await once(), await once({ 'x-lattice-cache': 'off' })]).toEqual([
      'miss',
      'hit',
      null,
    ]);
    const changed = await app.call('PATCH', `/api/v1/keys/${id}`, {
      ...loggedIn(),
      body: { cache: false },
    });
    expect(changed.body).toMatchObject({ cache: false });
    await eventually(async () => ((await once()) === null ? true : undefined));
    const wrong = await app.call('PATCH', `/api/v1/keys/${id}`, {
      ...loggedIn(),
      body: { cache: 'yes' },
    });
    expect(wrong.status).toBe(400);
  });

  it('gives nothing to a key that was revoked', async () => {
    const { id, key } = await newKey(app.admin, { cache: true });
    const text = fresh();
    expect(status(await ask(text, { headers: {}, credential: key }))).toBe('miss');
    await app.call('DELETE', `/api/v1/keys/${id}`, loggedIn());
    const refused = await ask(text, { headers: {}, credential: key });

    expect([refused.status, status(refused)]).toEqual([401, null]);
    expect(status(await ask(text))).toBe('hit');
  });

  it('asks the books about the key each time, whatever the process remembers of it', async () => {
    const { id, key } = await newKey(app.admin, { cache: true });
    const text = fresh();
    await ask(text, { credential: key });
    // Behind the back of every cache of principals.
    await app.database.query('update api_keys set revoked_at = now() where id = $1', [fromApiId('key', id)]);

    expect((await ask(text, { credential: key })).status).toBe(401);
  });

  it('gives a free answer where the budget is used up, and nothing else', async () => {
    const account = await app.register();
    const text = fresh();
    const { credential } = { credential: account.key };
    const limited = { credential, body: { max_tokens: 20 } };
    expect(status(await ask(text, limited))).toBe('miss');
    await app.createBudget(account, '0.000000000001');

    const hit = await ask(text, limited);
    expect([hit.status, status(hit)]).toEqual([200, 'hit']);
    expect((await ask(fresh(), limited)).status).toBe(429);
  });

  it('counts in the rate limits like any other answer', async () => {
    const account = await app.register();
    const { key } = await newKey(account, { limits: { requestsPerHour: 2 } });
    const text = fresh();
    const statuses = [];
    for (let time = 0; time < 3; time++) statuses.push((await ask(text, { credential: key })).status);

    expect(statuses).toEqual([200, 200, 429]);
  });

  it.each<[string, Fault]>([
    ['broken lines', { kind: 'malformed', afterChunks: 1 }],
    ['a cut', { kind: 'cut', afterChunks: 2 }],
    ['no finish', { kind: 'clean-eof', afterChunks: 2 }],
  ])('keeps no stream with %s', async (_, fault) => {
    const text = fresh();
    await truth.script({ model: 'gpt-4o-mini', answer: 'one two three four five six', fault });
    const body = { stream: true };
    await ask(text, { body });

    const answer = await ask(text, { body });
    expect([answer.status, status(answer)]).toEqual([200, 'miss']);
    expect(status(await ask(text, { body }))).toBe('hit');
  });

  it('keeps no answer whose figures are in dispute', async () => {
    const text = fresh();
    const usage = { report: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 900 } };
    await truth.script({ model: 'gpt-4o-mini', usage });
    const first = await ask(text);
    expect((await linesOf(first))[0]?.disputes).not.toEqual([]);
    expect(status(await ask(text))).toBe('miss');
  });

  it('keeps what the asked limit cut, not what a budget cut', async () => {
    const text = fresh();
    await truth.script({ name: 'long', answer: 'word '.repeat(200) });
    const asked = { body: { max_tokens: 5 } };
    const prompt = `[[script:long]] ${text}`;
    expect([status(await ask(prompt, asked)), status(await ask(prompt, asked))]).toEqual(['miss', 'hit']);

    const account = await app.register();
    await app.createBudget(account, '0.0001');
    const limited = { credential: account.key, body: { max_tokens: 190 } };
    const cut = await ask(prompt, limited);
    expect(cut.headers.get('x-lattice-warnings')).toContain('max_tokens lowered');
    expect(cut.text).toContain('"length"');
    expect(status(await ask(prompt, { ...limited, body: { max_tokens: 190 } }))).not.toBe('hit');
  });

  it('does not keep for all what another model answered in place of the chosen one', async () => {
    const text = fresh();
    await truth.script({ model: 'gpt-4o-mini', times: 1, fault: { kind: 'status', status: 404 } });
    const options = { headers: { ...ON, 'x-lattice-fallback': 'any' } };
    const first = await ask(text, options);
    expect(first.status).toBe(200);
    expect(first.headers.get('x-lattice-model')).not.toBe(MODEL);

    const second = await ask(text, options);
    expect([status(second), second.headers.get('x-lattice-model')]).toEqual(['miss', MODEL]);
  });

  it('counts by what it did', async () => {
    const counts = async (): Promise<Readonly<Record<string, number>>> => {
      const { text } = await app.call('GET', '/metrics', { credential: app.admin.accessToken });
      const rows = text.matchAll(/^lattice_response_cache_total\{result="(\w+)"\} (\d+)$/gm);
      return Object.fromEntries([...rows].map(([, result = '', count]) => [result, Number(count)]));
    };
    const before = await counts();
    await truth.script({ name: 'slow', answer: 'counted', delayMs: 300 });
    const text = fresh('slow');
    await Promise.all([ask(text), ask(text)]);
    await ask(text);
    await ask(text, { body: { temperature: 1 } });
    await ask(text, { headers: {} });

    const after = await counts();
    for (const result of ['hit', 'miss', 'shared', 'bypass']) {
      expect([result, (after[result] ?? 0) - (before[result] ?? 0)]).toEqual([result, 1]);
    }
  });

  describe('DELETE /api/v1/cache', () => {
    const clear = (credential: string, query = '') =>
      app.call('DELETE', `/api/v1/cache${query}`, { credential });
    const state = async (text: string, credential: string) => status(await ask(text, { credential }));

    it("forgets the caller's answers, and everybody's for administrators, who are audited", async () => {
      const text = fresh();
      const other = await app.register();
      const keys = [app.admin.key, other.key];
      const states = () => Promise.all(keys.map((key) => state(text, key)));
      expect(await states()).toEqual(['miss', 'miss']);
      expect((await clear(other.accessToken)).status).toBe(204);
      expect(await states()).toEqual(['hit', 'miss']);

      const refused = await clear(other.accessToken, '?all=true');
      expect([refused.status, refused.body]).toMatchObject([403, { error: { param: 'all' } }]);
      expect((await clear(other.accessToken, '?all=maybe')).status).toBe(400);
      expect(await states()).toEqual(['hit', 'hit']);
      expect((await clear(app.admin.accessToken, '?all=true')).status).toBe(204);
      expect(await states()).toEqual(['miss', 'miss']);
      const audit = await app.call<{ data: { action: string }[] }>('GET', '/api/v1/audit?limit=5', {
        credential: app.admin.accessToken,
      });
      expect(audit.body.data.filter(({ action }) => action === 'cache.clear')).toHaveLength(1);
    });

    it('keeps nothing of what was under way', async () => {
      await truth.script({ name: 'slow', answer: 'late', delayMs: 300 });
      const text = fresh('slow');
      const running = ask(text);
      await truth.waitFor((attempts) => attempts.some((one) => JSON.stringify(one.body).includes(text)));
      await clear(app.admin.accessToken);
      expect(status(await running)).toBe('miss');
      expect(await state(text, app.admin.key)).toBe('miss');
    });

    it('reaches every process', async () => {
      const text = fresh();
      await ask(text);
      const ownerId = fromApiId('usr', app.admin.userId);
      await app.database.query("select pg_notify('lattice_response_cache', $1)", [ownerId]);
      await eventually(async () => (status(await ask(text, { headers: ON })) === 'miss' ? true : undefined));
    });
  });

  it('is for embeddings too', async () => {
    const embed = (input: string, more: object = {}) =>
      app.call('POST', '/v1/embeddings', {
        body: { model: 'openai/text-embedding-3-small', input: [input, 'b'], ...more },
        headers: ON,
      });
    const text = fresh();
    for (const encoding of ['float', 'base64']) {
      const first = await embed(text, { encoding_format: encoding });
      const second = await embed(text, { encoding_format: encoding });
      expect([status(first), status(second)]).toEqual(['miss', 'hit']);
      expect(second.text).toBe(first.text);
      expect((await linesOf(second)).map(({ usageSource, costUsd }) => [usageSource, costUsd])).toEqual([
        ['cached', '0'],
      ]);
    }
    await truth.script({ model: 'text-embedding-3-small', delayMs: 300, times: 'always' });
    const other = fresh();
    const both = await Promise.all([embed(other), embed(other)]);
    expect(new Set(both.map(status))).toEqual(new Set(['miss', 'shared']));
    expect(await attemptCount(other)).toBe(1);
    expect(both[0]?.text).toBe(both[1]?.text);
  });

  describe('of streams', () => {
    const stream = (text: string, more: object = {}) => ask(text, { body: { stream: true, ...more } });

    it('plays them again byte for byte, but for the note of the request itself', async () => {
      for (const more of [{}, { stream_options: { include_usage: true } }]) {
        const text = fresh();
        const first = await stream(text, more);
        const second = await stream(text, more);

        expect([status(first), status(second)]).toEqual(['miss', 'hit']);
        const [before, after] = [parseSse(first.text), parseSse(second.text)];
        expect(after.slice(0, -2)).toEqual(before.slice(0, -2));
        expect([after.length, after.at(-1)]).toEqual([before.length, '[DONE]']);
        const note = (events: readonly string[]) => {
          const { lattice, ...rest } = JSON.parse(events.at(-2) ?? '') as {
            lattice: Record<string, unknown>;
          };
          return { lattice, rest };
        };
        expect(note(after).rest).toEqual(note(before).rest);
        expect(note(before).lattice).toMatchObject({ cache: 'miss' });
        expect(note(after).lattice).toMatchObject({
          requestId: second.headers.get('x-lattice-request-id'),
          costUsd: '0',
          attempts: 0,
          cache: 'hit',
          cacheAgeMs: expect.any(Number),
        });
        expect(await attemptCount(text)).toBe(1);
        expect((await linesOf(second)).map(({ usageSource, costUsd }) => [usageSource, costUsd])).toEqual([
          ['cached', '0'],
        ]);
      }
    });

    it('are answers of their own beside whole ones', async () => {
      const text = fresh();
      await stream(text);
      expect(status(await ask(text))).toBe('miss');
    });

    it('go through the other dialects as well', async () => {
      const text = fresh();
      const message = {
        model: MODEL,
        temperature: 0,
        max_tokens: 50,
        messages: [{ role: 'user', content: text }],
      };
      const response = { model: MODEL, temperature: 0, input: text };
      for (const [route, body] of [
        ['/v1/messages', message],
        ['/v1/responses', response],
      ] as const) {
        for (const isStream of [false, true]) {
          const both = [];
          for (let time = 0; time < 2; time++) {
            both.push(
              await app.call('POST', route, {
                body: { ...body, stream: isStream },
                headers: ON,
              }),
            );
          }
          expect(both.map((answer) => [answer.status, status(answer)])).toEqual([
            [200, 'miss'],
            [200, 'hit'],
          ]);
          const [first, second] = both.map(({ text: sent }) => textOf(sent));
          expect(second).toBe(first);
          expect(first).not.toBe('');
        }
      }
    });
  });

  describe('for requests at the same time', () => {
    const settled = async (text: string): Promise<readonly Line[]> => {
      const [attempt] = await attemptsOf(text);
      expect(attempt).toBeDefined();
      const lines = (await app.lines()) as Line[];
      return lines;
    };

    it.each([false, true])('pays one attempt for twenty of them (stream: %s)', async (isStream) => {
      const account = await app.register();
      const client = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: account.key, maxRetries: 0 });
      await truth.script({ name: 'slow', answer: 'all the same', delayMs: 400, chunkDelayMs: 20 });
      const text = fresh('slow');
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const body = {
            model: MODEL,
            temperature: 0,
            messages: [{ role: 'user' as const, content: text }],
          };
          if (!isStream) {
            const answer = await client.chat.completions.create(body, { headers: ON });
            return answer.choices[0]?.message.content;
          }
          let content = '';
          for await (const chunk of await client.chat.completions.create(
            { ...body, stream: true },
            { headers: ON },
          )) {
            content += chunk.choices[0]?.delta.content ?? '';
          }
          return content;
        }),
      );

      expect(new Set(answers)).toEqual(new Set(['all the same']));
      const attempts = await attemptsOf(text);
      expect(attempts).toHaveLength(1);
      const own = (await settled(text)).filter(
        (line) => (line as Line & { userId: string }).userId === account.userId,
      );
      expect(own).toHaveLength(20);
      const paid = own.filter(({ costUsd }) => costUsd !== '0');
      expect(paid).toHaveLength(1);
      expect(paid[0]).toMatchObject({
        usageSource: 'provider',
        promptTokens: attempts[0]?.promptTokens,
        completionTokens: attempts[0]?.completionTokens,
      });
      expect(own.filter(({ usageSource }) => usageSource === 'shared')).toHaveLength(19);
      expect(booked(own)).toBe(parseUsd(paid[0]?.costUsd ?? '0'));
      const saved = own.reduce((sum, { savedUsd }) => sum + parseUsd(savedUsd ?? '0'), 0n);
      expect(saved).toBe(19n * booked(own));
      const usage = await app.call<{ total: object }>('GET', '/api/v1/usage?groupBy=model', {
        credential: account.key,
      });
      expect(usage.body.total).toMatchObject({
        requests: 20,
        attempts: 1,
        reused: 19,
        promptTokens: attempts[0]?.promptTokens,
        costUsd: formatUsd(booked(own)),
        savedUsd: formatUsd(saved),
      });
    });

    it('lets nobody else wait for an answer of another owner', async () => {
      const other = await app.register();
      await truth.script({ name: 'slow', answer: 'mine', delayMs: 300 });
      const text = fresh('slow');
      const answers = await Promise.all([ask(text), ask(text, { credential: other.key })]);

      expect(answers.map(status)).toEqual(['miss', 'miss']);
      expect(await attemptCount(text)).toBe(2);
    });

    it.each([false, true])(
      'goes on for those who wait when the first hangs up (stream: %s)',
      async (isStream) => {
        await truth.script({ name: 'slow', answer: 'one two three four', delayMs: 300, chunkDelayMs: 50 });
        const text = fresh('slow');
        const body = { stream: isStream };
        const leader = new AbortController();
        const first = fetch(`${app.url}/v1/chat/completions`, {
          method: 'POST',
          headers: {
            ...ON,
            authorization: `Bearer ${app.admin.key}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify(bodyOf(text, body)),
          signal: leader.signal,
        });
        first.catch(() => undefined);
        await truth.waitFor((attempts) => attempts.some((one) => JSON.stringify(one.body).includes(text)));
        const waiting = Promise.all([ask(text, { body }), ask(text, { body })]);
        await eventually(async () => {
          const [row] = await app.database.query<{ n: string }[]>('select count(*) as n from holds');
          return row?.n === '3' ? true : undefined;
        });
        leader.abort();
        const answers = await waiting;

        expect(answers.map((answer) => [answer.status, status(answer)])).toEqual([
          [200, 'shared'],
          [200, 'shared'],
        ]);
        expect(answers.map(({ text: sent }) => textOf(sent))).toEqual([
          'one two three four',
          'one two three four',
        ]);
        const attempts = await attemptsOf(text);
        expect(attempts.map(({ outcome }) => outcome)).toEqual(['completed']);
        expect(status(await ask(text, { body }))).toBe('hit');
      },
    );

    it('ends with its only client', async () => {
      await truth.script({ name: 'endless', fault: { kind: 'endless' } });
      const text = fresh('endless');
      const alone = new AbortController();
      const call = fetch(`${app.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...ON, authorization: `Bearer ${app.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify(bodyOf(text, { stream: true, max_tokens: 50 })),
        signal: alone.signal,
      });
      await call;
      alone.abort();
      await truth.waitFor((attempts) =>
        attempts.some((one) => JSON.stringify(one.body).includes(text) && one.outcome === 'client_closed'),
      );
      await eventually(async () => {
        const [row] = await app.database.query<{ n: string }[]>('select count(*) as n from holds');
        return row?.n === '0' ? true : undefined;
      });
    });

    it('gives those who waited their own try when the first fails', async () => {
      await truth.script({
        name: 'fails-first',
        answer: 'well',
        steps: [{ delayMs: 400, fault: { kind: 'status', status: 401 } }, { answer: 'well' }],
      });
      const text = fresh('fails-first');
      const first = ask(text, { headers: ALONE });
      await truth.waitFor((attempts) => attempts.some((one) => JSON.stringify(one.body).includes(text)));
      const others = await Promise.all([ask(text, { headers: ALONE }), ask(text, { headers: ALONE })]);

      expect((await first).status).toBe(502);
      expect(others.map((answer) => [answer.status, status(answer)])).toEqual([
        [200, 'miss'],
        [200, 'miss'],
      ]);
      expect(await attemptCount(text)).toBe(3);
      const lines = (await Promise.all(others.map(linesOf))).flat();
      expect(lines.map(({ usageSource, outcome }) => [usageSource, outcome])).toEqual([
        ['provider', 'succeeded'],
        ['provider', 'succeeded'],
      ]);
      expect(lines.every(({ costUsd }) => parseUsd(costUsd ?? '0') > 0n)).toBe(true);
    });

    it('holds the money for that try before it is sent', async () => {
      const account = await app.register();
      await truth.script({
        name: 'fails-first-again',
        steps: [{ delayMs: 400, fault: { kind: 'status', status: 401 } }, { answer: 'well' }],
      });
      const text = fresh('fails-first-again');
      const options = { headers: ALONE, credential: account.key };
      const first = ask(text, options);
      await truth.waitFor((attempts) => attempts.some((one) => JSON.stringify(one.body).includes(text)));
      await app.createBudget(account, '0.000000000001');
      const second = await ask(text, options);

      expect((await first).status).toBe(502);
      expect([second.status, second.body.error?.code]).toEqual([429, 'BUDGET_EXCEEDED']);
      expect(await attemptCount(text)).toBe(1);
    });

    it('tells all of them what upstream finds wrong with the request', async () => {
      await truth.script({
        name: 'refuses',
        delayMs: 400,
        fault: { kind: 'status', status: 400, body: { error: { message: 'no such thing' } } },
      });
      const text = fresh('refuses');
      const answers = await Promise.all(Array.from({ length: 3 }, () => ask(text, { headers: ALONE })));

      expect(answers.map((answer) => answer.status)).toEqual([400, 400, 400]);
      expect(await attemptCount(text)).toBe(1);
    });
  });
});

/** The text of an answer in any dialect, whole or streamed. */
function textOf(sent: string): string {
  if (!/^(data|event): /.test(sent)) {
    const body = JSON.parse(sent) as {
      choices?: { message: { content: string } }[];
      content?: { text: string }[];
      output?: { content?: { text: string }[] }[];
    };
    return (
      body.choices?.[0]?.message.content ??
      body.content?.[0]?.text ??
      body.output?.flatMap(({ content = [] }) => content.map(({ text }) => text)).join('') ??
      ''
    );
  }
  return sent
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as StreamEvent)
    .map(({ choices, delta, type }) => {
      if (choices) return choices[0]?.delta?.content ?? '';
      if (typeof delta === 'string') return type === 'response.output_text.delta' ? delta : '';
      return delta?.text ?? '';
    })
    .join('');
}

interface StreamEvent {
  readonly type?: string;
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[];
  readonly delta?: string | { readonly text?: string };
}
