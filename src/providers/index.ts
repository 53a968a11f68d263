export {
  ADAPTER_FACTORIES,
  type AdapterFactories,
  type AdapterFactory,
  adapterFactories,
} from './adapter-factories';
export {
  type ProviderAvailability,
  type RefusedCall,
  type UnavailableReason,
  unavailableError,
} from './availability';
export { Capacities, type CapacityCall } from './capacity/capacities.service';
export { CapacityUnknownError, UpstreamBusyError } from './capacity/capacity.errors';
export type { CapacitySlot } from './capacity/waiting-call';
export type { CredentialRef } from './credentials/credential';
export { CredentialRejectedError } from './credentials/credential.errors';
export { AttemptStatistics, type AttemptMeasures } from './health/attempt-statistics';
export { CircuitOpenError, isCredentialRefusal } from './health/circuit.errors';
export { type CircuitPass, Circuits, type CircuitTarget } from './health/circuits';
export { failureKind, type FailureKind } from './health/failure-verdict';
export type {
  ExecutionMode,
  FallbackReason,
  OpenProvider,
  ProviderAsking,
  WantedWork,
} from './open-provider';
export { JsonChunk } from './json-chunk';
export { PROVIDER_ALIASES, UnknownProviderError } from './provider-names';
export * from './provider.errors';
export * from './provider.port';
export { ProviderRegistry } from './provider.registry';
export { ProvidersModule } from './providers.module';
