import OpenAI from 'openai';
import { fromApiId, parseUsd } from '../../src/common/index';
import { AppLogger, Metrics } from '../../src/observability/index';
import { type Account, CHAT_MODEL, startApp, type TestApp } from '../support/app';
import { eventually } from '../support/eventually';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const HELLO = [{ role: 'user' as const, content: 'Hello there' }];

describe('budgets at the door', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url, MAX_FUNCTION_CALLS: '50' });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(async () => {
    await truth.clearScripts();
    expect(await app.reconcile()).toEqual([]);
  });

  const ask = (account: Account, body: object = {}) =>
    app.chat<{ error?: Record<string, unknown> }>(account.key, { messages: HELLO, ...body });

  const sent = async () => (await truth.attempts()).at(-1)?.body as { max_completion_tokens?: number };

  it('changes nothing in a request that no hard budget watches', async () => {
    const account = await app.register();
    await app.createBudget(account, '1', { mode: 'soft' });
    const answer = await ask(account);
    expect(answer.status).toBe(200);
    expect(await sent()).not.toHaveProperty('max_completion_tokens');
  });

  it('warns of a soft budget that is used up, and still answers', async () => {
    const account = await app.register();
    await app.createBudget(account, '0', { mode: 'soft' });
    const answer = await ask(account);
    expect([answer.status, answer.headers.get('x-lattice-warnings')]).toEqual([
      200,
      expect.stringMatching(/soft total budget of the user/i),
    ]);
  });

  it('sends the default limit under a hard budget and says so', async () => {
    const account = await app.register();
    await app.createBudget(account, '1');
    const answer = await ask(account);
    expect(await sent()).toMatchObject({ max_completion_tokens: 4096 });
    expect(answer.headers.get('x-lattice-warnings')).toContain('max_tokens set to 4096');
  });

  it('lowers the limit to what the budget can pay and never passes it', async () => {
    const account = await app.register();
    await app.createBudget(account, '0.0003');
    const answer = await ask(account, { max_tokens: 4000 });
    const { max_completion_tokens: limit = 0 } = await sent();
    expect(answer.headers.get('x-lattice-warnings')).toContain(`max_tokens lowered from 4000 to ${limit}`);
    expect(limit).toBeGreaterThan(16);
    const inputAndOutput = BigInt(limit) * parseUsd('0.0000006');
    expect(inputAndOutput).toBeLessThanOrEqual(parseUsd('0.0003'));
  });

  it('refuses what it cannot pay, as OpenAI refuses an exhausted quota', async () => {
    const account = await app.register();
    await app.createBudget(account, '0.00000001');
    const before = (await truth.attempts()).length;
    const client = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: account.key, maxRetries: 3 });
    const failure = await client.chat.completions
      .create({ model: CHAT_MODEL, messages: HELLO })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAI.RateLimitError);
    expect(failure).toMatchObject({ status: 429, code: 'BUDGET_EXCEEDED', type: 'insufficient_quota' });
    expect((await truth.attempts()).length).toBe(before);
  });

  it('admits exactly as many concurrent calls as it can pay', async () => {
    const account = await app.register();
    // Nine calls of 1,000 output tokens at 0.60 USD per million with their prompts, and one with what is left.
    await app.createBudget(account, '0.006');
    // Those that are admitted stay under way until all the others are refused.
    await truth.script({ times: 'always', fault: { kind: 'stall' } });
    const before = (await truth.attempts()).length;
    const caller = new AbortController();
    const refused: number[] = [];
    const calls = Array.from({ length: 40 }, async () => {
      const answer = await fetch(`${app.url}/v1/chat/completions`, {
        method: 'POST',
        signal: caller.signal,
        headers: { authorization: `Bearer ${account.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: CHAT_MODEL, messages: HELLO, max_tokens: 1000 }),
      });
      refused.push(answer.status);
    });
    await eventually(() => Promise.resolve(refused.length === 30 || undefined), 20_000);
    const underWay = await truth.waitFor((attempts) => attempts.length === before + 10);
    expect(underWay.slice(before).map(({ outcome }) => outcome)).toEqual(Array(10).fill('open'));
    caller.abort();
    await Promise.allSettled(calls);
    expect(refused).toEqual(Array(30).fill(429));
    const spent = await eventually(async () => {
      const [row] = await app.database.query<[{ lines: number; spent: string }]>(
        `select count(*)::int as lines, coalesce(sum(cost_pico_usd), 0)::text as spent
         from usage_lines where user_id = $1`,
        [fromApiId('usr', account.userId)],
      );
      return row.lines === 10 ? BigInt(row.spent) : undefined;
    });
    expect(spent).toBeLessThanOrEqual(parseUsd('0.006'));
  });

  it('ends a tool loop that the budget can no longer pay, with the last answer', async () => {
    const account = await app.register();
    await app.createBudget(account, '0.0004');
    await truth.script({
      times: 'always',
      toolCalls: [{ name: 'current_time' }],
      usage: { promptTokens: 200, completionTokens: 100 },
    });
    const answer = await ask(account, { max_tokens: 100, lattice: { tools: ['current_time'] } });
    expect([answer.status, answer.headers.get('x-lattice-stop')]).toEqual([200, 'budget']);
  });

  it('books the larger figure when provider and books disagree, and marks the line', async () => {
    const account = await app.register();
    await truth.script({ usage: { promptTokens: 10, completionTokens: 5, report: { total_tokens: 50 } } });
    const events = jest.spyOn(app.app.get(AppLogger), 'event');
    const count = jest.spyOn(app.app.get(Metrics).disputes, 'inc');
    const answer = await ask(account);
    const fatal = events.mock.calls.filter(([event]) => event === 'billing');
    expect([fatal.length, count.mock.calls.length]).toEqual([1, 1]);
    jest.restoreAllMocks();
    expect(answer.status).toBe(200);
    const [line] = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
    expect(line).toMatchObject({ promptTokens: 10, completionTokens: 40 });
    expect(line?.disputes).toHaveLength(1);
  });

  it.each<[string, object, object]>([
    [
      'cached tokens above the prompt',
      { promptTokens: 10, completionTokens: 5, report: { prompt_tokens_details: { cached_tokens: 99 } } },
      { promptTokens: 99 },
    ],
    [
      'zero usage for an answer',
      { promptTokens: 10, completionTokens: 5, report: { completion_tokens: 0, total_tokens: 10 } },
      { promptTokens: 10 },
    ],
  ])('marks %s', async (_, usage, expected) => {
    const account = await app.register();
    await truth.script({ usage });
    const answer = await ask(account);
    const [line] = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
    expect(line).toMatchObject(expected);
    expect(line?.disputes.length).toBeGreaterThan(0);
    expect(line?.completionTokens).toBeGreaterThan(0);
  });

  it('marks more completion tokens than were allowed', async () => {
    const account = await app.register();
    await truth.script({ usage: { promptTokens: 10, completionTokens: 500 } });
    const answer = await ask(account, { max_tokens: 20 });
    const [line] = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
    expect(line).toMatchObject({ completionTokens: 500, disputes: [expect.stringContaining('20')] });
  });

  it('estimates an answer without usage and labels it', async () => {
    const account = await app.register();
    await truth.script({ usage: { report: 'omit' } });
    const answer = await ask(account);
    const [line] = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
    expect(line).toMatchObject({ usageSource: 'estimated', outcome: 'succeeded' });
    expect(Number(line?.costUsd)).toBeGreaterThan(0);
  });

  it('bounds an image by the rule of its model', async () => {
    const account = await app.register();
    // 48,200 tokens at 0.15 USD per million are dearer than this.
    await app.createBudget(account, '0.005');
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    const answer = await ask(account, { max_tokens: 10, messages: [{ role: 'user', content: [image] }] });
    expect(answer.status).toBe(429);
  });

  it.each([
    ['service_tier', 'priority'],
    ['web_search_options', {}],
    ['modalities', ['text', 'audio']],
  ])('refuses %s under a hard budget, and warns of it elsewhere', async (field, value) => {
    const [watched, free] = [await app.register(), await app.register()];
    await app.createBudget(watched, '1');
    const refused = await ask(watched, { [field]: value });
    expect([refused.status, refused.body.error]).toEqual([400, expect.objectContaining({ param: field })]);
    const answer = await ask(free, { [field]: value });
    expect([answer.status, answer.headers.get('x-lattice-warnings')]).toEqual([
      200,
      expect.stringContaining(field),
    ]);
  });
});
