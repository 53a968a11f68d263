/** Turns the reasons for which PostgreSQL refused a request into errors that callers understand. */
import { type BudgetPeriod, formatUsd, type RequestContext, toApiId } from '../common/index';
import { type AppError, ForbiddenError, UnauthenticatedError } from '../errors/index';
import {
  BudgetExceededError,
  ConcurrencyLimitError,
  type LimitErrorDetails,
  RequestLimitError,
  TokenLimitError,
} from './ledger.errors';
import type { BudgetScope, LimitKind, LimitScope } from './ledger.scopes';
import { rateLimitHeaders, type RateLimitState } from './rate-limit-state';

export type Refusal = InactiveRefusal | LimitRefusal | BudgetRefusal;

interface InactiveRefusal {
  readonly kind: 'inactive';
  readonly reason: 'user_unknown' | 'user_disabled' | 'key_unknown' | 'key_revoked' | 'key_expired';
}

export interface LimitRefusal {
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

/** @param rateLimit what is left of the caller's request windows; it goes into the headers of a limit's error. */
export function refusalError(
  ctx: RequestContext,
  refusal: Refusal,
  nowMs: number,
  rateLimit?: RateLimitState,
): AppError {
  switch (refusal.kind) {
    case 'inactive':
      return inactiveError(refusal);
    case 'limit':
      return limitError(refusal, nowMs, rateLimit, ctx.principal.role === 'admin');
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

/** What the installation's limit is, administrators know; others learn that it is reached, and until when. */
export function limitError(
  refusal: LimitRefusal,
  nowMs: number,
  rateLimit?: RateLimitState,
  isAdmin = false,
): AppError {
  const { limit, scope } = refusal;
  const mayKnow = scope !== 'global' || isAdmin;
  const resetsAt = refusal.isTooLarge ? null : toIso(refusal.resetsAt);
  const value = mayKnow ? refusal.value : undefined;
  const details: LimitErrorDetails = { limit, scope, value, resetsAt };
  const retryAfterMs = resetsAt === null ? undefined : Math.max(1, Date.parse(resetsAt) - nowMs);
  const headers = limitHeaders(refusal, retryAfterMs, rateLimit);
  const message = limitMessage(limit, SCOPE_WORDS[scope], {
    value,
    resetsAt,
    isTooLarge: refusal.isTooLarge,
  });
  if (limit === 'concurrency') {
    return new ConcurrencyLimitError(message, { details, headers, retryAfterMs: CONCURRENCY_RETRY_MS });
  }
  const LimitError = limit.startsWith('tokens') ? TokenLimitError : RequestLimitError;
  return new LimitError(message, { details, headers, retryAfterMs });
}

function limitMessage(
  limit: LimitKind,
  whose: string,
  {
    value,
    resetsAt,
    isTooLarge,
  }: Pick<LimitRefusal, 'resetsAt' | 'isTooLarge'> & { readonly value?: number },
): string {
  if (limit === 'concurrency') {
    return `No more than ${value ?? 'a limited number of'} requests of the ${whose} may run at once`;
  }
  const of = `${value === undefined ? '' : `${value} `}${limit.replaceAll('_', ' ')} of the ${whose}`;
  return isTooLarge
    ? `This request alone is larger than the limit of ${of}: shorten it`
    : `The limit of ${of} is reached until ${resetsAt ?? 'a request ends'}`;
}

/** The caller's own window; nothing is left, whatever it says, when the installation's is used up. */
function limitHeaders(
  { scope, limit }: LimitRefusal,
  retryAfterMs: number | undefined,
  rateLimit: RateLimitState | undefined,
): Record<string, string> | undefined {
  if (scope !== 'global') return rateLimit && rateLimitHeaders(rateLimit);
  if (!limit.startsWith('requests') || retryAfterMs === undefined) return undefined;
  return { 'ratelimit-remaining': '0', 'ratelimit-reset': String(Math.ceil(retryAfterMs / 1000)) };
}

/** Amounts are for whom the budget concerns: its user, the owner of its key, administrators. Others learn that it is exhausted. */
function budgetError(ctx: RequestContext, refusal: BudgetRefusal): AppError {
  const resetsAt = toIso(refusal.resetsAt);
  const isOwn = refusal.scope === 'user' || refusal.scope === 'key';
  const mayKnow = isOwn || ctx.principal.role === 'admin';
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

/** Of the soft budgets that a request exceeds. The installation's is for administrators only. */
export function softBudgetWarnings(
  { principal }: RequestContext,
  exceeded: readonly { readonly scope: string; readonly period: string }[],
): readonly string[] {
  return exceeded
    .filter(({ scope }) => scope !== 'global' || principal.role === 'admin')
    .map(({ scope, period }) => exceededWarning(scope as BudgetScope, period as BudgetPeriod));
}

function exceededWarning(scope: BudgetScope, period: BudgetPeriod): string {
  return `The soft ${PERIOD_WORDS[period]} budget of the ${SCOPE_WORDS[scope]} is exceeded`;
}

function toIso(time: string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
