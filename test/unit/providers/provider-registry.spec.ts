import type { CatalogModel, CatalogService } from '../../../src/catalog/index';
import { PROVIDER_IDS, type ProviderId } from '../../../src/common/index';
import { loadConfig } from '../../../src/config/index';
import { ProviderUnavailableError } from '../../../src/errors/index';
import type { AppLogger } from '../../../src/observability/index';
import {
  type AdapterFactories,
  adapterFactories,
  type ProviderAdapter,
  ProviderRegistry,
  UnknownProviderError,
} from '../../../src/providers/index';
import { withPackage } from '../../../src/providers/adapter-factories';
import type { OwnerAdapters } from '../../../src/providers/credentials/owner-adapters';
import { catalogModel } from '../../support/contract/catalog-model';

const SECRET = 'a-credential-that-must-not-be-shown';

function adapter(provider: ProviderId, overrides: Partial<ProviderAdapter> = {}): ProviderAdapter {
  const unused = () => Promise.reject(new Error('not called here'));
  return {
    provider,
    chat: unused,
    chatStream: unused,
    close: jest.fn(() => Promise.resolve()),
    ...overrides,
  };
}

interface Setup {
  readonly env?: Record<string, string>;
  readonly factories?: AdapterFactories;
  readonly setDiscovered?: (provider: ProviderId, models: readonly CatalogModel[]) => Promise<void>;
}

function setUp({ env = {}, factories = adapterFactories(), setDiscovered }: Setup = {}) {
  const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(48), ...env });
  const catalog = {
    setDiscovered: jest.fn(setDiscovered ?? (() => Promise.resolve())),
    describeDiscovered: (provider: ProviderId, upstreamId: string, facts: object) => ({
      ...catalogModel({ provider, upstreamId }),
      ...facts,
    }),
  };
  const logger = { event: jest.fn(), debug: jest.fn() };
  const registry = new ProviderRegistry(
    config,
    catalog as unknown as CatalogService,
    logger as unknown as AppLogger,
    factories,
    { isAny: false, credentialsOf: () => undefined, adapterOf: () => undefined } as unknown as OwnerAdapters,
  );
  const stateOf = (provider: ProviderId) =>
    registry.availability().find((state) => state.provider === provider);
  return { registry, catalog, logger, stateOf };
}

describe(ProviderRegistry.name, () => {
  describe('availability', () => {
    it('lists every provider with what would enable it, and no secret', () => {
      const { registry } = setUp({ env: { OPENAI_API_KEY: SECRET } });
      expect(registry.availability().map((state) => state.provider)).toEqual([...PROVIDER_IDS]);
      expect(JSON.stringify(registry.availability())).not.toContain(SECRET);
    });

    it('takes a key or a base URL without a key as configured', () => {
      expect(setUp({ env: { OPENAI_API_KEY: SECRET } }).registry.isAvailable('openai')).toBe(true);
      expect(setUp({ env: { OPENAI_BASE_URL: 'http://127.0.0.1:9' } }).registry.isAvailable('openai')).toBe(
        true,
      );
    });

    it('names the missing variables', () => {
      expect(setUp().stateOf('azure')).toMatchObject({
        state: 'unavailable',
        reason: 'key_missing',
        variables: ['AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_ENDPOINT'],
        detail: 'Set AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT',
      });
    });

    it('never counts a provider without an adapter', () => {
      const factories = { openai: () => adapter('openai') };
      const { registry, stateOf } = setUp({ env: { GOOGLE_API_KEY: SECRET }, factories });
      expect(stateOf('google')).toMatchObject({ reason: 'no_adapter', detail: 'Not in this version' });
      expect(registry.isAvailable('google')).toBe(false);
    });

    it.each([
      [{}, true],
      [{ GOOGLE_API_KEY: SECRET }, false],
      [{ OPENAI_API_KEY: SECRET }, false],
      [{ OPENAI_API_KEY: SECRET, LATTICE_SANDBOX: 'on' }, true],
      [{ LATTICE_SANDBOX: 'off' }, false],
      [{ LATTICE_ENV: 'production' }, false],
      [{ LATTICE_ENV: 'production', LATTICE_SANDBOX: 'on' }, true],
    ])('decides the sandbox with %j as %s', (env, isAvailable) => {
      const { registry, stateOf } = setUp({ env });
      expect(registry.isAvailable('sandbox')).toBe(isAvailable);
      expect(stateOf('sandbox')?.reason).toBe(isAvailable ? undefined : 'disabled');
    });

    it('knows when nothing can be called', () => {
      expect(setUp({ env: { LATTICE_ENV: 'production' } }).registry.hasAvailable()).toBe(false);
      expect(setUp().registry.hasAvailable()).toBe(true);
    });
  });

  describe('resolveName', () => {
    it.each([
      ['grok', 'xai'],
      ['gemini', 'google'],
      ['claude', 'anthropic'],
      ['ollama', 'local'],
      [' OpenAI ', 'openai'],
      ['dial', 'dial'],
    ])('understands %s', (name, provider) => {
      expect(setUp().registry.resolveName(name)).toBe(provider);
    });

    it.each(['mistral', 'constructor', ''])('lists the known ones for "%s"', (name) => {
      const resolve = () => setUp().registry.resolveName(name);
      expect(resolve).toThrow(UnknownProviderError);
      expect(resolve).toThrow(/Known: openai, anthropic, .*gemini \(google\)/);
    });
  });

  describe('adapter', () => {
    it('is built once, at the first use', async () => {
      const openai = jest.fn(() => adapter('openai'));
      const { registry } = setUp({ env: { OPENAI_API_KEY: SECRET }, factories: { openai } });
      expect(openai).not.toHaveBeenCalled();
      const [first, second] = await Promise.all([registry.adapter('openai'), registry.adapter('openai')]);
      expect(first).toBe(second);
      expect(openai).toHaveBeenCalledTimes(1);
      expect(openai).toHaveBeenCalledWith(expect.objectContaining({ apiKey: SECRET }));
    });

    it.each([
      ['openai', { OPENAI_API_KEY: SECRET }],
      ['anthropic', { ANTHROPIC_API_KEY: SECRET }],
      ['google', { GOOGLE_API_KEY: SECRET }],
      ['bedrock', { BEDROCK_BASE_URL: 'http://127.0.0.1:9' }],
      ['azure', { AZURE_BASE_URL: 'http://127.0.0.1:9' }],
      ['dial', { DIAL_BASE_URL: 'http://127.0.0.1:9' }],
      ['sandbox', {}],
    ] as const)('is the real one for %s', async (provider, env) => {
      const { registry } = setUp({ env });
      expect((await registry.adapter(provider)).provider).toBe(provider);
      await registry.close();
    });

    it.each([
      ['anthropic', 'key_missing', 'ANTHROPIC_API_KEY'],
      ['google', 'key_missing', 'GOOGLE_API_KEY'],
      ['local', 'key_missing', 'OLLAMA_BASE_URL'],
      ['sandbox', 'key_missing', 'LATTICE_SANDBOX=on'],
    ] as const)('of %s fails over and says what would help', async (provider, reason, help) => {
      const { registry } = setUp({ env: { OPENAI_API_KEY: SECRET } });
      const error = await registry.adapter(provider).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ProviderUnavailableError);
      expect(error).toMatchObject({
        reason,
        failure: 'fallover',
        message: expect.stringContaining(help) as string,
      });
    });

    it('of a provider without one fails over', async () => {
      const { registry } = setUp({ env: { GOOGLE_API_KEY: SECRET }, factories: {} });
      await expect(registry.adapter('google')).rejects.toMatchObject({
        reason: 'package_missing',
        failure: 'fallover',
        message: expect.stringContaining('Not in this version') as string,
      });
    });

    it('marks a provider whose library is not installed as soon as it is asked for', async () => {
      const google = jest.fn(() => adapter('google'));
      const { registry, stateOf } = setUp({
        env: { GOOGLE_API_KEY: SECRET },
        factories: { google: withPackage('@ai-sdk/not-installed-anywhere', google) },
      });
      await expect(registry.adapter('google')).rejects.toMatchObject({ reason: 'package_missing' });
      expect(stateOf('google')?.reason).toBe('package_missing');
      expect([registry.isAvailable('google'), google.mock.calls.length]).toEqual([false, 0]);
    });

    it.each(['anthropic', 'google', 'bedrock'] as const)('finds the library of %s', async (provider) => {
      const env = {
        ANTHROPIC_API_KEY: SECRET,
        GOOGLE_API_KEY: SECRET,
        BEDROCK_BASE_URL: 'http://127.0.0.1:1',
      };
      const { registry } = setUp({ env });
      expect((await registry.adapter(provider)).provider).toBe(provider);
      await registry.close();
    });

    it('marks a provider whose package is missing', async () => {
      const openai = () => {
        throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
      };
      const { registry, stateOf } = setUp({ env: { OPENAI_API_KEY: SECRET }, factories: { openai } });
      await expect(registry.adapter('openai')).rejects.toMatchObject({ reason: 'package_missing' });
      expect(stateOf('openai')?.reason).toBe('package_missing');
      expect(registry.isAvailable('openai')).toBe(false);
    });

    it('passes on what else goes wrong while it is built', async () => {
      const openai = () => {
        throw new TypeError('Invalid URL');
      };
      const { registry } = setUp({ env: { OPENAI_API_KEY: SECRET }, factories: { openai } });
      await expect(registry.adapter('openai')).rejects.toThrow('Invalid URL');
    });
  });

  describe('local', () => {
    const env = { OLLAMA_BASE_URL: 'http://127.0.0.1:9' };
    const withLocal = (local: ProviderAdapter, rest: Setup = {}) =>
      setUp({ env, factories: { local: () => local, openai: () => adapter('openai') }, ...rest });

    it('is available once its list call answered, and its models go to the catalog', async () => {
      const listModels = jest.fn(() => Promise.resolve(['qwen', 'embedder']));
      const describeModel = (id: string) => Promise.resolve({ canChat: id === 'qwen', tools: true });
      const { registry, catalog, logger, stateOf } = withLocal(
        adapter('local', { listModels, describeModel }),
      );
      expect(stateOf('local')?.reason).toBe('unreachable');
      await registry.onModuleInit();
      expect(registry.isAvailable('local')).toBe(true);
      expect(catalog.setDiscovered).toHaveBeenCalledWith('local', [
        expect.objectContaining({ id: 'local/qwen', tools: true }),
      ]);
      expect(logger.event).toHaveBeenCalledWith(
        'provider_ready',
        expect.objectContaining({ provider: 'local' }),
      );
      await registry.close();
    });

    it('goes away and comes back with the list call', async () => {
      const listModels = jest.fn(() => Promise.resolve(['qwen']));
      const { registry, logger, stateOf } = withLocal(adapter('local', { listModels }));
      await registry.onModuleInit();
      listModels.mockRejectedValueOnce(new Error('refused'));
      await registry.refresh();
      expect(stateOf('local')?.reason).toBe('unreachable');
      expect(logger.event).toHaveBeenLastCalledWith(
        'provider',
        expect.objectContaining({ provider: 'local' }),
      );
      await registry.refresh();
      expect(registry.isAvailable('local')).toBe(true);
      await registry.onApplicationShutdown();
    });

    it('is not available while its models cannot be stored', async () => {
      const { registry } = withLocal(adapter('local', { listModels: () => Promise.resolve(['qwen']) }), {
        setDiscovered: () => Promise.reject(new Error('database is away')),
      });
      await registry.refresh();
      expect(registry.isAvailable('local')).toBe(false);
    });

    it('does not hold up the boot, and is looked at again every 30 seconds', async () => {
      jest.useFakeTimers();
      try {
        let answer: (ids: string[]) => void = () => undefined;
        const listModels = jest.fn(() => new Promise<string[]>((resolve) => (answer = resolve)));
        const { registry } = withLocal(adapter('local', { listModels }));
        const booted = registry.onModuleInit();
        await jest.advanceTimersByTimeAsync(1000);
        await booted;
        expect(registry.isAvailable('local')).toBe(false);
        answer(['qwen']);
        await registry.refresh();
        expect(registry.isAvailable('local')).toBe(true);
        await jest.advanceTimersByTimeAsync(30_000);
        expect(listModels).toHaveBeenCalledTimes(2);
        answer([]);
        await registry.close();
        expect(jest.getTimerCount()).toBe(0);
      } finally {
        jest.useRealTimers();
      }
    });

    it('shares one check between callers', async () => {
      const listModels = jest.fn(() => Promise.resolve([]));
      const { registry } = withLocal(adapter('local', { listModels }));
      await Promise.all([registry.refresh(), registry.refresh()]);
      expect(listModels).toHaveBeenCalledTimes(1);
    });
  });

  it('closes every adapter it built, and forgets them', async () => {
    const close = jest.fn(() => Promise.reject(new Error('stuck')));
    const built = adapter('openai', { close });
    const { registry } = setUp({ env: { OPENAI_API_KEY: SECRET }, factories: { openai: () => built } });
    await registry.adapter('openai');
    await registry.close();
    await registry.close();
    expect(close).toHaveBeenCalledTimes(1);
  });
});
