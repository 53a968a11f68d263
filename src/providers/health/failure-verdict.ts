/** What the end of an attempt says about the health of a model or of a credential. */
import { AppError, ProviderUnavailableError } from '../../errors/index';
import { ProviderError, type ProviderFault } from '../provider.errors';
import type { FailureFacts } from './breaker';

export const CIRCUIT_REASONS = [
  'unreachable',
  'timeout',
  'cut',
  'overloaded',
  'rate_limited',
  'malformed_answer',
  'credential_rejected',
  'access_denied',
] as const;
export type CircuitReason = (typeof CIRCUIT_REASONS)[number];

export type AttemptVerdict =
  | { readonly about: 'nothing' }
  | { readonly about: 'model'; readonly facts: FailureFacts<CircuitReason> }
  | { readonly about: 'credential'; readonly facts: FailureFacts<CircuitReason> };

/** Longer than any request waits for a retry: whoever calls before that is refused again. */
const LONGEST_RETRY_WAIT_MS = 60_000;
const FORBIDDEN = 403;
const NOTHING: AttemptVerdict = { about: 'nothing' };

/**
 * Faults of the infrastructure count against the model, a refused credential against the credential at once. What the
 * request itself caused (a long answer too), what we ended ourselves and failures of our own say nothing.
 */
export function verdictOf(failure: unknown): AttemptVerdict {
  if (!(failure instanceof ProviderError)) return NOTHING;
  switch (failure.fault) {
    case 'connect':
      return model('unreachable');
    case 'timeout':
      return model('timeout');
    case 'cut':
      return model('cut');
    case 'overloaded':
      return model('overloaded', { askedMs: failure.retryAfterMs });
    case 'malformed':
      return model('malformed_answer');
    case 'rate_limited':
      return rateLimited(failure.retryAfterMs);
    case 'rejected':
      return rejected(failure.upstreamStatus);
    case 'not_found':
    case 'invalid_request':
    case 'context_length':
    case 'content_filter':
    case 'too_large':
    case 'overdue':
    case 'aborted':
      return NOTHING;
  }
}

export type FailureKind = ProviderFault | 'unavailable' | 'internal';

/** As what a failed attempt is counted. `aborted` is our own doing. */
export function failureKind(failure: unknown): FailureKind {
  if (failure instanceof ProviderError) return failure.fault;
  if (failure instanceof ProviderUnavailableError) return 'unavailable';
  return failure instanceof AppError && failure.status < 500 ? 'invalid_request' : 'internal';
}

/** A limit that the retry loop waits out is no illness; closing the door would halve what still gets through. */
function rateLimited(retryAfterMs: number | undefined): AttemptVerdict {
  if (retryAfterMs === undefined || retryAfterMs <= LONGEST_RETRY_WAIT_MS) return NOTHING;
  return model('rate_limited', { isCertain: true, askedMs: retryAfterMs });
}

/** 403 is mostly said of one model that the account may not use: one caller who names it shall not close the others. */
function rejected(status: number | undefined): AttemptVerdict {
  if (status === FORBIDDEN) return model('access_denied', { isCertain: true });
  return { about: 'credential', facts: { reason: 'credential_rejected', isCertain: true } };
}

function model(
  reason: CircuitReason,
  more: Omit<FailureFacts<CircuitReason>, 'reason'> = {},
): AttemptVerdict {
  return { about: 'model', facts: { reason, ...more } };
}
