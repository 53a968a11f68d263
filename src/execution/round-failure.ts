import { type AppError, DO_NOT_RETRY } from '../errors/index';
import { ProviderError } from '../providers/index';
import { AllProvidersFailedError } from './execution.errors';

/** One failed attempt at a candidate, or the reason why it was not called. */
export interface CandidateFailure {
  /** Catalog id. */
  readonly model: string;
  readonly error: AppError;
}

const SOON_MS = 1000;

/**
 * What the caller is told when no candidate is left. The last failure of each candidate counts: when no later try can
 * help, the answer says so, and a prompt that is too long is named because the caller can shorten it; else it says when
 * the first candidate may answer again. Pure.
 * @param failures in the order of the attempts
 */
export function roundFailure(failures: readonly CandidateFailure[]): AppError {
  const last = failures.at(-1)?.error;
  if (!last) return new AllProvidersFailedError('No model is left to try');
  const latest = new Map(failures.map(({ model, error }) => [model, error]));
  if (latest.size === 1) return last;
  const errors = [...latest.values()];
  const isLasting = errors.every((error) => error.isLasting);
  const tooLong = errors.find((error) => error instanceof ProviderError && error.fault === 'context_length');
  if (isLasting && tooLong) return tooLong;
  return new AllProvidersFailedError(
    `None of ${latest.size} models answered; the last failure was: ${last.message}`,
    {
      ...(isLasting ? { retryAfterMs: undefined, headers: DO_NOT_RETRY } : { retryAfterMs: soonest(errors) }),
      details: { attempts: failures.map(({ model, error }) => ({ model, code: error.code })) },
      cause: last.cause,
    },
  );
}

function soonest(errors: readonly AppError[]): number {
  return Math.min(
    ...errors.filter((error) => !error.isLasting).map(({ retryAfterMs }) => retryAfterMs ?? SOON_MS),
  );
}
