/** One word for a provider's health, and why: from its availability, its last check, its traffic and its breakers. */
import { type ProviderAvailability, UNAVAILABLE_REASONS } from '../availability';
import type { ProviderFault } from '../provider.errors';
import type { Circuit } from './circuits';
import type { RecentFigures } from './model-statistics';
import type { ProviderCheck } from './provider-checks';

export const PROVIDER_STATES = ['available', 'unavailable', 'unknown', 'error'] as const;
export type ProviderState = (typeof PROVIDER_STATES)[number];

export const HEALTH_REASONS = [
  ...UNAVAILABLE_REASONS,
  'credential_rejected',
  'timeout',
  'failing',
  'not_checked',
] as const;
export type HealthReason = (typeof HEALTH_REASONS)[number];

export interface StateOfProvider {
  readonly state: ProviderState;
  readonly reason?: HealthReason;
  readonly detail: string;
}

export interface HealthEvidence {
  readonly availability: ProviderAvailability;
  readonly check?: ProviderCheck;
  readonly traffic: RecentFigures;
  /** Of the credential that the caller would use: its own and its models'. */
  readonly circuits: readonly Circuit[];
  /** The caller would use a credential of their own. */
  readonly hasOwn?: boolean;
}

export function stateOf({ availability, check, traffic, circuits, hasOwn }: HealthEvidence): StateOfProvider {
  const { state, reason, detail } = availability;
  const whose = hasOwn ? 'your own one' : availability.variables.join(' and ');
  if (state === 'unavailable') return { state, reason, detail };
  const shut = circuits.filter(({ breaker }) => breaker.state !== 'closed');
  const credential = shut.find(({ model }) => model === undefined);
  if (credential && !isAccepted(credential, check)) return refused(whose);
  const left = shut
    .flatMap(({ model }) => (model === undefined ? [] : [model]))
    .toSorted((one, other) => one.localeCompare(other));
  if (traffic.lastSuccessAt !== undefined && traffic.lastSuccessAt >= (check?.at ?? 0)) {
    return { state: 'available', detail: withShut(detail, left) };
  }
  switch (check?.outcome) {
    case 'ok':
      return { state: 'available', detail: withShut(detail, left) };
    case 'failed':
      return failed(check.fault ?? 'timeout', whose);
    case 'impossible':
      if (availability.executionMode === 'script')
        return { state: 'available', detail: withShut(detail, left) };
      return unknown('It has no list call that is free; its traffic will tell');
    case undefined:
      return unknown('It is being checked: ask again in a moment');
  }
}

/** The provider has taken the credential since, at a time when calls are let through again; before, they are refused here. */
function isAccepted({ breaker }: Circuit, check: ProviderCheck | undefined): boolean {
  return check?.outcome === 'ok' && check.at >= breaker.retryAt;
}

function failed(fault: ProviderFault, whose: string): StateOfProvider {
  switch (fault) {
    case 'rejected':
      return refused(whose);
    case 'connect':
      return { state: 'error', reason: 'unreachable', detail: 'It cannot be reached' };
    case 'timeout':
    case 'overdue':
      return { state: 'error', reason: 'timeout', detail: 'It did not list its models in time' };
    case 'rate_limited':
      return { state: 'available', detail: 'Reachable, and limiting our requests at the moment' };
    case 'overloaded':
    case 'cut':
    case 'malformed':
    case 'too_large':
    case 'aborted':
      return { state: 'error', reason: 'failing', detail: `It could not list its models (${fault})` };
    case 'not_found':
    case 'invalid_request':
    case 'context_length':
    case 'content_filter':
      return unknown('It answers, but has no list call; its traffic will tell');
  }
}

function unknown(detail: string): StateOfProvider {
  return { state: 'unknown', reason: 'not_checked', detail };
}

function refused(whose: string): StateOfProvider {
  return {
    state: 'error',
    reason: 'credential_rejected',
    detail: `It refuses the credential: check ${whose}, and the account behind it`,
  };
}

function withShut(detail: string, models: readonly string[]): string {
  return models.length === 0 ? detail : `${detail}; failed lately and left alone: ${models.join(', ')}`;
}
