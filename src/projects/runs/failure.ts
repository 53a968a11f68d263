import { type AppError, RateLimitedError, toAppError } from '../../errors/index';
import { AllProvidersFailedError, DeadlineExceededError } from '../../execution/index';
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
/** Refused before anything was sent: by our own circuit breakers, and by our own limit of calls at once. */
const NOT_SENT: readonly string[] = ['CIRCUIT_OPEN', 'UPSTREAM_BUSY', OWN_OUTAGE];
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

/** How long one of our own limits, breakers, or our database, holds the task up; a limit that names no end has none. */
function heldUp(error: AppError): number | undefined {
  if (error instanceof RateLimitedError) return error.retryAfterMs;
  return !error.isLasting && wasNotSent(error) ? (error.retryAfterMs ?? SOON_MS) : undefined;
}

function wasNotSent(error: AppError): boolean {
  return codesOf(error).every((code) => NOT_SENT.includes(code));
}

/** Its own, or where no model answered those of all that were tried. */
function codesOf(error: AppError): readonly string[] {
  const attempts = error instanceof AllProvidersFailedError ? error.details?.attempts : undefined;
  const codes = ((attempts ?? []) as readonly { readonly code: string }[]).map(({ code }) => code);
  return codes.length > 0 ? codes : [error.code];
}

export function isOwnOutage(thrown: unknown): boolean {
  const error = toAppError(thrown);
  return wasNotSent(error) && codesOf(error).includes(OWN_OUTAGE);
}

/** Its durable run failed: a transaction or a step of it threw what nobody foresaw. What is kept is not done again. */
export const RUN_FAILED: Failure = Object.freeze({
  code: 'INTERNAL',
  message: 'The task could not be carried out; the log of the service says why',
  exitReason: 'error',
  retry: { isCounted: true, afterMs: null },
});

/** The code of tasks whose process died with them three times; while such a task is tried again, no other such is. */
export const CRASHED = 'CRASHED';

/** @param isSure false: others died with it each time, so that it may be one of those. Pure. */
export function crashed(isSure: boolean): Failure {
  const message = 'The process that carried it out died three times without getting any further';
  const retry = isSure ? null : { isCounted: true, afterMs: null };
  return { code: CRASHED, message, exitReason: 'crashed', retry };
}

/** The budget could not pay for as many tokens as the task asked for, and the answer needed them. */
export const CUT_BY_BUDGET: Failure = Object.freeze({
  code: 'BUDGET_EXCEEDED',
  message: 'The budget could not pay for the whole answer',
  exitReason: 'budget',
  retry: null,
});

/** The code of tasks whose model said nothing. They are asked anew: a provider may repeat itself under the same key. */
export const EMPTY_ANSWER = 'EMPTY_ANSWER';

/** A model that says nothing and calls nothing may do better the next time, unless it says why. Pure. */
export function emptyAnswer({
  finishReason,
  isCutByBudget,
}: {
  readonly finishReason: string | null;
  readonly isCutByBudget: boolean;
}): Failure {
  if (isCutByBudget) return CUT_BY_BUDGET;
  if (finishReason === 'length') {
    const message = 'The model used up its tokens before it said anything: give the task more of them';
    return { code: EMPTY_ANSWER, message, exitReason: 'max_tokens', retry: null };
  }
  if (finishReason === 'content_filter') {
    const message = 'The provider held the answer back';
    return { code: EMPTY_ANSWER, message, exitReason: 'error', retry: null };
  }
  const retry = { isCounted: true, afterMs: null };
  return { code: EMPTY_ANSWER, message: 'The model answered with nothing', exitReason: 'retries', retry };
}
