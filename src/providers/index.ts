export {
  ADAPTER_FACTORIES,
  type AdapterFactories,
  type AdapterFactory,
  adapterFactories,
} from './adapter-factories';
export type { ProviderAvailability, UnavailableReason } from './availability';
export type { ExecutionMode, FallbackReason, OpenProvider, ProviderAsking } from './open-provider';
export { PROVIDER_ALIASES, UnknownProviderError } from './provider-names';
export * from './provider.errors';
export * from './provider.port';
export { ProviderRegistry } from './provider.registry';
export { ProvidersModule } from './providers.module';
