import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const MODEL = 'openai/gpt-4o-mini';
const CITY = {
  title: 'city',
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;
const WEATHER = { type: 'function' as const, function: { name: 'weather', parameters: CITY } };

/** LangChain.js in front, as its users point it at another address. */
describe('LangChain.js', () => {
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

  const chat = (model = MODEL, apiKey = app.admin.key): ChatOpenAI =>
    new ChatOpenAI({ model, apiKey, maxRetries: 0, configuration: { baseURL: `${app.url}/v1` } });

  const lastAttempt = async () => {
    const ended = await truth.waitFor((attempts) => attempts.every(({ outcome }) => outcome !== 'open'));
    return ended.at(-1);
  };

  it.each(['auto', MODEL])('asks %s for an answer', async (model) => {
    const answer = await chat(model).invoke([
      new SystemMessage('Be brief.'),
      new HumanMessage('Hello there'),
    ]);
    const attempt = await lastAttempt();
    expect(answer.text).toMatch(/\w/);
    expect(answer.usage_metadata).toMatchObject({
      input_tokens: attempt?.promptTokens,
      output_tokens: attempt?.completionTokens,
    });
    expect((await app.lines()).filter(({ outcome }) => outcome !== 'succeeded')).toEqual([]);
  });

  it('streams', async () => {
    await truth.script({ answer: 'One two three four', chunks: 4 });
    const parts: string[] = [];
    for await (const chunk of await chat().stream('Count')) if (chunk.text) parts.push(chunk.text);
    expect(parts.length).toBeGreaterThanOrEqual(4);
    expect(parts.join('')).toBe('One two three four');
  });

  it('raises an error when the stream was cut', async () => {
    await truth.script({ answer: 'One two three four', chunks: 4, fault: { kind: 'cut', afterChunks: 2 } });
    let text = '';
    const reading = (async () => {
      for await (const chunk of await chat().stream('Count')) text += chunk.text;
    })();
    await expect(reading).rejects.toThrow(/\w/);
    expect(text.length).toBeGreaterThan(0);
  });

  it('calls tools and takes their results', async () => {
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
    const model = chat().bindTools([WEATHER]);
    const question = new HumanMessage('Weather in Oslo and Rome?');
    const asked: AIMessage = await model.invoke([question]);
    expect(asked.tool_calls?.map(({ name, args }) => [name, args])).toEqual([
      ['weather', { city: 'Oslo' }],
      ['weather', { city: 'Rome' }],
    ]);
    const results = (asked.tool_calls ?? []).map(
      ({ id }) => new ToolMessage({ tool_call_id: id ?? '', content: 'sunny' }),
    );
    const answer = await model.invoke([question, asked, ...results]);
    expect(answer.text).toBe('Both are sunny.');
    expect((await lastAttempt())?.body).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'tool' }, { role: 'tool' }],
    });
  });

  it('gets a structured answer', async () => {
    await truth.script({ model: 'gpt-4o-mini', answer: '{"city":"Oslo"}' });
    const answer = await chat().withStructuredOutput(CITY, { method: 'jsonSchema' }).invoke('A city, please');
    expect(answer).toEqual({ city: 'Oslo' });
    expect((await lastAttempt())?.body).toMatchObject({ response_format: { type: 'json_schema' } });
  });

  it('gets what went wrong, by status', async () => {
    const before = (await truth.attempts()).length;
    await expect(chat(MODEL, 'llk_nobody').invoke('Hi')).rejects.toMatchObject({ status: 401 });
    await expect(chat('no/such-model').invoke('Hi')).rejects.toMatchObject({ status: 404 });
    await truth.script({ model: 'gpt-4o-mini', fault: { kind: 'status', status: 400 } });
    await expect(chat().invoke('Hi')).rejects.toMatchObject({ status: 400 });
    expect((await truth.attempts()).length).toBe(before + 1);
  });
});
