import type { IncomingHttpHeaders } from 'node:http';
import {
  type ChatBody,
  isJsonObject,
  type JsonObject,
  messageText,
  type ProviderId,
} from '../../../common/index';
import { ProviderError, type ProviderErrorOptions, type ProviderFault } from '../../provider.errors';
import { requestIdOf, text } from './response';

/** What an error message may be compared with, so that it never repeats a credential or the prompt. */
export interface ErrorContext {
  readonly provider: ProviderId;
  readonly apiKey?: string;
  /** The request; absent for calls that carry no prompt. */
  readonly body?: ChatBody;
}

/** The fields of an error in any of the shapes that servers of the dialect use. */
export interface UpstreamFailure {
  readonly message?: string;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
}

const MESSAGE_LIMIT = 500;

const CODE_FAULTS: Readonly<Record<string, ProviderFault>> = {
  context_length_exceeded: 'context_length',
  string_above_max_length: 'context_length',
  content_filter: 'content_filter',
  content_policy_violation: 'content_filter',
  moderation_blocked: 'content_filter',
  ResponsibleAIPolicyViolation: 'content_filter',
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
  /maximum context length|context[_ ](length|window|size)|prompt is too long|input is too long|too many (input |prompt )?tokens|request too large|reduce the length of the (messages|prompt)/i;

/** The error of an answer with an error status. */
export function answerError(
  context: ErrorContext,
  answer: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body?: JsonObject },
): ProviderError {
  const failure = failureOf(answer.body);
  return new ProviderError(describe(context, `answered ${answer.status}`, failure), {
    provider: context.provider,
    fault: faultOf(answer.status, failure),
    upstreamStatus: answer.status,
    upstreamRequestId: requestIdOf(answer.headers),
    retryAfterMs: retryAfterMs(answer.headers),
    param: failure.param,
    mayBeBilled: false,
  });
}

/** The error of an error object where an answer was due: in a 2xx body or in the middle of a stream. */
export function reportedError(
  context: ErrorContext,
  failure: UpstreamFailure,
  options: Pick<ProviderErrorOptions, 'upstreamStatus' | 'upstreamRequestId' | 'usage'>,
): ProviderError {
  const status = Number(failure.code);
  const isStatus = Number.isInteger(status) && status >= 400 && status < 600;
  return new ProviderError(describe(context, 'reported an error', failure), {
    ...options,
    provider: context.provider,
    fault: isStatus ? faultOf(status, failure) : (namedFault(failure) ?? 'malformed'),
    param: failure.param,
    mayBeBilled: true,
  });
}

/** Decides the fault from the code where there is a telling one, then the message, then the status. */
export function faultOf(status: number, failure: UpstreamFailure): ProviderFault {
  const named = status < 500 ? namedFault(failure) : undefined;
  if (named) return named;
  if (status >= 500) return 'overloaded';
  if (status < 400) return 'malformed';
  return STATUS_FAULTS[status] ?? 'invalid_request';
}

function namedFault(failure: UpstreamFailure): ProviderFault | undefined {
  const byCode = failure.code === undefined ? undefined : CODE_FAULTS[failure.code];
  // A code may be general ("rate_limit_exceeded") where the message says that no retry can help.
  if (failure.message !== undefined && TOO_LONG.test(failure.message) && byCode !== 'content_filter') {
    return 'context_length';
  }
  return byCode ?? (failure.type === undefined ? undefined : CODE_FAULTS[failure.type]);
}

/** Reads `{error: {…}}`, `{error: "…"}`, `{message}`, `{detail: "…" | [{msg}]}`. */
export function failureOf(body: JsonObject | undefined): UpstreamFailure {
  if (!body) return {};
  const { error } = body;
  if (typeof error === 'string') return { message: error };
  const source = isJsonObject(error) ? error : body;
  const inner = isJsonObject(source.innererror) ? text(source.innererror.code) : undefined;
  return {
    message: text(source.message) ?? detailOf(source.detail),
    code: codeOf(source.code) ?? inner,
    type: text(source.type),
    param: text(source.param)?.slice(0, 200),
  };
}

function codeOf(code: JsonObject[string]): string | undefined {
  return typeof code === 'number' ? String(code) : text(code);
}

function detailOf(detail: JsonObject[string]): string | undefined {
  if (!Array.isArray(detail)) return text(detail);
  const messages = detail.map((item: unknown) => (isJsonObject(item) ? text(item.msg) : undefined));
  return messages.filter((message) => message !== undefined).join('; ') || undefined;
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

function describe(context: ErrorContext, what: string, failure: UpstreamFailure): string {
  const message = safeMessage(context, failure.message);
  return message ? `${context.provider} ${what}: ${message}` : `${context.provider} ${what}`;
}

const SECRETS: readonly RegExp[] = [
  /\bbearer\s+\S+/gi,
  /\b(?:sk|pk|rk|xai|gsk|key|llk)[-_][\w*.-]{6,}/gi,
  /\b(?:AIza|AKIA|ASIA)[\w-]{8,}/g,
  /\b(?:api[-_ ]?key|token|secret|password)["']?\s*[=:]\s*["']?[^\s"',;]+/gi,
  /(?=[\w+/=-]*\d)[\w+/=-]{32,}/g,
];

/** The upstream's own words without credentials, at most 500 characters, or nothing when they repeat the prompt. */
export function safeMessage(context: ErrorContext, message: string | undefined): string | undefined {
  const bounded = message?.slice(0, MESSAGE_LIMIT * 2).trim();
  if (!bounded) return undefined;
  if (context.body && repeatsPrompt(bounded, context.body))
    return '(its message repeats the request and is withheld)';
  const withoutKey = context.apiKey ? bounded.replaceAll(context.apiKey, '[redacted]') : bounded;
  const clean = SECRETS.reduce((kept, secret) => kept.replace(secret, '[redacted]'), withoutKey);
  return clean.slice(0, MESSAGE_LIMIT);
}

const WINDOW = 20;
const STEP = 10;
const SEARCHED_CHARS = 262_144;

/** Finds any run of 30 characters that the message shares with the prompt, and shorter prompts as a whole. */
function repeatsPrompt(message: string, body: ChatBody): boolean {
  return body.messages.some((part) => {
    const prompt = messageText(part).slice(0, SEARCHED_CHARS);
    if (prompt.length < WINDOW + STEP) return prompt.length >= 8 && message.includes(prompt);
    for (let at = 0; at + WINDOW <= message.length; at += STEP) {
      if (prompt.includes(message.slice(at, at + WINDOW))) return true;
    }
    return false;
  });
}

/** The fault of a connection that broke, by whether the request had been written. */
export function transportFault(error: Error, isSent: boolean): ProviderFault {
  if (!isSent) return 'connect';
  return codeOfError(error).startsWith('HPE_') ? 'malformed' : 'cut';
}

/** A code such as ECONNREFUSED; never the message, which may name internal addresses. */
export function codeOfError(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return inner instanceof Error ? codeOfError(inner) : error.name;
}
