/** What an upstream's failure means, whatever its dialect: from codes, messages, statuses and headers. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ProviderFault } from '../provider.errors';

/** The fields of an error in any of the shapes that servers of the dialect use. */
export interface UpstreamFailure {
  readonly message?: string;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
}

const CODE_FAULTS: Readonly<Record<string, ProviderFault>> = {
  context_length_exceeded: 'context_length',
  string_above_max_length: 'context_length',
  content_filter: 'content_filter',
  content_policy_violation: 'content_filter',
  moderation_blocked: 'content_filter',
  ResponsibleAIPolicyViolation: 'content_filter',
  invalid_prompt: 'invalid_request',
  model_not_found: 'not_found',
  DeploymentNotFound: 'not_found',
  insufficient_quota: 'rejected',
  billing_hard_limit_reached: 'rejected',
  billing_not_active: 'rejected',
  invalid_api_key: 'rejected',
  rate_limit_exceeded: 'rate_limited',
  rate_limit_error: 'rate_limited',
  server_error: 'overloaded',
  overloaded_error: 'overloaded',
  server_overloaded: 'overloaded',
  internal_server_error: 'overloaded',
};

const STATUS_FAULTS: Readonly<Record<number, ProviderFault>> = {
  401: 'rejected',
  402: 'rejected',
  403: 'rejected',
  404: 'not_found',
  408: 'overloaded',
  409: 'overloaded',
  410: 'not_found',
  413: 'context_length',
  425: 'overloaded',
  429: 'rate_limited',
};

const TOO_LONG =
  /maximum context length|context[_ ](length|window|size)|prompt is too long|input is too long|too many (input |prompt )?tokens|reduce the length of the (messages|prompt)/i;
/** One request that no minute's allowance has room for: said with a 429 too. */
const TOO_LARGE = /request too large/i;
/** xAI says this with a 400, and did so in percent encoding. */
const WRONG_KEY = /^Incorrect(?: |%20)API(?: |%20)key/i;
const RATE_LIMITED = 429;

/** Decides the fault from the code where there is a telling one, then the message, then the status. */
export function faultOf(status: number, failure: UpstreamFailure): ProviderFault {
  const named = status < 500 ? namedFault(failure, status) : undefined;
  if (named) return named;
  if (status >= 500) return 'overloaded';
  if (status < 400) return 'malformed';
  return STATUS_FAULTS[status] ?? 'invalid_request';
}

/** The fault that a code or a message names by itself. */
export function namedFault(failure: UpstreamFailure, status?: number): ProviderFault | undefined {
  const { code, type, message = '' } = failure;
  const byCode = code === undefined ? undefined : CODE_FAULTS[code];
  const byName = byCode ?? (type === undefined ? undefined : CODE_FAULTS[type]);
  const isThrottled = status === RATE_LIMITED || byName === 'rate_limited';
  // A code may be general ("rate_limit_exceeded") where the message says that no retry can help.
  if (byCode !== 'content_filter' && isTooLong(message, isThrottled)) return 'context_length';
  return byName ?? (WRONG_KEY.test(message) ? 'rejected' : undefined);
}

/** "Too many tokens" is said of a prompt, and of the prompts of a minute. */
function isTooLong(message: string, isThrottled: boolean): boolean {
  return TOO_LARGE.test(message) || (!isThrottled && TOO_LONG.test(message));
}

/** Milliseconds from `retry-after-ms`, or `retry-after` in seconds or as an HTTP date. */
export function retryAfterMs(headers: IncomingHttpHeaders, nowMs = Date.now()): number | undefined {
  const exact = Number.parseFloat(String(headers['retry-after-ms'] ?? ''));
  if (Number.isFinite(exact)) return Math.max(0, Math.ceil(exact));
  const value = headers['retry-after'];
  if (!value) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** A code such as ECONNREFUSED; never the message, which may name internal addresses. */
export function codeOfError(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return inner instanceof Error ? codeOfError(inner) : error.name;
}
