/** Turns the reasons for which PostgreSQL refused a request into errors that callers understand. */
import { formatUsd, type RequestContext, toApiId } from '../common/index';
import { type AppError, ForbiddenError, UnauthenticatedError } from '../errors/index';
import {
  BudgetExceededError,
  ConcurrencyLimitError,
  type LimitErrorDetails,
  RequestLimitError,
  TokenLimitError,
} from './ledger.errors';
import type { BudgetPeriod, BudgetScope, LimitKind, LimitScope } from './ledger.scopes';

export type Refusal = InactiveRefusal | LimitRefusal | BudgetRefusal;

interface InactiveRefusal {
  readonly kind: 'inactive';
  readonly reason: 'user_unknown' | 'user_disabled' | 'key_unknown' | 'key_revoked' | 'key_expired';
}

interface LimitRefusal {
  readonly kind: 'limit';
  readonly limit: LimitKind;
  readonly scope: LimitScope;
  readonly value: number;
  /** The request alone is larger than the limit: waiting does not help. */
  readonly isTooLarge: boolean;
  readonly resetsAt: string | null;
}

interface BudgetRefusal {
  readonly kind: 'budget';
  readonly budgetId: string;
  readonly scope: BudgetScope;
  readonly period: BudgetPeriod;
  readonly limitPicoUsd: string;
  readonly spentPicoUsd: string;
  readonly heldPicoUsd: string;
  readonly resetsAt: string | null;
}

const CONCURRENCY_RETRY_MS = 1000;

export function refusalError(ctx: RequestContext, refusal: Refusal, nowMs: number): AppError {
  switch (refusal.kind) {
    case 'inactive':
      return inactiveError(refusal);
    case 'limit':
      return limitError(refusal, nowMs);
    case 'budget':
      return budgetError(ctx, refusal);
  }
}

function inactiveError({ reason }: InactiveRefusal): AppError {
  switch (reason) {
    case 'user_disabled':
      return new ForbiddenError('This account is disabled: ask an administrator');
    case 'user_unknown':
      return new UnauthenticatedError('This account no longer exists');
    case 'key_unknown':
      return new UnauthenticatedError('This API key no longer exists: create another');
    case 'key_revoked':
      return new UnauthenticatedError('This API key has been revoked: create another');
    case 'key_expired':
      return new UnauthenticatedError('This API key has expired: create another');
  }
}

function limitError(refusal: LimitRefusal, nowMs: number): AppError {
  const resetsAt = refusal.isTooLarge ? null : toIso(refusal.resetsAt);
  const details: LimitErrorDetails = {
    limit: refusal.limit,
    scope: refusal.scope,
    value: refusal.value,
    resetsAt,
  };
  const of = `${refusal.limit.replaceAll('_', ' ')} of the ${SCOPE_WORDS[refusal.scope]}`;
  if (refusal.limit === 'concurrency') {
    const message = `No more than ${refusal.value} requests of the ${SCOPE_WORDS[refusal.scope]} may run at once`;
    return new ConcurrencyLimitError(message, { details, retryAfterMs: CONCURRENCY_RETRY_MS });
  }
  const message = refusal.isTooLarge
    ? `This request alone is larger than the limit of ${refusal.value} ${of}: shorten it`
    : `The limit of ${refusal.value} ${of} is reached until ${resetsAt ?? 'a request ends'}`;
  const retryAfterMs = resetsAt === null ? undefined : Math.max(1, Date.parse(resetsAt) - nowMs);
  const LimitError = refusal.limit.startsWith('tokens') ? TokenLimitError : RequestLimitError;
  return new LimitError(message, { details, retryAfterMs });
}

/** What is left of the global budget is for administrators only. */
function budgetError(ctx: RequestContext, refusal: BudgetRefusal): AppError {
  const resetsAt = toIso(refusal.resetsAt);
  const mayKnow = refusal.scope !== 'global' || ctx.principal.role === 'admin';
  const amounts = mayKnow && {
    budgetId: toApiId('bud', refusal.budgetId),
    limitUsd: formatUsd(BigInt(refusal.limitPicoUsd)),
    spentUsd: formatUsd(BigInt(refusal.spentPicoUsd)),
    heldUsd: formatUsd(BigInt(refusal.heldPicoUsd)),
  };
  const until = resetsAt ? `until ${resetsAt}` : 'and is not renewed by time';
  return new BudgetExceededError(
    `The ${PERIOD_WORDS[refusal.period]} budget of the ${SCOPE_WORDS[refusal.scope]} is exhausted ${until}`,
    { details: { scope: refusal.scope, period: refusal.period, resetsAt, ...amounts } },
  );
}

const SCOPE_WORDS: Readonly<Record<BudgetScope, string>> = {
  global: 'installation',
  user: 'user',
  project: 'project',
  key: 'API key',
  run: 'run',
};

const PERIOD_WORDS: Readonly<Record<BudgetPeriod, string>> = {
  day: 'daily',
  month: 'monthly',
  total: 'total',
};

export function exceededWarning(scope: string, period: string): string {
  return `The soft ${PERIOD_WORDS[period as BudgetPeriod]} budget of the ${SCOPE_WORDS[scope as BudgetScope]} is exceeded`;
}

function toIso(time: string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
