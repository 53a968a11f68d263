import { ModelNotFoundError } from '../../../src/catalog/catalog.errors';
import { CatalogService } from '../../../src/catalog/catalog.service';
import type { AppConfig } from '../../../src/config/index';
import { catalogFolder, modelsYaml, modelYaml } from '../../support/catalog/catalog-folder';

const folder = catalogFolder({
  'models.yaml': `${modelsYaml(
    modelYaml('bedrock/shared-x', 'baseModel: shared, upstreamId: aws.shared-v1'),
    modelYaml('openai/gpt-6-sol', 'aliases: [gpt-6-sol-2026-09-22]'),
    modelYaml('openai/old', 'status: deprecated, successor: openai/gpt-6-sol'),
    modelYaml('openai/gone', 'status: retired, successor: openai/gpt-6-sol'),
    modelYaml('xai/grok-4.6'),
    modelYaml('google/gemini-3.8-flash'),
    modelYaml('anthropic/claude-opus-5-5'),
    modelYaml('local/qwen3:8b'),
    modelYaml('local/shared'),
  )}deployments:
  - { id: azure/our-bot, base: openai/gpt-6-sol, upstreamId: bot-eu }
  - { id: dial/gpt-6-sol, base: openai/gpt-6-sol }
`,
});

function createCatalog(): CatalogService {
  return new CatalogService({ configDirs: [folder] } as unknown as AppConfig);
}

const catalog = createCatalog();
const idsOf = (asked: string) => catalog.resolve(asked).models.map((model) => model.id);
const GPT_6_SOL = ['openai/gpt-6-sol', 'azure/our-bot', 'dial/gpt-6-sol'];

describe(CatalogService.name, () => {
  describe('resolve', () => {
    it.each([
      ['a canonical id', 'openai/gpt-6-sol', GPT_6_SOL],
      ['a bare id: the vendor first, then who else sells the model', 'gpt-6-sol', GPT_6_SOL],
      ['a dated name', 'gpt-6-sol-2026-09-22', GPT_6_SOL],
      ['a dated name of a provider', 'openai/gpt-6-sol-2026-09-22', GPT_6_SOL],
      ['other letters', 'OpenAI/GPT-6-Sol', GPT_6_SOL],
      [
        'a deployment: itself first',
        'azure/our-bot',
        ['azure/our-bot', 'openai/gpt-6-sol', 'dial/gpt-6-sol'],
      ],
      [
        'a deployment by its upstream name',
        'bot-eu',
        ['azure/our-bot', 'openai/gpt-6-sol', 'dial/gpt-6-sol'],
      ],
      ['another seller', 'dial/gpt-6-sol', ['dial/gpt-6-sol', 'openai/gpt-6-sol', 'azure/our-bot']],
      ['the alias grok', 'grok/grok-4.6', ['xai/grok-4.6']],
      ['the alias gemini', 'gemini/gemini-3.8-flash', ['google/gemini-3.8-flash']],
      ['the alias claude', 'claude/claude-opus-5-5', ['anthropic/claude-opus-5-5']],
      ['the alias ollama, in capitals', 'Ollama/qwen3:8b', ['local/qwen3:8b']],
      ['an upstream id', 'aws.shared-v1', ['bedrock/shared-x', 'local/shared']],
      [
        'a name shared by providers: the model’s own name wins',
        'shared',
        ['local/shared', 'bedrock/shared-x'],
      ],
    ])('understands %s', (_, asked, expected) => {
      expect(idsOf(asked)).toEqual(expected);
    });

    it('hands out the same frozen answer every time', () => {
      expect(catalog.resolve('gpt-6-sol')).toBe(catalog.resolve('gpt-6-sol'));
      expect(Object.isFrozen(catalog.resolve('gpt-6-sol').models)).toBe(true);
    });

    it('names the successor of what is deprecated or retired, and nothing for the rest', () => {
      expect(catalog.resolve('old').warnings).toEqual([
        'openai/old is deprecated by its provider; use openai/gpt-6-sol',
      ]);
      expect(catalog.resolve('openai/gone').warnings).toEqual([
        'openai/gone is deprecated and retired, its provider may refuse it; use openai/gpt-6-sol',
      ]);
      expect(catalog.resolve('gpt-6-sol').warnings).toEqual([]);
    });

    it.each([
      ['gpt-6-soul', 'openai/gpt-6-sol'],
      ['openai/grok-4.6', 'xai/grok-4.6'],
      ['anthropic/claude-opus-5.5', 'anthropic/claude-opus-5-5'],
    ])('refuses %s and names up to three near ids', (asked, near) => {
      const error = catch_(() => catalog.resolve(asked));
      expect(error).toMatchObject({
        status: 404,
        code: 'model_not_found',
        type: 'invalid_request_error',
        param: 'model',
      });
      expect(error?.message).toContain(near);
      expect(error?.details?.nearest).toHaveLength(3);
    });

    it.each(['', '/', 'openai/', 'x'.repeat(100_000), '__proto__', 'constructor'])(
      'refuses odd input %#',
      (asked) => {
        const error = catch_(() => catalog.resolve(asked));
        expect(error).toBeInstanceOf(ModelNotFoundError);
        expect(error?.message.length).toBeLessThan(500);
      },
    );
  });

  it('lists the same frozen array until the catalog changes', async () => {
    const own = createCatalog();
    const before = own.list();
    expect(own.list()).toBe(before);
    expect(Object.isFrozen(before)).toBe(true);
    expect(Object.isFrozen(before[0]?.scores)).toBe(true);
    await own.setDiscovered('local', [own.describeDiscovered('local', 'mine')]);
    expect(own.list()).not.toBe(before);
  });

  describe('setDiscovered', () => {
    it('adds models, makes them resolvable and changes the version', async () => {
      const own = createCatalog();
      const before = own.version;
      await own.setDiscovered('local', [
        own.describeDiscovered('local', 'hf.co/me/mine:q4', { tools: true }),
      ]);
      expect(own.version).not.toBe(before);
      expect(own.resolve('hf.co/me/mine:q4').models[0]).toMatchObject({
        id: 'local/hf.co/me/mine:q4',
        isDiscovered: true,
        supports: { tools: true, vision: false },
      });
    });

    it('adds embedding models as such, under their name without the tag too', async () => {
      const own = createCatalog();
      const found = own.describeDiscovered('local', 'nomic-embed-text:latest', {
        embedding: { dimensions: 768, maxInputTokens: 2048 },
      });
      await own.setDiscovered('local', [found]);
      expect(own.resolve('local/nomic-embed-text').models[0]).toMatchObject({
        id: 'local/nomic-embed-text:latest',
        contextWindowTokens: 2048,
        embedding: { dimensions: 768, cutsLongTexts: true },
        isDiscovered: true,
      });
      expect(own.ofKind('embedding').map(({ id }) => id)).toContain(found.id);
      expect(own.ofKind('chat').map(({ id }) => id)).not.toContain(found.id);
      expect(own.ofKind('chat')).toBe(own.ofKind('chat'));
    });

    it('keeps what stands in the files, and forgets what is gone', async () => {
      const own = createCatalog();
      await own.setDiscovered('local', [
        own.describeDiscovered('local', 'qwen3:8b'),
        own.describeDiscovered('local', 'mine'),
      ]);
      expect(own.provider('local').filter((model) => model.id === 'local/qwen3:8b')).toHaveLength(1);
      expect(own.find('local/qwen3:8b')?.contextWindowTokens).toBe(1000);
      await own.setDiscovered('local', []);
      expect(own.find('local/mine')).toBeUndefined();
      expect(own.version).toBe(catalog.version);
    });

    it('shows nothing before the price is known, and nothing at all when that fails', async () => {
      const own = createCatalog();
      const before = own.list();
      own.onBeforePublish(() => {
        expect(own.list()).toBe(before);
        return Promise.reject(new Error('no database'));
      });
      await expect(own.setDiscovered('local', [own.describeDiscovered('local', 'mine')])).rejects.toThrow(
        'no database',
      );
      expect(own.list()).toBe(before);
    });

    it('leaves everything as it is when nothing changed', async () => {
      const own = createCatalog();
      const models = [own.describeDiscovered('local', 'mine')];
      await own.setDiscovered('local', models);
      const before = own.list();
      await own.setDiscovered('local', models);
      expect(own.list()).toBe(before);
    });
  });
});

function catch_(work: () => unknown): ModelNotFoundError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as ModelNotFoundError;
  }
}
