import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CatalogService } from '../../../src/catalog/index';
import type { ProviderId } from '../../../src/common/index';
import { loadConfig, type ProviderSettings } from '../../../src/config/index';
import type { AppLogger } from '../../../src/observability/index';
import { lazyPackage } from '../../../src/providers/adapters/ai-sdk/lazy-package';
import { type AdapterFactories, type ProviderAdapter, ProviderRegistry } from '../../../src/providers/index';
import type { OwnerAdapters } from '../../../src/providers/credentials/owner-adapters';

const missing = () => {
  throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
};
const fake =
  (provider: ProviderId) =>
  (settings: ProviderSettings): ProviderAdapter =>
    ({ provider, settings }) as unknown as ProviderAdapter;
const factories: AdapterFactories = {
  openai: fake('openai'),
  xai: fake('xai'),
  local: fake('local'),
  sandbox: fake('sandbox'),
  google: missing,
};
const OWNER = { ownerId: 'ada' };

describe(`${ProviderRegistry.name} with scripts`, () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'lattice-registry-'));
  });

  afterEach(() => rmSync(dir, { recursive: true }));

  function setUp(
    scripts: string,
    env: Record<string, string> = {},
    own?: ProviderId,
    table: AdapterFactories = factories,
  ) {
    writeFileSync(path.join(dir, 'scripts.yaml'), scripts);
    const config = loadConfig({
      LATTICE_ENV: 'test',
      LATTICE_SECRET_KEY: 'x'.repeat(48),
      LATTICE_CONFIG_DIR: dir,
      ...env,
    });
    const owners = {
      credentialsOf: () => own && new Map([[own, { id: 'own-id', version: 1 }]]),
      adapterOf: (_owner: string, provider: ProviderId) =>
        provider === own ? Promise.resolve({ provider, isOwn: true }) : undefined,
    };
    const registry = new ProviderRegistry(
      config,
      {} as CatalogService,
      { event: jest.fn(), debug: jest.fn() } as unknown as AppLogger,
      table,
      owners as unknown as OwnerAdapters,
    );
    const stateOf = (provider: ProviderId) =>
      registry.availability().find((state) => state.provider === provider);
    return { registry, stateOf };
  }
  const OPENAI = 'openai: { command: [x] }';
  const KEY = { OPENAI_API_KEY: 'k' };

  it('takes the script where the key is missing, and says so', async () => {
    const { registry, stateOf } = setUp(OPENAI);
    expect(stateOf('openai')).toMatchObject({ state: 'available', executionMode: 'script' });
    expect(registry.isAvailable('openai', 'ada', { kind: 'chat' })).toBe(true);
    expect(await registry.open('openai', OWNER)).toMatchObject({
      adapter: { provider: 'openai' },
      executionMode: 'script',
      fallbackReason: 'missing_credentials',
    });
    expect(registry.isByScript('openai', OWNER)).toBe(true);
    expect(await registry.adapter('openai')).not.toHaveProperty('listModels');
  });

  it('takes the script where the package is missing', async () => {
    const { registry, stateOf } = setUp('google: { command: [x] }', { GOOGLE_API_KEY: 'k' });
    for (const _ of [1, 2]) {
      expect(await registry.open('google', OWNER)).toMatchObject({
        executionMode: 'script',
        fallbackReason: 'missing_package',
      });
    }
    expect(stateOf('google')).toMatchObject({ state: 'available', executionMode: 'script' });
  });

  describe('with a package that is there and cannot be imported', () => {
    const broken = (error: Error): AdapterFactories => ({
      google: () =>
        ({
          provider: 'google',
          load: lazyPackage('@ai-sdk/google', () => Promise.reject(error)),
        }) as unknown as ProviderAdapter,
    });
    const gone = Object.assign(new Error("Cannot find package 'zod' imported from index.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const env = { GOOGLE_API_KEY: 'k' };

    it('takes the script, from the first call on', async () => {
      const { registry, stateOf } = setUp('google: { command: [x] }', env, undefined, broken(gone));
      expect(stateOf('google')).toMatchObject({ executionMode: 'direct' });
      for (const _ of [1, 2]) {
        expect(await registry.open('google', OWNER)).toMatchObject({
          executionMode: 'script',
          fallbackReason: 'missing_package',
        });
        expect(stateOf('google')).toMatchObject({ state: 'available', executionMode: 'script' });
      }
    });

    it('is unavailable without one, and says which package', async () => {
      const { registry, stateOf } = setUp('', env, undefined, broken(gone));
      await expect(registry.open('google', OWNER)).rejects.toMatchObject({
        code: 'REQUIRES_IMPLEMENTATION',
        details: { reason: 'package_missing', package: '@ai-sdk/google' },
      });
      expect(stateOf('google')).toMatchObject({ state: 'unavailable', reason: 'package_missing' });
    });

    it('tries again after a failure that says nothing about what is installed', async () => {
      const tooMany = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      const { registry, stateOf } = setUp('google: { command: [x] }', env, undefined, broken(tooMany));
      expect(await registry.open('google', OWNER)).toMatchObject({ fallbackReason: 'missing_package' });
      expect(stateOf('google')).toMatchObject({ executionMode: 'direct' });
    });
  });

  it('calls directly where it can', async () => {
    const { registry, stateOf } = setUp(OPENAI, KEY);
    expect(stateOf('openai')).toMatchObject({ detail: 'Ready', executionMode: 'direct' });
    expect(await registry.open('openai', OWNER)).toEqual({
      adapter: expect.objectContaining({ provider: 'openai' }) as object,
      executionMode: 'direct',
    });
    expect(registry.laneOf('openai', OWNER)).toBeUndefined();
  });

  it('never stands in for a server that is away', async () => {
    const { registry, stateOf } = setUp('local: { command: [x] }', { OLLAMA_BASE_URL: 'http://127.0.0.1:9' });
    expect(stateOf('local')).toMatchObject({ state: 'unavailable', reason: 'unreachable' });
    await expect(registry.open('local', OWNER)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    expect(registry.isAvailable('local', 'ada', { kind: 'chat' })).toBe(false);
    expect(registry.isAvailable('local', 'ada', { kind: 'chat', useDirect: false })).toBe(true);
  });

  it('obeys useDirect: false although it could call directly', async () => {
    const { registry } = setUp(OPENAI, { ...KEY, XAI_API_KEY: 'k' });
    const asking = { ...OWNER, useDirect: false };
    expect(await registry.open('openai', asking)).toEqual({
      adapter: expect.objectContaining({ provider: 'openai' }) as object,
      executionMode: 'script',
    });
    expect(registry.laneOf('openai', asking)).toBe('script');
    expect(registry.isAvailable('xai', 'ada', { kind: 'chat', useDirect: false })).toBe(false);
    await expect(registry.open('xai', asking)).rejects.toMatchObject({
      code: 'REQUIRES_IMPLEMENTATION',
      status: 501,
      failure: 'fallover',
      message: expect.stringContaining('useDirect is false') as string,
      details: { reason: 'direct_off', provider: 'xai', file: 'scripts.yaml' },
    });
  });

  it('takes no script when only direct calls are wanted', async () => {
    const asking = { ...OWNER, useDirect: 'only' } as const;
    const keyed = setUp(OPENAI, KEY).registry;
    expect(await keyed.open('openai', asking)).toMatchObject({ executionMode: 'direct' });
    const { registry } = setUp(OPENAI);
    expect(await registry.open('openai', OWNER)).toMatchObject({ executionMode: 'script' });
    expect(registry.isAvailable('openai', 'ada', { kind: 'chat', useDirect: 'only' })).toBe(false);
    expect(registry.isByScript('openai', asking)).toBe(false);
    await expect(registry.open('openai', asking)).rejects.toMatchObject({
      code: 'REQUIRES_IMPLEMENTATION',
      message: expect.stringContaining('OPENAI_API_KEY') as string,
    });
    const off = setUp(OPENAI, { ...KEY, LATTICE_USE_DIRECT: 'false' }).registry;
    await expect(off.open('openai', asking)).rejects.toMatchObject({ code: 'REQUIRES_IMPLEMENTATION' });
  });

  it('calls nothing directly when LATTICE_USE_DIRECT is false, not even the sandbox', async () => {
    const { registry, stateOf } = setUp(
      OPENAI,
      { ...KEY, XAI_API_KEY: 'k', LATTICE_SANDBOX: 'on', LATTICE_USE_DIRECT: 'false' },
      'openai',
    );
    expect(await registry.open('openai', OWNER)).toMatchObject({ executionMode: 'script' });
    expect(await registry.open('openai', OWNER)).not.toHaveProperty('fallbackReason');
    expect(registry.ownCredential('openai', 'ada')).toBeUndefined();
    for (const provider of ['xai', 'sandbox'] as const) {
      expect(stateOf(provider)).toMatchObject({ state: 'unavailable', reason: 'direct_off' });
      await expect(registry.open(provider, OWNER)).rejects.toMatchObject({
        code: 'REQUIRES_IMPLEMENTATION',
        message: expect.stringContaining('LATTICE_USE_DIRECT') as string,
      });
    }
  });

  it('prefers an own credential, and its lane', async () => {
    const { registry } = setUp(OPENAI, {}, 'openai');
    expect(await registry.open('openai', OWNER)).toMatchObject({
      adapter: { isOwn: true },
      executionMode: 'direct',
    });
    expect(registry.laneOf('openai', OWNER)).toBe(registry.ownCredential('openai', 'ada'));
    expect(registry.ownCredential('openai', 'ada')).toContain('own-id');
  });

  it('asks the script only for what it does', async () => {
    const { registry } = setUp('openai: { command: [x], kinds: [embedding] }');
    expect(registry.isAvailable('openai', 'ada', { kind: 'embedding' })).toBe(true);
    expect(registry.isAvailable('openai', 'ada', { kind: 'chat' })).toBe(false);
    expect(await registry.open('openai', { ...OWNER, kind: 'embedding' })).toMatchObject({
      executionMode: 'script',
    });
    await expect(registry.open('openai', OWNER)).rejects.toMatchObject({ code: 'REQUIRES_IMPLEMENTATION' });
  });

  it('names the variables, the file and the package that would help', async () => {
    const { registry } = setUp('', { GOOGLE_API_KEY: 'k', LATTICE_SANDBOX: 'off' });
    await expect(registry.open('openai', OWNER)).rejects.toMatchObject({
      details: { reason: 'key_missing', variables: ['OPENAI_API_KEY'], file: 'scripts.yaml' },
    });
    await expect(registry.open('google', OWNER)).rejects.toMatchObject({
      details: { reason: 'package_missing', package: '@ai-sdk/google', file: 'scripts.yaml' },
    });
  });

  it('leaves the sandbox away where a script can be called', () => {
    expect(setUp('').registry.isAvailable('sandbox')).toBe(true);
    expect(setUp(OPENAI).registry.isAvailable('sandbox')).toBe(false);
  });
});
