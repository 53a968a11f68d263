import { type AppError, RateLimitedError, toAppError } from '../../errors/index';
import { DeadlineExceededError } from '../../execution/index';
import { BudgetExceededError } from '../../ledger/index';
import type { ExitReason } from '../tasks/task';

/** A failure of a round, small enough for the journal. */
export type Failure = {
  readonly code: string;
  /** As callers may read it. */
  readonly message: string;
  /** Why the task ends, unless it is tried again. */
  readonly exitReason: ExitReason;
  readonly retry: { readonly isCounted: boolean; readonly afterMs: number | null } | null;
};

/** PostgreSQL is away, or this process leaves: nothing was wrong with the task. */
const OWN_OUTAGE = 'SERVICE_UNAVAILABLE';
const SOON_MS = 1000;

/**
 * What becomes of a task whose round failed. Retried is what may pass by itself; what our own limits or our own database
 * held up uses no retry up. Pure.
 */
export function failureOf(thrown: unknown): Failure {
  const error = toAppError(thrown);
  const { code, message, retryAfterMs } = error;
  const plain = { code, message };
  if (error instanceof BudgetExceededError) return { ...plain, exitReason: 'budget', retry: null };
  if (error instanceof DeadlineExceededError) return { ...plain, exitReason: 'timeout', retry: null };
  const heldUpMs = heldUp(error);
  if (heldUpMs !== undefined) {
    return { ...plain, exitReason: 'error', retry: { isCounted: false, afterMs: heldUpMs } };
  }
  if (error.isLasting || error instanceof RateLimitedError)
    return { ...plain, exitReason: 'error', retry: null };
  return { ...plain, exitReason: 'retries', retry: { isCounted: true, afterMs: retryAfterMs ?? null } };
}

/** How long one of our own limits, or our database, holds the task up; a limit that names no end has none. */
function heldUp(error: AppError): number | undefined {
  if (error instanceof RateLimitedError) return error.retryAfterMs;
  return error.code === OWN_OUTAGE ? (error.retryAfterMs ?? SOON_MS) : undefined;
}

export function isOwnOutage({ code }: Failure): boolean {
  return code === OWN_OUTAGE;
}

/** A model that says nothing and calls nothing may do better the next time. */
export const EMPTY_ANSWER: Failure = Object.freeze({
  code: 'EMPTY_ANSWER',
  message: 'The model answered with nothing',
  exitReason: 'retries',
  retry: { isCounted: true, afterMs: null },
});
