import OpenAI from 'openai';
import {
  type CatalogModel,
  CatalogService,
  cost,
  PriceBook,
  type PriceVersion,
} from '../../src/catalog/index';
import { formatUsd, parseUsd, PROVIDER_IDS, type ProviderId } from '../../src/common/index';
import { loadConfig } from '../../src/config/index';
import { startApp, testEnv, type TestApp } from '../support/app';

/** A hard budget over all of it: the service itself refuses to spend more. */
const BUDGET_USD = '0.05';
const PROVIDER_VARIABLE = /^(OPENAI|ANTHROPIC|GOOGLE|XAI|AZURE|AWS|BEDROCK|OLLAMA|DIAL|COHERE)_/;
/** The sandbox is no real provider, and cohere only embeds. */
const NOT_ASKED: readonly string[] = ['sandbox', 'cohere'];
/** Room for a model that thinks first. */
const MAX_TOKENS = 400;

const keys = Object.fromEntries(Object.entries(process.env).filter(([name]) => PROVIDER_VARIABLE.test(name)));
const { providers } = loadConfig(testEnv('.', keys));

/** One text, one tool and one stream from every provider whose key is set. The others are skipped by name. */
describe('Real providers', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ ...keys, RETRY_BASE_DELAY_MS: '1000' });
    await app.createBudget(app.admin, BUDGET_USD);
  });

  afterAll(async () => {
    const lines = await app.lines();
    const spent = lines.reduce((sum, { costUsd }) => sum + parseUsd(costUsd ?? '0'), 0n);
    process.stdout.write(`${lines.length} attempts cost ${formatUsd(spent)} of ${BUDGET_USD} USD\n`);
    await app.close();
  });

  for (const provider of PROVIDER_IDS.filter((id) => !NOT_ASKED.includes(id))) {
    (providers[provider].isConfigured ? describe : describe.skip)(provider, () => {
      let model: string;
      let client: OpenAI;

      beforeAll(() => {
        model = cheapest(app, provider).id;
        client = app.openai;
      });

      const expectBooked = async (requestId: string | null): Promise<void> => {
        const line = (await app.lines(requestId ?? '')).at(-1);
        expect(line).toMatchObject({ provider, outcome: 'succeeded', usageSource: 'provider', disputes: [] });
        expect(line?.costUsd).not.toBeNull();
      };

      it('answers', async () => {
        const { data, response } = await client.chat.completions
          .create({
            model,
            max_tokens: MAX_TOKENS,
            messages: [{ role: 'user', content: 'Answer with the single word: pong' }],
          })
          .withResponse();
        expect(data.choices[0]?.message.content?.toLowerCase()).toContain('pong');
        await expectBooked(response.headers.get('x-lattice-request-id'));
      });

      it('calls a tool', async () => {
        const { data, response } = await client.chat.completions
          .create({
            model,
            max_tokens: MAX_TOKENS,
            messages: [{ role: 'user', content: 'What is the weather in Oslo? Use the tool.' }],
            tools: [
              {
                type: 'function',
                function: {
                  name: 'get_weather',
                  parameters: {
                    type: 'object',
                    properties: { city: { type: 'string' } },
                    required: ['city'],
                  },
                },
              },
            ],
          })
          .withResponse();
        const [call] = data.choices[0]?.message.tool_calls ?? [];
        expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
        expect(data.choices[0]?.finish_reason).toBe('tool_calls');
        await expectBooked(response.headers.get('x-lattice-request-id'));
      });

      it('streams', async () => {
        const { data, response } = await client.chat.completions
          .create({
            model,
            max_tokens: MAX_TOKENS,
            stream: true,
            messages: [{ role: 'user', content: 'Count from one to five in words.' }],
          })
          .withResponse();
        let text = '';
        let finishReason: string | null | undefined;
        for await (const chunk of data) {
          text += chunk.choices[0]?.delta.content ?? '';
          finishReason = chunk.choices[0]?.finish_reason ?? finishReason;
        }
        expect(text.toLowerCase()).toContain('three');
        expect(finishReason).toBe('stop');
        await expectBooked(response.headers.get('x-lattice-request-id'));
      });
    });
  }
});

function costOf(price: PriceVersion): bigint {
  return cost(price, { promptTokens: MAX_TOKENS, completionTokens: MAX_TOKENS });
}

/** Of the models that can do all three, the one whose prompt and answer cost least. */
function cheapest(app: TestApp, provider: ProviderId): CatalogModel {
  const prices = app.app.get(PriceBook);
  const priced = app.app
    .get(CatalogService)
    .list()
    .filter((model) => model.provider === provider && model.status === 'active')
    .filter(({ supports }) => supports.tools && supports.streaming)
    .flatMap((model) => {
      const price = prices.current(model.id);
      return price ? [{ model, price }] : [];
    });
  const [first] = priced.toSorted((left, right) => Number(costOf(left.price) - costOf(right.price)));
  if (!first) throw new Error(`The catalog has no priced model of ${provider} with tools and streaming`);
  return first.model;
}
