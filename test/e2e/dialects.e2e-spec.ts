import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { startApp, type TestApp } from '../support/app';
import { FACTS, type Goldens } from '../support/contract/adapter-cases';
import { BEDROCK_GOLDENS } from '../support/contract/bedrock.goldens';
import { GOOGLE_GOLDENS } from '../support/contract/google.goldens';
import { GoldenUpstream } from '../support/contract/golden-upstream';
import { OPENAI_GOLDENS } from '../support/contract/openai-dialect.goldens';

interface Told {
  readonly text: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
}

/** One of the dialects that clients speak, through the client of its inventor. */
interface Dialect {
  readonly path: string;
  /** What must not stand in a stream that broke. */
  readonly end: string;
  ask(model: string, isStreamed: boolean): Promise<Told>;
  body(model: string): object;
}

const PROMPT = 'Weather in Paris and Rome?';
const SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const ALONE = { 'x-lattice-fallback': 'none' };
const GPT = 'openai/gpt-4o-mini';
const PROVIDERS: readonly (readonly [model: string, scenario: string, goldens: Goldens])[] = [
  [GPT, 'openai', OPENAI_GOLDENS],
  ['google/gemini-3.8-flash', 'google', GOOGLE_GOLDENS],
  ['bedrock/claude-haiku-4-5', 'bedrock', BEDROCK_GOLDENS],
];
const NAMES = ['messages', 'responses'] as const;

describe('the dialects of clients, whatever the provider speaks', () => {
  const upstream = new GoldenUpstream();
  let app: TestApp;
  let dialects: Readonly<Record<(typeof NAMES)[number], Dialect>>;

  beforeAll(async () => {
    await upstream.start();
    app = await startApp({
      OPENAI_BASE_URL: `${upstream.url}/g/openai/v1`,
      GOOGLE_BASE_URL: `${upstream.url}/g/google`,
      GOOGLE_API_KEY: 'a-key',
      BEDROCK_BASE_URL: `${upstream.url}/g/bedrock`,
    });
    dialects = {
      messages: messagesOf(
        new Anthropic({ baseURL: app.url, apiKey: app.admin.key, maxRetries: 0, defaultHeaders: ALONE }),
      ),
      responses: responsesOf(app.openai.withOptions({ defaultHeaders: ALONE })),
    };
  });

  afterAll(async () => {
    await app.close();
    await upstream.stop();
  });

  afterEach(async () => {
    expect(await app.database.query('select 1 from holds')).toEqual([]);
    expect(await app.reconcile()).toEqual([]);
  });

  describe.each(NAMES)('/v1/%s', (name) => {
    describe.each(PROVIDERS)('on %s', (model, scenario, goldens) => {
      it.each([false, true])('answers (streamed: %s)', async (isStreamed) => {
        upstream.serve(scenario, isStreamed ? goldens.stream : goldens.text);
        expect(await dialects[name].ask(model, isStreamed)).toEqual({ text: FACTS.text, calls: [] });
      });

      it.each([false, true])('calls tools in parallel (streamed: %s)', async (isStreamed) => {
        upstream.serve(scenario, isStreamed ? goldens.streamTools : goldens.parallelTools);
        const { calls } = await dialects[name].ask(model, isStreamed);
        expect(calls).toEqual(FACTS.calls);
      });

      it('goes on behind a line that nobody can read', async () => {
        upstream.serve(scenario, goldens.streamMalformedLine);
        expect(await dialects[name].ask(model, true)).toEqual({ text: FACTS.text, calls: [] });
      });

      it.each(['streamCutMidEvent', 'streamEndsEarly', 'streamErrorFrame'] as const)(
        'ends in an error when the upstream breaks: %s',
        async (golden) => {
          upstream.serve(scenario, goldens[golden]);
          const dialect = dialects[name];
          const body = dialect.body(model);
          const answer = await app.call('POST', dialect.path, { body, headers: ALONE });
          expect(answer.status).toBe(200);
          expect(answer.text).toContain('Hello');
          expect(answer.text).not.toContain(dialect.end);
          expect(answer.text.trimEnd().split('\n\n').at(-1)).toMatch(/^event: error\ndata: \{.*\}$/);
          await expect(dialect.ask(model, true)).rejects.toThrow();
        },
      );
    });

    it.each([
      ['of one index', 0],
      ['without an index', undefined],
    ])('keeps calls %s apart', async (_, index) => {
      const pieces = FACTS.calls.flatMap(({ id, name: tool, arguments: input }) => {
        const text = JSON.stringify(input);
        return [
          { index, id, type: 'function', function: { name: tool, arguments: text.slice(0, 5) } },
          { index, function: { arguments: text.slice(5) } },
        ];
      });
      upstream.serve('openai', {
        headers: { 'content-type': 'text/event-stream' },
        steps: [
          ...pieces.map((piece) => openaiEvent({ tool_calls: [piece] }, null)),
          openaiEvent({}, 'tool_calls'),
          'data: [DONE]\n\n',
        ],
      });
      expect((await dialects[name].ask(GPT, true)).calls).toEqual(FACTS.calls);
    });
  });
});

function openaiEvent(delta: object, finishReason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini', choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function messagesOf(client: Anthropic): Dialect {
  const tools = [{ name: 'get_weather', input_schema: SCHEMA }];
  const params = (model: string): Anthropic.MessageCreateParamsNonStreaming => ({
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content: PROMPT }],
    tools,
  });
  return {
    path: '/v1/messages',
    end: 'message_stop',
    body: (model) => ({ ...params(model), stream: true }),
    ask: async (model, isStreamed) => {
      const { content } = isStreamed
        ? await client.messages.stream(params(model)).finalMessage()
        : await client.messages.create(params(model));
      return {
        text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
        calls: content.flatMap((block) =>
          block.type === 'tool_use' ? [{ id: block.id, name: block.name, arguments: block.input }] : [],
        ),
      };
    },
  };
}

function responsesOf(client: OpenAI): Dialect {
  const tools = [{ type: 'function' as const, name: 'get_weather', parameters: SCHEMA, strict: true }];
  const params = (model: string) => ({ model, max_output_tokens: 100, input: PROMPT, tools });
  return {
    path: '/v1/responses',
    end: 'response.completed',
    body: (model) => ({ ...params(model), stream: true }),
    ask: async (model, isStreamed) => {
      const { output, output_text: text } = isStreamed
        ? await client.responses.stream(params(model)).finalResponse()
        : await client.responses.create(params(model));
      return {
        text,
        calls: output.flatMap((item) =>
          item.type === 'function_call'
            ? [{ id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments) as unknown }]
            : [],
        ),
      };
    },
  };
}
