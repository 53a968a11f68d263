import type { CatalogService } from '../../../src/catalog/index';
import type { ProviderId } from '../../../src/common/index';
import { loadConfig, type ProviderSettings } from '../../../src/config/index';
import type { AppLogger } from '../../../src/observability/index';
import { type AdapterFactories, type ProviderAdapter, ProviderRegistry } from '../../../src/providers/index';
import type { CredentialSecret } from '../../../src/providers/credentials/credential-secret';
import type { BuildAdapter, OwnerAdapters } from '../../../src/providers/credentials/owner-adapters';

interface FakeAdapter extends ProviderAdapter {
  readonly settings: ProviderSettings;
}

const fake = (provider: ProviderId, settings: ProviderSettings): FakeAdapter =>
  ({
    provider,
    settings,
    withSettings: (other: ProviderSettings) => fake(provider, other),
  }) as Partial<FakeAdapter> as FakeAdapter;
const factories: AdapterFactories = Object.fromEntries(
  (['openai', 'xai', 'azure', 'local', 'sandbox'] as const).map((provider) => [
    provider,
    (settings: ProviderSettings) => fake(provider, settings),
  ]),
);

/** A registry where Ada has these credentials. */
function setUp(env: Record<string, string>, own: Partial<Record<ProviderId, CredentialSecret>>) {
  const config = loadConfig({ LATTICE_ENV: 'test', LATTICE_SECRET_KEY: 'x'.repeat(48), ...env });
  const refs = new Map(Object.keys(own).map((provider) => [provider, { id: `id-${provider}`, version: 1 }]));
  const owners = {
    isAny: refs.size > 0,
    credentialsOf: (ownerId: string) => (ownerId === 'ada' ? refs : undefined),
    adapterOf: (ownerId: string, provider: ProviderId, build: BuildAdapter) => {
      const secret = ownerId === 'ada' ? own[provider] : undefined;
      return secret && Promise.resolve(build(secret));
    },
  } as unknown as OwnerAdapters;
  const registry = new ProviderRegistry(
    config,
    {} as CatalogService,
    { event: jest.fn() } as unknown as AppLogger,
    factories,
    owners,
  );
  const settingsFor = async (provider: ProviderId, ownerId: string) => {
    const { adapter } = await registry.open(provider, { ownerId });
    return (adapter as FakeAdapter).settings;
  };
  return { registry, settingsFor };
}

const OWN = { apiKey: 'own-key' };

describe(`${ProviderRegistry.name} for owners of credentials`, () => {
  it('counts a provider as available for its owner only', () => {
    const { registry } = setUp({ XAI_API_KEY: 'k' }, { openai: OWN });
    expect(registry.isAvailable('openai', 'ada')).toBe(true);
    expect(registry.isAvailable('xai', 'ada')).toBe(true);
    expect(registry.isAvailable('openai', 'bob')).toBe(false);
    expect(registry.isAvailable('openai')).toBe(false);
    const stateOf = (ownerId?: string) =>
      registry.availability(ownerId).find(({ provider }) => provider === 'openai');
    expect(stateOf('ada')).toMatchObject({ state: 'available', detail: 'Ready, with your own credential' });
    expect(stateOf('bob')).toMatchObject({ state: 'unavailable', reason: 'key_missing' });
  });

  it('shows everybody else the same object, and the owner one that stays the same', () => {
    const { registry } = setUp({}, { openai: OWN });
    expect(registry.availability('bob')).toBe(registry.availability());
    expect(registry.availability('ada')).toBe(registry.availability('ada'));
  });

  it('calls with the own credential before the installation’s, at the installation’s address', async () => {
    const { settingsFor } = setUp(
      { OPENAI_API_KEY: 'installation', OPENAI_BASE_URL: 'https://proxy.test/v1' },
      { openai: OWN },
    );
    expect(await settingsFor('openai', 'ada')).toMatchObject({
      apiKey: 'own-key',
      baseUrl: 'https://proxy.test/v1',
    });
    expect(await settingsFor('openai', 'bob')).toMatchObject({ apiKey: 'installation' });
  });

  it('has no use for a credential without an address to send it to', async () => {
    const { registry, settingsFor } = setUp({}, { azure: OWN });
    expect(registry.takesOwnCredential('azure')).toBe(false);
    expect(registry.isAvailable('azure', 'ada')).toBe(false);
    expect(registry.ownCredential('azure', 'ada')).toBeUndefined();
    await expect(settingsFor('azure', 'ada')).rejects.toMatchObject({ reason: 'key_missing' });
    const withAddress = setUp({ AZURE_OPENAI_ENDPOINT: 'https://azure.test' }, { azure: OWN });
    expect(withAddress.registry.isAvailable('azure', 'ada')).toBe(true);
    expect(withAddress.registry.isAvailable('azure')).toBe(false);
    expect(await withAddress.settingsFor('azure', 'ada')).toMatchObject({ baseUrl: 'https://azure.test' });
  });

  it('never takes one for local or the sandbox', async () => {
    const { registry, settingsFor } = setUp({ LATTICE_SANDBOX: 'on' }, { local: OWN, sandbox: OWN });
    expect(registry.isAvailable('local', 'ada')).toBe(false);
    expect((await settingsFor('sandbox', 'ada')).apiKey).toBeUndefined();
  });

  it('leaves the sandbox to those who have nothing else, unless it was asked for', () => {
    const { registry } = setUp({}, { openai: OWN });
    expect(registry.isAvailable('sandbox')).toBe(true);
    expect(registry.isAvailable('sandbox', 'bob')).toBe(true);
    expect(registry.isAvailable('sandbox', 'ada')).toBe(false);
    expect(setUp({ LATTICE_SANDBOX: 'on' }, { openai: OWN }).registry.isAvailable('sandbox', 'ada')).toBe(
      true,
    );
  });

  it('can serve somebody when owners have credentials, though the installation has none', () => {
    const env = { LATTICE_ENV: 'production' };
    expect(setUp(env, {}).registry.hasAvailable()).toBe(false);
    expect(setUp(env, { openai: OWN }).registry.hasAvailable()).toBe(true);
  });

  it('names the credential that a call would be made with', () => {
    const { registry } = setUp({ OPENAI_API_KEY: 'k' }, { openai: OWN });
    expect(registry.ownCredential('openai', 'ada')).toBe('id-openai:1');
    expect(registry.ownCredential('openai', 'bob')).toBeUndefined();
    expect(registry.ownCredential('xai', 'ada')).toBeUndefined();
  });
});
