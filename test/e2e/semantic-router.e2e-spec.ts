import { type Account, CHAT_MODEL, startApp, type TestApp } from '../support/app';
import {
  type Attempt,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const CLASSIFIER = CHAT_MODEL.replace('openai/', '');
const LOCAL_TYPE = 'GENERAL';

interface DecisionBody {
  readonly decision: {
    readonly task: { readonly type: string; readonly source: string; readonly confidence: number };
  };
}

describe('the semantic router', () => {
  let truth: TruthProvider;
  let app: TestApp;
  let account: Account;

  const start = (env: NodeJS.ProcessEnv = {}) =>
    startApp({
      OPENAI_BASE_URL: truth.url,
      CLASSIFIER_MODEL: CHAT_MODEL,
      // Nothing is that sure.
      CLASSIFIER_THRESHOLD: '1',
      CLASSIFIER_TIMEOUT_MS: '60000',
      ...env,
    });

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await start();
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  beforeEach(async () => {
    account = await app.register();
  });

  afterEach(async () => {
    await truth.clearScripts();
    expect(await app.reconcile()).toEqual([]);
  });

  const ask = (content: string, more: object = {}, on = app) =>
    on.chat(account.key, { model: 'auto', messages: [{ role: 'user', content }], ...more });

  const during = async (work: () => Promise<unknown>): Promise<readonly Attempt[]> => {
    const before = (await truth.attempts()).length;
    await work();
    return (await truth.attempts()).slice(before);
  };
  const classifications = (attempts: readonly Attempt[]) =>
    attempts.filter(({ body }) => JSON.stringify(body).includes('sort prompts by the kind of task'));

  const taskOf = async (answer: { headers: Headers }) => {
    const id = answer.headers.get('x-lattice-decision-id');
    const { body } = await app.call<DecisionBody>('GET', `/api/v1/decisions/${id}`);
    return body.decision.task;
  };

  it('asks the model once, books it as a request of its own, and routes by its answer', async () => {
    await truth.script({ model: CLASSIFIER, answer: 'Translation' });
    const attempts = await during(async () => {
      const answer = await ask('Guten Abend in French, please');
      expect([answer.status, answer.headers.get('x-lattice-task-type')]).toEqual([200, 'TRANSLATION']);
      expect(await taskOf(answer)).toMatchObject({
        type: 'TRANSLATION',
        source: 'semantic',
        confidence: 0.85,
      });
    });
    expect([attempts.length, classifications(attempts).length]).toEqual([2, 1]);
    const { body } = await app.call<{ data: Record<string, unknown>[] }>(
      'GET',
      `/api/v1/usage/lines?limit=10&agent=router&userId=${account.userId}`,
    );
    expect(body.data).toEqual([
      expect.objectContaining({
        model: CHAT_MODEL,
        taskType: 'CLASSIFICATION',
        agent: 'router',
        outcome: 'succeeded',
      }),
    ]);
  });

  it('shows the model no more than a thousand characters, from both ends', async () => {
    await truth.script({ model: CLASSIFIER, answer: 'SUMMARIZATION' });
    const text = `Begin here. ${'word '.repeat(2000)} Stop here.`;
    const [asked] = classifications(await during(() => ask(text)));
    const messages = (asked?.body as { messages: { content: string }[] } | undefined)?.messages ?? [];
    expect(messages[1]?.content.length).toBeLessThanOrEqual(1000);
    expect(messages[1]?.content).toMatch(/^Begin here\.[^]*Stop here\.$/);
  });

  it('asks once for the same prompt, also when it comes twice at once; another owner pays for another answer', async () => {
    await truth.script({ model: CLASSIFIER, answer: 'MATH', times: 'always' });
    const prompt = 'The same words, several times';
    const own = await during(async () => {
      await Promise.all([ask(prompt), ask(prompt)]);
      await ask(prompt);
    });
    expect(classifications(own)).toHaveLength(1);
    account = await app.register();
    expect(classifications(await during(() => ask(prompt)))).toHaveLength(1);
  });

  it('asks nobody where the type is known or does not matter', async () => {
    const prompt = 'Something that nobody has asked before';
    const attempts = await during(async () => {
      await ask(prompt, { model: CHAT_MODEL });
      await ask(prompt, { lattice: { taskType: 'MATH' } });
      await ask('   ');
      await app.call('POST', '/api/v1/route', {
        credential: account.key,
        body: { model: 'auto', messages: [{ role: 'user', content: prompt }] },
      });
    });
    expect(classifications(attempts)).toEqual([]);
  });

  it.each([
    ['nonsense', { answer: 'I would rather not say' }],
    ['several kinds', { answer: 'MATH or REASONING' }],
    ['a refusal', { fault: { kind: 'status', status: 400 } as const }],
  ])('keeps the local answer after %s', async (_, behaviour) => {
    await truth.script({ model: CLASSIFIER, ...behaviour });
    const attempts = await during(async () => {
      const answer = await ask(`What about this, ${_}?`);
      expect(answer.status).toBe(200);
      expect((await taskOf(answer)).source).toBe('classifier');
    });
    expect(classifications(attempts)).toHaveLength(1);
  });

  it('sends nothing at all for who has no money left', async () => {
    await app.createBudget(account, '0');
    const attempts = await during(async () => {
      expect((await ask('Who pays for this?')).status).toBe(429);
    });
    expect(attempts).toEqual([]);
  });

  it.each([
    ['fails', { fault: { kind: 'status', status: 500 } as const }],
    ['does not answer in time', { fault: { kind: 'stall' } as const }],
  ])(
    'keeps the local answer when the model %s, tries it once, and leaves it alone for a while',
    async (_, behaviour) => {
      const own = await start({ CLASSIFIER_TIMEOUT_MS: '300' });
      account = await own.register();
      await truth.script({ model: CLASSIFIER, ...behaviour, times: 'always' });
      const attempts = await during(async () => {
        const { status, headers } = await ask('Tell me about the moon', {}, own);
        expect([status, headers.get('x-lattice-task-type')]).toEqual([200, LOCAL_TYPE]);
        expect((await ask('Tell me about the sun', {}, own)).status).toBe(200);
      });
      expect(classifications(attempts)).toHaveLength(1);
      expect(await own.reconcile()).toEqual([]);
      await own.close();
    },
  );

  it('asks nobody when no model is set', async () => {
    const own = await start({ CLASSIFIER_MODEL: '' });
    account = await own.register();
    expect(classifications(await during(() => ask('Tell me about the moon', {}, own)))).toEqual([]);
    await own.close();
  });
});
