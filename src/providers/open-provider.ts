import type { ProviderAdapter } from './provider.port';

/** `direct` calls the provider's API in this process, `script` runs the installation's command for it. */
export type ExecutionMode = 'direct' | 'script';
/** Why a script answered although direct execution was wanted. */
export type FallbackReason = 'missing_credentials' | 'missing_package';

/** Who asks, and how it shall be carried out. */
export interface ProviderAsking {
  /** UUID of the user whose own credential counts before the installation's. */
  readonly ownerId: string;
  /** False prefers the script. Default true. */
  readonly useDirect?: boolean;
}

/** An adapter to make attempts with, and how it got there. */
export interface OpenProvider {
  readonly adapter: ProviderAdapter;
  readonly executionMode: ExecutionMode;
  readonly fallbackReason?: FallbackReason;
}
