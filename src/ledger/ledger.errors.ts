import { AppError, RateLimitedError } from '../errors/index';
import type { LimitKind, LimitScope } from './ledger.scopes';

/** A hard budget cannot pay for even a short answer. Details: scope, period, resetsAt; amounts where the caller may know them. */
export class BudgetExceededError extends AppError {
  override readonly code = 'BUDGET_EXCEEDED';
  override readonly status = 402;
  override readonly type = 'insufficient_quota';
}

export interface LimitErrorDetails extends Readonly<Record<string, unknown>> {
  readonly limit: LimitKind;
  readonly scope: LimitScope;
  /** Undefined where the caller may not know it. */
  readonly value?: number;
  /** ISO time, or null when only the end of another request, or a smaller one, can help. */
  readonly resetsAt: string | null;
}

export class RequestLimitError extends RateLimitedError {
  override readonly code = 'REQUEST_LIMIT_EXCEEDED';
}

export class TokenLimitError extends RateLimitedError {
  override readonly code = 'TOKEN_LIMIT_EXCEEDED';
}

export class ConcurrencyLimitError extends RateLimitedError {
  override readonly code = 'CONCURRENCY_LIMIT_EXCEEDED';
}
