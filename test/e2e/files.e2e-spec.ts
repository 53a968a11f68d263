/** Requests that carry files: who is asked, what is held for them, and what is refused. */
import { CHAT_MODEL, startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

const DATA = 'A'.repeat(600_000);
const TOOL = { type: 'function', function: { name: 'look' } };
const GOOGLE_MODEL = 'google/gemini-3.8-flash';

const fileOf = (type: string) => ({ type: 'file', file: { file_data: `data:${type};base64,${DATA}` } });
const messagesOf = (part: object) => [{ role: 'user', content: [{ type: 'text', text: 'Sum it up' }, part] }];
const PDF = { messages: messagesOf(fileOf('application/pdf')) };
const SOUND = { messages: messagesOf({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } }) };

describe('files', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url, GOOGLE_API_KEY: 'k', GOOGLE_BASE_URL: truth.url });
  });

  afterAll(async () => {
    expect(await app.reconcile()).toEqual([]);
    await app.close();
    await truth.stop();
  });

  /** What the provider logs while `work` runs. */
  const sentDuring = async <T>(work: () => Promise<T>): Promise<{ answer: T; sent: number }> => {
    const before = (await truth.attempts()).length;
    const answer = await work();
    return { answer, sent: (await truth.attempts()).length - before };
  };

  it('sends a PDF with tools to a model whose window its base64 would not fit into', async () => {
    const { answer, sent } = await sentDuring(() => app.chat(app.admin.key, { ...PDF, tools: [TOOL] }));
    expect([answer.status, sent]).toEqual([200, 1]);
    const body = (await truth.attempts()).at(-1)?.body as { messages: typeof PDF.messages };
    expect(body.messages).toEqual(PDF.messages);
  });

  it('holds the whole window for a PDF under a hard budget, and no more', async () => {
    const account = await app.register();
    // 128,000 tokens of window at 0.15 USD per million are 0.0192 USD.
    await app.createBudget(account, '0.019');
    const refused = await sentDuring(() => app.chat(account.key, { ...PDF, max_tokens: 20 }));
    expect([refused.answer.status, refused.sent]).toEqual([429, 0]);
    const other = await app.register();
    await app.createBudget(other, '0.02');
    const taken = await sentDuring(() => app.chat(other.key, { ...PDF, max_tokens: 20 }));
    expect([taken.answer.status, taken.sent]).toEqual([200, 1]);
  });

  it.each<[string, string, object]>([
    ['audio', GOOGLE_MODEL, SOUND],
    ['audio in a file', GOOGLE_MODEL, { messages: messagesOf(fileOf('audio/ogg')) }],
    ['video', GOOGLE_MODEL, { messages: messagesOf(fileOf('video/mp4')) }],
    ['audio', CHAT_MODEL, SOUND],
  ])(
    'refuses %s that %s would sell at another price than text, and sends nothing',
    async (_, model, body) => {
      const { answer, sent } = await sentDuring(() => app.chat(app.admin.key, { ...body, model }));
      expect([answer.status, answer.body.error, sent]).toEqual([
        400,
        expect.objectContaining({ code: 'MODEL_LACKS_CAPABILITY', param: 'messages' }),
        0,
      ]);
    },
  );

  it('refuses audio through the Responses API too', async () => {
    const part = { type: 'input_file', filename: 'a.mp3', file_data: 'data:audio/mpeg;base64,AAAA' };
    const { answer, sent } = await sentDuring(() =>
      app.call('POST', '/v1/responses', {
        body: { model: GOOGLE_MODEL, input: [{ role: 'user', content: [part] }] },
      }),
    );
    expect([answer.status, answer.body.error, sent]).toEqual([
      400,
      expect.objectContaining({ code: 'MODEL_LACKS_CAPABILITY' }),
      0,
    ]);
  });

  it('finds no model for audio, and says what would help', async () => {
    const { status, body } = await app.chat<{ error: { message: string } }>(app.admin.key, {
      ...SOUND,
      model: 'auto',
    });
    expect([status, body.error.message]).toEqual([
      422,
      expect.stringContaining('send the text of the audio'),
    ]);
  });
});
