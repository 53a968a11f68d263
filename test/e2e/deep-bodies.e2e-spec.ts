/** Bodies that cost more to write again than to read: refused, or held for, before anything is sent. */
import { CHAT_MODEL, startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

/** Stands for what no test could write as JSON itself. */
const DEEP = '@deep@';
const withDepth = (body: object): string =>
  JSON.stringify(body).replace(JSON.stringify(DEEP), '['.repeat(5_000) + ']'.repeat(5_000));
const HELLO = [{ role: 'user', content: 'Hello' }];
const EMBEDDING_MODEL = 'openai/text-embedding-3-small';
const deepTool = { type: 'function', function: { name: 'f', parameters: { deep: DEEP } } };

describe('bodies that grow or nest', () => {
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
    expect(await truth.attempts()).toEqual([]);
    expect(await app.lines()).toEqual([]);
    expect(await app.reconcile()).toEqual([]);
  });

  it.each<[string, string, object, string]>([
    ['/v1/chat/completions', 'an unknown field', { model: CHAT_MODEL, messages: HELLO, x: DEEP }, 'x'],
    ['/v1/chat/completions', 'a tool', { model: CHAT_MODEL, messages: HELLO, tools: [deepTool] }, 'tools'],
    ['/v1/embeddings', 'an unknown field', { model: EMBEDDING_MODEL, input: 'a', x: DEEP }, 'x'],
    [
      '/v1/messages',
      'a tool',
      { model: CHAT_MODEL, max_tokens: 5, messages: HELLO, tools: [{ name: 'f', input_schema: { DEEP } }] },
      'tools',
    ],
    [
      '/v1/responses',
      'a tool',
      { model: CHAT_MODEL, input: 'a', tools: [{ type: 'function', name: 'f', parameters: { DEEP } }] },
      'tools',
    ],
  ])(
    '%s refuses %s that is nested too deeply, also where answers are cached',
    async (route, _, body, param) => {
      for (const cache of ['off', 'on']) {
        const headers = { 'x-lattice-cache': cache };
        const { status, text } = await app.call('POST', route, { body: withDepth(body), headers });
        expect([status, text]).toEqual([
          400,
          expect.stringContaining(`${param} is nested more than 200 levels`),
        ]);
      }
    },
  );

  it('holds for what is sent and not for what was received', async () => {
    const account = await app.register();
    // 0.004 USD pay about 26,000 bytes of prompt: more than was received, less than what would be sent.
    await app.createBudget(account, '0.004');
    const numbers = `[${'1e20,'.repeat(1_999)}1e20]`;
    const tool = `{"type":"function","function":{"name":"f","parameters":{"enum":${numbers}}}}`;
    const body = `{"model":"${CHAT_MODEL}","max_tokens":20,"messages":${JSON.stringify(HELLO)},"tools":[${tool}]}`;
    expect(body.length).toBeLessThan(11_000);
    const answer = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.key}`, 'content-type': 'application/json' },
      body,
    });
    expect([answer.status, await answer.json()]).toEqual([
      429,
      { error: expect.objectContaining({ code: 'BUDGET_EXCEEDED' }) },
    ]);
  });
});
