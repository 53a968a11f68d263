import type { ModelKind } from '../catalog/index';
import type { DirectUse } from '../common/index';
import { ProviderUnavailableError } from '../errors/index';
import type { ProviderAdapter } from './provider.port';

/** `direct` calls the provider's API in this process, `script` runs the installation's command for it. */
export const EXECUTION_MODES = ['direct', 'script'] as const;
export type ExecutionMode = (typeof EXECUTION_MODES)[number];
/** Why a script answered although direct execution was wanted. */
export type FallbackReason = 'missing_credentials' | 'missing_package';

/** Who asks, and how it shall be carried out. */
export interface ProviderAsking {
  /** UUID of the user whose own credential counts before the installation's. */
  readonly ownerId: string;
  readonly useDirect?: DirectUse;
  /** Default chat. */
  readonly kind?: ModelKind;
}

/** An adapter to make attempts with, and how it got there. */
export interface OpenProvider {
  readonly adapter: ProviderAdapter;
  readonly executionMode: ExecutionMode;
  readonly fallbackReason?: FallbackReason;
}

/** What is to be done, and by which way. */
export type WantedWork = Pick<ProviderAsking, 'useDirect' | 'kind'>;

/** Only what is missing here; an upstream that fails is not answered by something else. */
export function fallbackReasonOf(error: unknown): FallbackReason | undefined {
  if (!(error instanceof ProviderUnavailableError)) return undefined;
  if (error.reason === 'key_missing') return 'missing_credentials';
  return error.reason === 'package_missing' ? 'missing_package' : undefined;
}
