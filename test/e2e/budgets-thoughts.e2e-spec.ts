import type OpenAI from 'openai';
import { parseUsd } from '../../src/common/index';
import { type Account, startApp, type TestApp } from '../support/app';
import { startTruthProvider, totalsOf, type TruthProvider } from '../support/truth-provider/truth-provider';

/** Encrypts its thoughts, and takes 2 USD per million tokens in and 10 out. */
const MODEL = 'openai/gpt-6.1-sol';
const ASKED: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'Weather in Oslo?' };
const TOOLS = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } }];
/** 4,000 tokens, which the provider reads again for 0.008 USD; nothing else in these tests costs a tenth of that. */
const THOUGHT = Array(4000).fill('so').join(' ');
/** Pays everything but the thoughts. */
const TOO_LITTLE = '0.007';
/** Pays one token for each byte of the thoughts too. */
const ENOUGH = '0.05';

/** Clients of the chat dialect lose what a model thought before its tool calls; it goes back all the same, and is charged. */
describe('a hard budget and the thoughts that go back to the provider', () => {
  let truth: TruthProvider;
  let app: TestApp;

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

  const ask = ({ key }: Account, body: object) =>
    app.call<OpenAI.ChatCompletion>('POST', '/v1/chat/completions', {
      credential: key,
      body: { model: MODEL, max_tokens: 100, ...body },
      headers: { 'x-lattice-fallback': 'none' },
    });

  /** What the provider charges for all that came after the first `before` attempts, by its own log. */
  async function chargedSince(before: number, count: number): Promise<bigint> {
    const bill = totalsOf((await truth.endedAttempts(before + count)).slice(before));
    return (
      BigInt(bill.promptTokens) * parseUsd('0.000002') + BigInt(bill.completionTokens) * parseUsd('0.00001')
    );
  }

  /** Has a tool called for free; the conversation with its result. */
  async function calledTool(account: Account): Promise<readonly object[]> {
    const calls = [{ name: 'get_weather', arguments: { city: 'Oslo' } }];
    await truth.script({ toolCalls: calls, toolRounds: 1, thought: THOUGHT, answer: 'Rain.', times: 2 });
    const { message } = (await ask(account, { messages: [ASKED], tools: TOOLS })).body.choices[0] ?? {};
    const id = message?.tool_calls?.[0]?.id;
    return [ASKED, message ?? {}, { role: 'tool', tool_call_id: id, content: 'rain' }];
  }

  it('refuses a round whose thoughts the budget cannot pay', async () => {
    const account = await app.register();
    const messages = await calledTool(account);
    const before = (await truth.attempts()).length;
    await app.createBudget(account, TOO_LITTLE);
    const answer = await ask(account, { messages, tools: TOOLS });
    expect([answer.status, answer.text]).toEqual([429, expect.stringContaining('BUDGET_EXCEEDED')]);
    expect((await truth.attempts()).length).toBe(before);
  });

  it('sends one that it can pay, thoughts and all, and holds what they may cost', async () => {
    const account = await app.register();
    const messages = await calledTool(account);
    const before = (await truth.attempts()).length;
    await app.createBudget(account, ENOUGH);
    const answer = await ask(account, { messages, tools: TOOLS });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-lattice-warnings')).toBeNull();
    const charged = await chargedSince(before, 1);
    expect(charged).toBeGreaterThan(parseUsd('0.008'));
    expect(charged).toBeLessThan(parseUsd(ENOUGH));
    const [line] = await app.lines(answer.headers.get('x-lattice-request-id') ?? '');
    expect(line).toMatchObject({ usageSource: 'provider', disputes: [] });
  });

  it('ends a tool loop before the thoughts of its own rounds pass the budget', async () => {
    const account = await app.register();
    const before = (await truth.attempts()).length;
    await app.createBudget(account, TOO_LITTLE);
    await truth.script({
      toolCalls: [{ name: 'current_time', arguments: {} }],
      toolRounds: 1,
      thought: THOUGHT,
      times: 2,
    });
    const answer = await ask(account, { messages: [ASKED], lattice: { tools: ['current_time'] } });
    expect([answer.status, answer.headers.get('x-lattice-stop')]).toEqual([200, 'budget']);
    expect(await chargedSince(before, 1)).toBeLessThan(parseUsd(TOO_LITTLE));
    expect((await truth.attempts()).length).toBe(before + 1);
  });
});
