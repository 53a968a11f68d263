import type { ProviderId } from '../common/index';
import type { ProviderSettings } from '../config/index';
import type { AiSdkShared } from './adapters/ai-sdk/ai-sdk.adapter';
import type { ProviderAdapter } from './provider.port';

/** Builds the adapter of one provider; its code is loaded at the first use only. */
export type AdapterFactory = (settings: ProviderSettings) => ProviderAdapter;
export type AdapterFactories = Readonly<Partial<Record<ProviderId, AdapterFactory>>>;

/** Injection token of the table, so that a test or an extension can bring its own adapters. */
export const ADAPTER_FACTORIES = Symbol('ADAPTER_FACTORIES');

/** What must be installed for a provider to be called from here. */
export const PROVIDER_PACKAGES = {
  anthropic: '@ai-sdk/anthropic',
  google: '@ai-sdk/google',
  bedrock: '@ai-sdk/amazon-bedrock',
} as const satisfies Partial<Record<ProviderId, string>>;

type OpenAiDialect = typeof import('./adapters/openai-dialect/openai-dialect.adapter.js');
type Local = typeof import('./adapters/openai-dialect/local.adapter.js');
type Anthropic = typeof import('./adapters/anthropic/anthropic.adapter.js');
type Google = typeof import('./adapters/google/google.adapter.js');
type Bedrock = typeof import('./adapters/bedrock/bedrock.adapter.js');
type Cohere = typeof import('./adapters/cohere/cohere.adapter.js');
type Sandbox = typeof import('./adapters/sandbox/sandbox.adapter.js');

// `require` inside the factory is what makes the loading lazy in a CommonJS build: an `import()` of a relative path
// would need a file extension there, which the test runner could not map back to the source.
const openAiDialect =
  (provider: ProviderId, resources?: AiSdkShared): AdapterFactory =>
  (settings) => {
    const { OpenAiDialectAdapter } =
      require('./adapters/openai-dialect/openai-dialect.adapter') as OpenAiDialect;
    return new OpenAiDialectAdapter(provider, settings, resources);
  };

/**
 * A provider that is not in this table is listed as unavailable and never planned.
 * @param resources what the adapters share; without them each has its own.
 */
export const adapterFactories = (resources?: AiSdkShared): AdapterFactories => ({
  openai: openAiDialect('openai', resources),
  xai: openAiDialect('xai'),
  azure: openAiDialect('azure', resources),
  dial: openAiDialect('dial'),
  local: (settings) => {
    const { LocalAdapter } = require('./adapters/openai-dialect/local.adapter') as Local;
    return new LocalAdapter(settings, resources);
  },
  anthropic: withPackage(PROVIDER_PACKAGES.anthropic, (settings) => {
    const { AnthropicAdapter } = require('./adapters/anthropic/anthropic.adapter') as Anthropic;
    return new AnthropicAdapter(settings, resources);
  }),
  google: withPackage(PROVIDER_PACKAGES.google, (settings) => {
    const { GoogleAdapter } = require('./adapters/google/google.adapter') as Google;
    return new GoogleAdapter(settings, resources);
  }),
  bedrock: withPackage(PROVIDER_PACKAGES.bedrock, (settings) => {
    const { BedrockAdapter } = require('./adapters/bedrock/bedrock.adapter') as Bedrock;
    return new BedrockAdapter(settings, resources);
  }),
  cohere: (settings) => {
    const { CohereAdapter } = require('./adapters/cohere/cohere.adapter') as Cohere;
    return new CohereAdapter(settings);
  },
  sandbox: () => {
    const { SandboxAdapter } = require('./adapters/sandbox/sandbox.adapter') as Sandbox;
    return new SandboxAdapter();
  },
});

/**
 * The adapter loads its package at the first call; that it is installed at all is known when the adapter is built.
 * @throws MODULE_NOT_FOUND
 */
export function withPackage(name: string, factory: AdapterFactory): AdapterFactory {
  return (settings) => {
    require.resolve(`${name}/package.json`);
    return factory(settings);
  };
}
