import { PROVIDER_IDS, type ProviderId } from '../common/index';
import type { AppConfig } from '../config/index';
import { ProviderUnavailableError, type ProviderUnavailableReason } from '../errors/index';

export const UNAVAILABLE_REASONS = [
  'key_missing',
  'package_missing',
  'unreachable',
  'no_adapter',
  'disabled',
] as const;
export type UnavailableReason = (typeof UNAVAILABLE_REASONS)[number];

/** Can calls be planned on this provider now, and if not, what would help? Holds no secret. */
export interface ProviderAvailability {
  readonly provider: ProviderId;
  readonly state: 'available' | 'unavailable';
  readonly reason?: UnavailableReason;
  /** The environment variables that enable it. */
  readonly variables: readonly string[];
  readonly detail: string;
}

/** What is known beside the configuration. */
export interface Observed {
  hasAdapter(provider: ProviderId): boolean;
  /** Did the list call of `local` answer? */
  readonly isLocalUp: boolean;
  /** Providers whose code could not be loaded. */
  readonly packageMissing: ReadonlySet<ProviderId>;
}

export function availabilityOfAll(config: AppConfig, observed: Observed): readonly ProviderAvailability[] {
  return Object.freeze(
    PROVIDER_IDS.map((provider) => Object.freeze(availabilityOf(provider, config, observed))),
  );
}

function availabilityOf(provider: ProviderId, config: AppConfig, observed: Observed): ProviderAvailability {
  const { isConfigured, variables } = config.providers[provider];
  const unavailable = (reason: UnavailableReason, detail: string): ProviderAvailability => ({
    provider,
    state: 'unavailable',
    reason,
    variables,
    detail,
  });
  const available: ProviderAvailability = { provider, state: 'available', variables, detail: 'Ready' };
  if (!observed.hasAdapter(provider)) return unavailable('no_adapter', 'Not in this version');
  if (observed.packageMissing.has(provider)) {
    return unavailable('package_missing', 'A package it needs is not installed');
  }
  if (provider === 'sandbox') {
    if (hasSandbox(config, observed))
      return { ...available, detail: 'Ready: deterministic answers, no cost' };
    return unavailable('disabled', sandboxRemedy(config));
  }
  if (!isConfigured) return unavailable('key_missing', `Set ${variables.join(' and ')}`);
  if (provider === 'local' && !observed.isLocalUp) {
    return unavailable('unreachable', 'OLLAMA_BASE_URL is set, but the server there did not list its models');
  }
  return available;
}

/** On when asked for, or by itself while nothing else that could be called is configured. */
function hasSandbox(config: AppConfig, observed: Observed): boolean {
  if (!config.isSandboxAllowed) return false;
  if (config.vars.LATTICE_SANDBOX === 'on') return true;
  return !PROVIDER_IDS.some(
    (other) => other !== 'sandbox' && config.providers[other].isConfigured && observed.hasAdapter(other),
  );
}

function sandboxRemedy(config: AppConfig): string {
  if (config.isSandboxAllowed)
    return 'Off because another provider is configured; set LATTICE_SANDBOX=on to have both';
  if (config.vars.LATTICE_SANDBOX === 'off') return 'Switched off by LATTICE_SANDBOX=off';
  return 'Off in production unless LATTICE_SANDBOX=on is set';
}

const ERROR_REASONS: Readonly<Record<UnavailableReason, ProviderUnavailableReason>> = {
  key_missing: 'key_missing',
  package_missing: 'package_missing',
  unreachable: 'unreachable',
  no_adapter: 'package_missing',
  disabled: 'key_missing',
};

/** The error for calling a provider that is not available; names the variable that would help. */
export function unavailableError(availability: ProviderAvailability): ProviderUnavailableError {
  const reason = availability.reason ?? 'unreachable';
  return new ProviderUnavailableError(
    ERROR_REASONS[reason],
    `The provider ${availability.provider} is not available: ${availability.detail}`,
    { details: { provider: availability.provider, variables: availability.variables } },
  );
}
