import type { ModelKind } from '../catalog/index';
import { type DirectUse, PROVIDER_IDS, type ProviderId } from '../common/index';
import { type AppConfig, SCRIPTS_FILE } from '../config/index';
import {
  ProviderUnavailableError,
  type ProviderUnavailableReason,
  RequiresImplementationError,
} from '../errors/index';
import { PROVIDER_PACKAGES } from './adapter-factories';
import { takesOwnCredential } from './credentials/credential-secret';
import type { ExecutionMode } from './open-provider';

export const UNAVAILABLE_REASONS = [
  'key_missing',
  'package_missing',
  'unreachable',
  'no_adapter',
  'disabled',
  'direct_off',
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
  /** By which way it is called when it can be. */
  readonly executionMode?: ExecutionMode;
}

/** What is known beside the configuration. */
export interface Observed {
  hasAdapter(provider: ProviderId): boolean;
  /** Did the list call of `local` answer? */
  readonly isLocalUp: boolean;
  /** Providers whose code could not be loaded. */
  readonly packageMissing: ReadonlySet<ProviderId>;
  /** Providers that the caller has a credential of their own for; left out: what everybody can call. */
  readonly own?: { has(provider: ProviderId): boolean };
}

/** What can be called by everybody, or by the owner of credentials. */
export interface KnownAvailability {
  readonly states: readonly ProviderAvailability[];
  readonly available: ReadonlySet<ProviderId>;
  /** What this process could call itself, script or not. */
  readonly direct: ReadonlyMap<ProviderId, ProviderAvailability>;
}

export function availabilityOfAll(config: AppConfig, observed: Observed): KnownAvailability {
  const direct = PROVIDER_IDS.map((provider) => Object.freeze(directly(provider, config, observed)));
  const states = direct.map((state) => (isByScript(state, config) ? Object.freeze(byScript(state)) : state));
  const available = states.filter(({ state }) => state === 'available').map(({ provider }) => provider);
  return {
    states: Object.freeze(states),
    available: new Set(available),
    direct: new Map(direct.map((state) => [state.provider, state])),
  };
}

/** A script stands in for what is missing here, not for an upstream that is away. */
function isByScript({ provider, state, reason }: ProviderAvailability, { scripts }: AppConfig): boolean {
  return scripts[provider] !== undefined && state === 'unavailable' && reason !== 'unreachable';
}

function byScript({ provider, variables }: ProviderAvailability): ProviderAvailability {
  return {
    provider,
    state: 'available',
    variables,
    detail: `Ready, by its script (${SCRIPTS_FILE})`,
    executionMode: 'script',
  };
}

/** Has the caller a credential that can be used? It counts before the installation's. */
export function hasOwn(provider: ProviderId, config: AppConfig, { own }: Pick<Observed, 'own'>): boolean {
  return own?.has(provider) === true && takesOwnCredential(provider, config.providers[provider]);
}

function directly(provider: ProviderId, config: AppConfig, observed: Observed): ProviderAvailability {
  const { isConfigured, variables } = config.providers[provider];
  const unavailable = (reason: UnavailableReason, detail: string): ProviderAvailability => ({
    provider,
    state: 'unavailable',
    reason,
    variables,
    detail,
  });
  const available: ProviderAvailability = {
    provider,
    state: 'available',
    variables,
    detail: 'Ready',
    executionMode: 'direct',
  };
  if (!config.isDirectAllowed) {
    return unavailable('direct_off', `LATTICE_USE_DIRECT=false, and ${SCRIPTS_FILE} names no command for it`);
  }
  if (!observed.hasAdapter(provider)) return unavailable('no_adapter', 'Not in this version');
  if (observed.packageMissing.has(provider)) {
    return unavailable('package_missing', 'A package it needs is not installed');
  }
  if (provider === 'sandbox') {
    if (hasSandbox(config, observed))
      return { ...available, detail: 'Ready: deterministic answers, no cost' };
    return unavailable('disabled', sandboxRemedy(config));
  }
  if (hasOwn(provider, config, observed)) return { ...available, detail: 'Ready, with your own credential' };
  if (!isConfigured) return unavailable('key_missing', `Set ${variables.join(' and ')}`);
  if (provider === 'local' && !observed.isLocalUp) {
    return unavailable('unreachable', 'OLLAMA_BASE_URL is set, but the server there did not list its models');
  }
  return available;
}

/** Who answers in place of the sandbox: cohere only embeds. */
const CHATTING: ReadonlySet<ProviderId> = new Set(
  PROVIDER_IDS.filter((id) => id !== 'sandbox' && id !== 'cohere'),
);

/** On when asked for, or by itself while there is nothing else that the caller could call. */
function hasSandbox(config: AppConfig, observed: Observed): boolean {
  if (!config.isSandboxAllowed) return false;
  if (config.vars.LATTICE_SANDBOX === 'on') return true;
  return !PROVIDER_IDS.some(
    (other) =>
      CHATTING.has(other) &&
      observed.hasAdapter(other) &&
      (config.providers[other].isConfigured ||
        config.scripts[other] !== undefined ||
        hasOwn(other, config, observed)),
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
  direct_off: 'direct_off',
};

/** What could not be done, and for which model it was named. */
export interface RefusedCall {
  readonly modelId?: string;
  readonly useDirect?: DirectUse;
  readonly kind?: ModelKind;
}

/**
 * The error for calling a provider that cannot be called: 503 while it does not answer, 501 when something is missing
 * here. Names the variables, the package or the file that would help.
 */
export function unavailableError(
  availability: ProviderAvailability,
  call: RefusedCall = {},
): ProviderUnavailableError {
  const { provider, variables, reason, detail } = availability;
  const who =
    call.modelId === undefined
      ? `The provider ${provider} is not available`
      : `The model ${call.modelId} cannot be called, its provider ${provider} is not available`;
  const param = call.modelId === undefined ? undefined : 'model';
  if (call.useDirect !== false && reason === 'unreachable') {
    return new ProviderUnavailableError('unreachable', `${who}: ${detail}`, {
      param,
      details: { provider, variables },
    });
  }
  const missing = reason === 'package_missing' ? packageOf(provider) : undefined;
  return new RequiresImplementationError(
    call.useDirect === false || reason === undefined ? 'direct_off' : ERROR_REASONS[reason],
    `${who}: ${remedy(availability, call)}`,
    { param, details: { provider, variables, package: missing, file: SCRIPTS_FILE } },
  );
}

function remedy({ state, reason, variables, detail }: ProviderAvailability, call: RefusedCall): string {
  const does = call.kind === 'embedding' ? 'makes embeddings' : 'chats';
  if (call.useDirect === false) {
    return `useDirect is false, and ${SCRIPTS_FILE} names no command for it that ${does}. Name one, or leave useDirect out`;
  }
  if (call.useDirect === 'only' && state === 'available') {
    return `only its script can be called, and no script is wanted. Set ${variables.join(' and ')}`;
  }
  if (state === 'available') {
    return `${SCRIPTS_FILE} names no command for it that ${does}. Name one, or set ${variables.join(' and ')}`;
  }
  return reason === 'direct_off' || reason === 'disabled'
    ? detail
    : `${detail}, or name a command for it in ${SCRIPTS_FILE}`;
}

function packageOf(provider: ProviderId): string | undefined {
  return (PROVIDER_PACKAGES as Partial<Record<ProviderId, string>>)[provider];
}

/** Could the code of an adapter not be loaded, because it or something it imports is not there? */
export function isPackageMissing(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
}
