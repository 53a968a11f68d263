import { loadCatalog } from '../../../src/catalog/loader/load-catalog';
import { toUsd } from '../../../src/catalog/price-conversion';
import { ConfigurationError } from '../../../src/errors/index';
import { ANY_TIER, catalogFolder, modelsYaml, modelYaml } from '../../support/catalog/catalog-folder';

const find = (dirs: readonly string[], id: string) =>
  loadCatalog(dirs).models.find((model) => model.id === id);

describe(loadCatalog.name, () => {
  describe('a bad file', () => {
    const good = modelYaml('openai/a');

    it.each<[string, string, string]>([
      [
        'a field of the wrong type',
        modelsYaml(good, modelYaml('openai/b', 'displayName: 7')),
        'models[1].displayName: Invalid input: expected string, received number',
      ],
      [
        'a negative window',
        `${ANY_TIER}models:\n  - { id: openai/a, contextWindowTokens: -5 }\n`,
        'models[0].contextWindowTokens: must be a whole number of tokens from 1 to 100000000',
      ],
      [
        'a missing field',
        `${ANY_TIER}models:\n  - { id: openai/a, tier: any, maxOutputTokens: 1, speed: fast, size: small }\n`,
        'models[0].contextWindowTokens: is missing',
      ],
      [
        'an unknown field',
        modelsYaml(modelYaml('openai/a', 'colour: red')),
        'models[0]: Unrecognized key: "colour"',
      ],
      [
        'an unknown provider',
        modelsYaml(modelYaml('nobody/a')),
        'models[0].id: must be provider/model with one of the providers openai, anthropic',
      ],
      [
        'an embedding model without its batch bound',
        modelsYaml(modelYaml('openai/a', 'embedding: { quality: 0.5 }')),
        'models[0].embedding.maxBatch: is missing',
      ],
      [
        'an embedding model with two ways to choose dimensions',
        modelsYaml(
          modelYaml(
            'openai/a',
            'embedding: { quality: 0.5, maxBatch: 9, minDimensions: 1, allowedDimensions: [2] }',
          ),
        ),
        'models[0].embedding.minDimensions: stands beside allowedDimensions',
      ],
      [
        'an embedding model whose least dimensions are more than it has',
        modelsYaml(
          modelYaml('openai/a', 'embedding: { quality: 0.5, maxBatch: 9, dimensions: 8, minDimensions: 9 }'),
        ),
        'models[0].embedding.minDimensions: is larger than dimensions',
      ],
      ['a bare id', modelsYaml(modelYaml('a')), 'models[0].id: must be provider/model'],
      [
        'an unknown capability',
        modelsYaml(modelYaml('openai/a', 'supports: { magic: true }')),
        'models[0].supports: Unrecognized key: "magic"',
      ],
      [
        'a score above 1',
        modelsYaml(modelYaml('openai/a', 'scores: { MATH: 1.5 }')),
        'models[0].scores.MATH: Too big',
      ],
      [
        'an unknown tier',
        modelsYaml(modelYaml('openai/a').replace('tier: any', 'tier: top')),
        'models[0].tier: "top" is not one of the tiers any',
      ],
      [
        'scores that nobody gives',
        modelsYaml(modelYaml('openai/a').replace('tier: any, ', '')),
        'models[0].scores: CODE_GENERATION, DEBUGGING',
      ],
      [
        'more output than window',
        modelsYaml(modelYaml('openai/a').replace('maxOutputTokens: 100', 'maxOutputTokens: 2000')),
        'models[0].maxOutputTokens: is larger than contextWindowTokens',
      ],
      [
        'a price as a number',
        modelsYaml(modelYaml('openai/a', "price: { input: 0.15, output: '1' }")),
        'models[0].price.input: must be a quoted decimal of US dollars per million tokens',
      ],
      [
        'a price finer than a pico-dollar per token',
        modelsYaml(modelYaml('openai/a', "price: { input: '0.0000001', output: '1' }")),
        'models[0].price: "0.0000001" USD per million tokens is not a whole number of pico-USD per token',
      ],
      [
        'a bad day in a schedule',
        modelsYaml(
          modelYaml(
            'openai/a',
            "price: [{ input: '1', output: '1' }, { from: soon, input: '1', output: '1' }]",
          ),
        ),
        'models[0].price[1].from: must be a day such as 2026-12-01',
      ],
      [
        'an unknown priceId',
        modelsYaml(modelYaml('openai/a', 'priceId: openai/gpt-6.1-sol')),
        'models[0].priceId: "openai/gpt-6.1-sol" is no model with a price per token in genai-prices',
      ],
      [
        'a priceId that only begins like a listed one',
        modelsYaml(modelYaml('anthropic/a', 'priceId: anthropic/claude-sonnet-5-5')),
        'models[0].priceId: "anthropic/claude-sonnet-5-5" is no model',
      ],
      [
        'two kinds of price',
        modelsYaml(modelYaml('openai/a', "priceId: openai/gpt-6-luna, price: { input: '1', output: '1' }")),
        'models[0].price: stands beside priceId',
      ],
      [
        'an unknown successor',
        modelsYaml(modelYaml('openai/a', 'status: retired, successor: openai/z')),
        'models[0].successor: "openai/z" is not in the catalog',
      ],
      ['a duplicate id', modelsYaml(good, modelYaml('openai/A')), 'models[1].id: "openai/A" stands in'],
      [
        'an alias that means another model',
        modelsYaml(good, modelYaml('openai/b', 'aliases: [A]')),
        'models[1].aliases[0]: "A" already means openai/a',
      ],
      [
        'tools over an API that the provider has not',
        modelsYaml(modelYaml('xai/a', 'toolsApi: responses')),
        'models[0].toolsApi: "responses" is for models of openai and azure',
      ],
      [
        'a deployment without its base',
        `deployments:\n  - { id: azure/x, base: openai/none }\n`,
        'deployments[0].base: "openai/none" is not a known model',
      ],
      [
        'a deployment of a deployment',
        `${modelsYaml(good)}deployments:\n  - { id: azure/x, base: openai/a }\n  - { id: dial/x, base: azure/x }\n`,
        'deployments[1].base: "azure/x" is itself a deployment',
      ],
    ])('with %s stops the boot naming file, place and reason', (_, yaml, message) => {
      const folder = catalogFolder({ 'mine.yaml': yaml });
      const load = () => loadCatalog([folder]);
      expect(load).toThrow(ConfigurationError);
      expect(load).toThrow(`${folder}/catalog/mine.yaml: ${message}`);
    });

    it('with broken YAML names line and column', () => {
      const folder = catalogFolder({ 'mine.yaml': 'models:\n  - id: "openai/a\n' });
      expect(() => loadCatalog([folder])).toThrow(/mine\.yaml, line \d+, column \d+: /);
    });

    it('names every problem of the file, a line each', () => {
      const folder = catalogFolder({
        'mine.yaml': modelsYaml(modelYaml('openai/a', 'displayName: 7, status: gone')),
      });
      expect(() => loadCatalog([folder])).toThrow(/displayName.*\n.*models\[0\]\.status/);
    });
  });

  describe('the administrator’s folder', () => {
    const builtIn = catalogFolder({
      'models.yaml': modelsYaml(
        modelYaml('openai/a', 'supports: { tools: true }, scores: { MATH: 0.9 }, priceId: openai/gpt-6-luna'),
        modelYaml('openai/b'),
      ),
    });

    it('overrides single fields by id and keeps the others', () => {
      const own = catalogFolder({
        'mine.yaml':
          'models:\n  - { id: openai/a, contextWindowTokens: 500, scores: { DEBUGGING: 0.1 }, supports: { jsonSchema: true } }\n',
      });
      expect(find([own, builtIn], 'openai/a')).toMatchObject({
        contextWindowTokens: 500,
        maxOutputTokens: 100,
        scores: { MATH: 0.9, DEBUGGING: 0.1, GENERAL: 0.5 },
        supports: { tools: true, jsonSchema: true },
        priceId: 'openai/gpt-6-luna',
      });
    });

    it('replaces the list price by its own', () => {
      const own = catalogFolder({
        'mine.yaml': "models:\n  - { id: openai/a, price: { input: '7', output: '8' } }\n",
      });
      const { models, prices } = loadCatalog([own, builtIn]);
      expect(models.find((model) => model.id === 'openai/a')?.priceId).toBeUndefined();
      const [first] = prices.get('openai/a') ?? [];
      expect(first && toUsd(first.price)).toMatchObject({ input: '7', output: '8' });
    });

    it('adds models and deployments', () => {
      const own = catalogFolder({
        'mine.yaml': `models:\n${modelYaml('dial/new')}deployments:\n  - { id: azure/bot, base: openai/a, upstreamId: bot-eu }\n`,
      });
      const ids = loadCatalog([own, builtIn]).models.map((model) => model.id);
      expect(ids).toEqual(['openai/a', 'openai/b', 'dial/new', 'azure/bot']);
    });

    it('says whether a deployment is asked for the usage of its streams', () => {
      const own = catalogFolder({
        'mine.yaml': `deployments:
  - { id: dial/asked, base: openai/a, asksStreamUsage: true }
  - { id: dial/never, base: openai/a, asksStreamUsage: false }
  - { id: dial/usual, base: openai/a }
`,
      });
      const asks = (id: string) => find([own, builtIn], id)?.asksStreamUsage;
      expect([asks('dial/asked'), asks('dial/never'), asks('dial/usual')]).toEqual([true, false, undefined]);
    });

    it('changes the version', () => {
      const own = catalogFolder({ 'mine.yaml': 'models:\n  - { id: openai/a, contextWindowTokens: 500 }\n' });
      expect(loadCatalog([own, builtIn]).hash).not.toBe(loadCatalog([builtIn]).hash);
      expect(loadCatalog([builtIn]).hash).toBe(loadCatalog([builtIn]).hash);
    });

    it('alone may let a model be called without a known price', () => {
      const own = catalogFolder({ 'mine.yaml': 'models:\n  - { id: openai/b, allowUnknownPrice: true }\n' });
      expect(find([builtIn], 'openai/b')?.allowUnknownPrice).toBe(false);
      expect(find([own, builtIn], 'openai/b')?.allowUnknownPrice).toBe(true);
    });

    it('may be without a catalog folder', () => {
      expect(loadCatalog(['/nonexistent', builtIn]).models).toHaveLength(2);
    });
  });

  describe('a deployment', () => {
    it('follows the capabilities, scores and price of its base under its own name', () => {
      const folder = catalogFolder({
        'models.yaml': `${modelsYaml(modelYaml('openai/a', "displayName: A, scores: { MATH: 0.9 }, aliases: [a-1], price: { input: '2', output: '3' }"))}deployments:\n  - { id: azure/bot, base: openai/a, upstreamId: bot-eu }\n`,
      });
      const { models, prices } = loadCatalog([folder]);
      expect(models.find((model) => model.id === 'azure/bot')).toMatchObject({
        provider: 'azure',
        upstreamId: 'bot-eu',
        baseModel: 'a',
        displayName: 'A (azure)',
        scores: { MATH: 0.9 },
        aliases: [],
      });
      expect(prices.get('azure/bot')).toEqual(prices.get('openai/a'));
    });

    it('takes tools over the API of its base where its seller has that, unless it says otherwise', () => {
      const folder = catalogFolder({
        'models.yaml': `${modelsYaml(modelYaml('openai/a', 'toolsApi: responses'))}deployments:
  - { id: azure/a, base: openai/a }
  - { id: azure/b, base: openai/a, toolsApi: chat }
  - { id: dial/a, base: openai/a }
`,
      });
      const apiOf = (id: string) => find([folder], id)?.toolsApi;
      expect([apiOf('openai/a'), apiOf('azure/a'), apiOf('azure/b'), apiOf('dial/a')]).toEqual([
        'responses',
        'responses',
        'chat',
        undefined,
      ]);
    });
  });

  describe('timeouts', () => {
    it.each([
      ['small', false, { connectMs: 5000, firstByteMs: 30_000, idleMs: 30_000, totalMs: 30_000 }],
      ['large', false, { connectMs: 5000, firstByteMs: 60_000, idleMs: 30_000, totalMs: 60_000 }],
      ['local', false, { connectMs: 5000, firstByteMs: 120_000, idleMs: 30_000, totalMs: 120_000 }],
      ['large', true, { connectMs: 5000, firstByteMs: 300_000, idleMs: 60_000, totalMs: 300_000 }],
      ['local', true, { connectMs: 5000, firstByteMs: 300_000, idleMs: 60_000, totalMs: 300_000 }],
    ])(
      'of a %s model (reasoning: %s) follow from its size and whether it thinks',
      (size, reasoning, timeouts) => {
        const yaml = modelYaml('openai/a', `supports: { reasoning: ${String(reasoning)} }`).replace(
          'size: small',
          `size: ${size}`,
        );
        expect(find([catalogFolder({ 'm.yaml': modelsYaml(yaml) })], 'openai/a')?.timeouts).toEqual(timeouts);
      },
    );

    it('can be set one by one', () => {
      const folder = catalogFolder({
        'm.yaml': modelsYaml(modelYaml('openai/a', 'timeouts: { totalMs: 5 }')),
      });
      expect(find([folder], 'openai/a')?.timeouts).toMatchObject({ totalMs: 5, firstByteMs: 30_000 });
    });

    it('can be set for a provider, whose models may differ; later folders win field by field', () => {
      const builtIn = catalogFolder({
        'm.yaml': modelsYaml(
          modelYaml('openai/a', 'timeouts: { totalMs: 5 }'),
          modelYaml('openai/b'),
          modelYaml('azure/a'),
        ),
        'p.yaml': 'providers: { openai: { timeouts: { totalMs: 6, idleMs: 7 } } }\n',
      });
      const own = catalogFolder({ 'p.yaml': 'providers: { openai: { timeouts: { idleMs: 8 } } }\n' });
      const timeouts = (id: string) => find([own, builtIn], id)?.timeouts;
      expect(timeouts('openai/a')).toMatchObject({ totalMs: 5, idleMs: 8, firstByteMs: 30_000 });
      expect(timeouts('openai/b')).toMatchObject({ totalMs: 6, idleMs: 8 });
      expect(timeouts('azure/a')).toMatchObject({ totalMs: 30_000, idleMs: 30_000 });
    });
  });
});
