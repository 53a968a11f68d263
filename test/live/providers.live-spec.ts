import OpenAI from 'openai';
import {
  type CatalogModel,
  CatalogService,
  cost,
  kindOf,
  type ModelKind,
  PriceBook,
  type PriceVersion,
} from '../../src/catalog/index';
import { loadCatalog } from '../../src/catalog/loader/load-catalog';
import { formatUsd, parseUsd, PROVIDER_IDS, type ProviderId } from '../../src/common/index';
import { loadConfig } from '../../src/config/index';
import { ProviderRegistry } from '../../src/providers/index';
import { startApp, testEnv, type TestApp } from '../support/app';

/** A hard budget over all of it: the service itself refuses to spend more. */
const BUDGET_USD = '0.05';
const PROVIDER_VARIABLE = /^(OPENAI|ANTHROPIC|GOOGLE|XAI|AZURE|AWS|BEDROCK|OLLAMA|DIAL|COHERE)_/;
/** Room for a model that thinks first. */
const MAX_TOKENS = 400;

const WEATHER = { role: 'user' as const, content: 'What is the weather in Oslo? Use the tool.' };
const TOOLS = [
  {
    type: 'function' as const,
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];

const keys = Object.fromEntries(Object.entries(process.env).filter(([name]) => PROVIDER_VARIABLE.test(name)));
const config = loadConfig(testEnv('.', keys));
const { models } = loadCatalog(config.configDirs);

/** Does the provider sell such models, by the catalog? What a local server has is known at run time only. */
function sells(provider: ProviderId, kind: ModelKind): boolean {
  return models.some((model) => model.provider === provider && kindOf(model) === kind);
}

function needsResponses({ toolsApi, status }: CatalogModel): boolean {
  return toolsApi === 'responses' && status === 'active';
}

/**
 * One text, one tool and one stream from every provider whose key is set, one vector from those that embed. The others
 * are skipped by name. Models that take tools over the Responses API only get a whole round of one.
 */
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

  for (const provider of PROVIDER_IDS.filter((id) => id !== 'sandbox')) {
    const describeConfigured = config.providers[provider].isConfigured ? describe : describe.skip;

    const expectBooked = async (requestId: string | null, line: object): Promise<void> => {
      const booked = (await app.lines(requestId ?? '')).at(-1);
      expect(booked).toMatchObject({ provider, outcome: 'succeeded', disputes: [], ...line });
      expect(booked?.costUsd).not.toBeNull();
    };

    if (sells(provider, 'embedding')) {
      describeConfigured(`${provider}, vectors`, () => {
        it('embeds', async () => {
          const { data, response } = await app.openai.embeddings
            .create({ model: await cheapest(app, provider, 'embedding'), input: 'pong' })
            .withResponse();
          expect(data.data[0]?.embedding.length).toBeGreaterThan(0);
          // Not every one counts the tokens of a text.
          await expectBooked(response.headers.get('x-lattice-request-id'), {});
        });
      });
    }

    if (!sells(provider, 'chat')) continue;
    describeConfigured(provider, () => {
      let model: string;
      let client: OpenAI;

      beforeAll(async () => {
        model = await cheapest(app, provider, 'chat');
        client = app.openai;
      });

      it('answers', async () => {
        const { data, response } = await client.chat.completions
          .create({
            model,
            max_tokens: MAX_TOKENS,
            messages: [{ role: 'user', content: 'Answer with the single word: pong' }],
          })
          .withResponse();
        expect(data.choices[0]?.message.content?.toLowerCase()).toContain('pong');
        await expectBooked(response.headers.get('x-lattice-request-id'), { usageSource: 'provider' });
      });

      it('calls a tool', async () => {
        const { data, response } = await client.chat.completions
          .create({
            model,
            max_tokens: MAX_TOKENS,
            messages: [WEATHER],
            tools: TOOLS,
          })
          .withResponse();
        const [call] = data.choices[0]?.message.tool_calls ?? [];
        expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
        expect(data.choices[0]?.finish_reason).toBe('tool_calls');
        await expectBooked(response.headers.get('x-lattice-request-id'), { usageSource: 'provider' });
      });

      if (models.some((sold) => sold.provider === provider && needsResponses(sold))) {
        it('takes a tool result back over the Responses API, with the thoughts behind the call', async () => {
          const ask = {
            model: await cheapest(app, provider, 'chat', needsResponses),
            max_tokens: 4 * MAX_TOKENS,
            reasoning_effort: 'low' as const,
            tools: TOOLS,
          };
          const first = await client.chat.completions.create({ ...ask, messages: [WEATHER] });
          const called = first.choices[0]?.message;
          const [call] = called?.tool_calls ?? [];
          if (!called || !call) throw new Error('No tool was called');
          const result = { role: 'tool' as const, tool_call_id: call.id, content: '11 degrees, rain' };
          const { data, response } = await client.chat.completions
            .create({ ...ask, messages: [WEATHER, called, result] })
            .withResponse();
          expect(data.choices[0]?.message.content).toContain('11');
          await expectBooked(response.headers.get('x-lattice-request-id'), { usageSource: 'provider' });
        });
      }

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
        await expectBooked(response.headers.get('x-lattice-request-id'), { usageSource: 'provider' });
      });
    });
  }
});

function costOf(price: PriceVersion): bigint {
  return cost(price, { promptTokens: MAX_TOKENS, completionTokens: MAX_TOKENS });
}

/**
 * Of the models that can do what is asked of them, the id of the one whose prompt and answer cost least. Of a local server
 * only what it has.
 */
async function cheapest(
  app: TestApp,
  provider: ProviderId,
  kind: ModelKind,
  isWanted: (model: CatalogModel) => boolean = () => true,
): Promise<string> {
  const prices = app.app.get(PriceBook);
  const isThere = await onServer(app, provider);
  const priced = app.app
    .get(CatalogService)
    .ofKind(kind)
    .filter((model) => model.provider === provider && model.status === 'active' && isThere(model))
    .filter(isWanted)
    .filter(({ supports }) => kind === 'embedding' || (supports.tools && supports.streaming))
    .flatMap((model) => {
      const price = prices.current(model.id);
      return price ? [{ model, price }] : [];
    });
  const [first] = priced.toSorted((left, right) => Number(costOf(left.price) - costOf(right.price)));
  if (!first) throw new Error(`No priced ${kind} model of ${provider} can do what is tested`);
  return first.model.id;
}

/** Which models can be called: all of a vendor's, and what a local server lists by its own names. */
async function onServer(app: TestApp, provider: ProviderId): Promise<(model: CatalogModel) => boolean> {
  if (provider !== 'local') return () => true;
  const adapter = await app.app.get(ProviderRegistry).adapter(provider);
  const names = new Set(await adapter.listModels?.(AbortSignal.timeout(5_000)));
  return ({ upstreamId, aliases = [] }) => [upstreamId, ...aliases].some((name) => names.has(name));
}
