import type { generateText, streamText } from 'ai';
import { startApp, type TestApp } from '../support/app';
import {
  type Attempt,
  startTruthProvider,
  type TruthProvider,
} from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';
const CITY = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;

type Model = Parameters<typeof generateText>[0]['model'];

/** Vercel's AI SDK in front, as its users configure it for any OpenAI-compatible address. */
describe('The Vercel AI SDK', () => {
  let ai: typeof import('ai', { with: { 'resolution-mode': 'import' } });
  let truth: TruthProvider;
  let app: TestApp;
  let model: (id: string) => Model;

  beforeAll(async () => {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    ai = await import('ai');
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
    const lattice = createOpenAICompatible({
      name: 'lattice',
      baseURL: `${app.url}/v1`,
      apiKey: app.admin.key,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
    model = (id) => lattice(id);
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  afterEach(async () => {
    await truth.clearScripts();
    expect(await app.reconcile()).toEqual([]);
  });

  /** What the provider saw of the work, and that the books hold the same. */
  async function booked(work: () => Promise<unknown>): Promise<readonly Attempt[]> {
    const [seen, lines] = [(await truth.attempts()).length, (await app.lines()).length];
    await work();
    const all = await truth.waitFor((attempts) =>
      attempts.slice(seen).every(({ outcome }) => outcome !== 'open'),
    );
    const added = (await app.lines()).length - lines;
    expect(added).toBe(all.length - seen);
    return all.slice(seen);
  }

  it.each(['auto', MODEL])('asks %s for a text', async (id) => {
    let result: Awaited<ReturnType<typeof generateText>> | undefined;
    const [attempt] = await booked(async () => {
      result = await ai.generateText({
        model: model(id),
        instructions: 'Be brief.',
        prompt: 'Hello there',
        maxRetries: 0,
      });
    });
    expect(result?.text).toMatch(/\w/);
    expect(result?.finishReason).toBe('stop');
    expect(result?.usage).toMatchObject({
      inputTokens: attempt?.promptTokens,
      outputTokens: attempt?.completionTokens,
    });
  });

  it('streams a text to its end, with the usage of the books', async () => {
    await truth.script({ answer: 'One two three four five six seven eight', chunks: 4 });
    let stream: ReturnType<typeof streamText> | undefined;
    const parts: string[] = [];
    const [attempt] = await booked(async () => {
      stream = ai.streamText({ model: model(MODEL), prompt: 'Count', maxRetries: 0 });
      for await (const part of stream.textStream) parts.push(part);
    });
    expect(parts.length).toBeGreaterThanOrEqual(4);
    expect(parts.join('')).toBe('One two three four five six seven eight');
    expect(await stream?.finishReason).toBe('stop');
    expect(await stream?.usage).toMatchObject({ outputTokens: attempt?.completionTokens });
  });

  it('tells of a stream that was cut instead of ending it well', async () => {
    await truth.script({ answer: 'One two three four', chunks: 4, fault: { kind: 'cut', afterChunks: 2 } });
    const failures: unknown[] = [];
    let text = '';
    await booked(async () => {
      const stream = ai.streamText({
        model: model(MODEL),
        prompt: 'Count',
        maxRetries: 0,
        onError: ({ error }) => void failures.push(error),
      });
      for await (const part of stream.textStream) text += part;
    });
    expect(text.length).toBeGreaterThan(0);
    expect(failures).toHaveLength(1);
  });

  it('runs its own tools, in parallel, and sends their results back', async () => {
    await truth.script({
      model: 'gpt-4o-mini',
      steps: [
        {
          toolCalls: [
            { name: 'weather', arguments: { city: 'Oslo' } },
            { name: 'weather', arguments: { city: 'Rome' } },
          ],
        },
        { answer: 'Both are sunny.' },
      ],
      times: 2,
    });
    const asked: string[] = [];
    let text = '';
    const attempts = await booked(async () => {
      const result = await ai.generateText({
        model: model(MODEL),
        prompt: 'Weather in Oslo and Rome?',
        maxRetries: 0,
        stopWhen: ai.isStepCount(3),
        tools: {
          weather: ai.tool({
            inputSchema: ai.jsonSchema<{ city: string }>(CITY),
            execute: ({ city }) => {
              asked.push(city);
              return { sky: 'sunny' };
            },
          }),
        },
      });
      text = result.text;
    });
    expect(asked.toSorted()).toEqual(['Oslo', 'Rome']);
    expect(text).toBe('Both are sunny.');
    expect(attempts[1]?.body).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'tool' }, { role: 'tool' }],
    });
  });

  it('gets an object by JSON schema', async () => {
    await truth.script({ model: 'gpt-4o-mini', answer: '{"city":"Oslo"}' });
    let output: unknown;
    const [attempt] = await booked(async () => {
      ({ output } = await ai.generateText({
        model: model(MODEL),
        prompt: 'A city, please',
        maxRetries: 0,
        output: ai.Output.object({ schema: ai.jsonSchema<{ city: string }>(CITY) }),
      }));
    });
    expect(output).toEqual({ city: 'Oslo' });
    expect(attempt?.body).toMatchObject({ response_format: { type: 'json_schema' } });
  });

  it.each([
    ['a wrong key', 401, false, { apiKey: 'llk_nobody' }, {}],
    ['an unknown model', 404, false, {}, { id: 'no/such-model' }],
  ])(
    'raises its own error for %s',
    async (_name, statusCode, isRetryable, access, { id = MODEL }: { id?: string }) => {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const lattice = createOpenAICompatible({
        name: 'lattice',
        baseURL: `${app.url}/v1`,
        apiKey: app.admin.key,
        ...access,
      });
      const failure: unknown = await ai
        .generateText({ model: lattice(id), prompt: 'Hi', maxRetries: 0 })
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(ai.APICallError.isInstance(failure)).toBe(true);
      expect(failure).toMatchObject({ statusCode, isRetryable, message: expect.stringMatching(/\w{4}/) });
    },
  );

  it('does not repeat what a hard budget refuses', async () => {
    const account = await app.register();
    await app.createBudget(account, '0.000000000001');
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const lattice = createOpenAICompatible({
      name: 'lattice',
      baseURL: `${app.url}/v1`,
      apiKey: account.key,
    });
    const before = (await truth.attempts()).length;
    const failure: unknown = await ai
      .generateText({ model: lattice(MODEL), prompt: 'Hi', maxRetries: 0 })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failure).toMatchObject({ statusCode: 429, responseHeaders: { 'x-should-retry': 'false' } });
    expect((await truth.attempts()).length).toBe(before);
  });
});
