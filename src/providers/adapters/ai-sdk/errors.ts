import { APICallError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { isJsonObject, type ProviderId, type TokenUsage } from '../../../common/index';
import { ValidationError } from '../../../errors/index';
import { ProviderError, type ProviderFault } from '../../provider.errors';
import { safeMessage } from '../safe-message';
import { codeOfError, retryAfterMs } from '../upstream-fault';
import type { Exchange, ExchangeEnd } from './exchange';

/** How one vendor's error answers are told apart beyond their status. */
export interface ErrorDialect {
  readonly provider: ProviderId;
  /** Never repeated in a message. */
  readonly apiKey?: string;
  /** Headers that carry the provider's own request id, the first present one counts. */
  readonly requestIdHeaders: readonly string[];
  /** A finer fault than the status gives, or undefined. */
  readonly faultOf?: (status: number, message: string, type?: string) => ProviderFault | undefined;
  /** The error's type, where it does not stand in the body's own `type`. */
  readonly errorType?: (headers: Readonly<Record<string, string>>, body: unknown) => string | undefined;
  /** How long the error's own body says to wait, where the provider uses no header for it. */
  readonly retryAfterMs?: (body: unknown) => number | undefined;
}

/**
 * Turns whatever a call threw into one ProviderError. What we know ourselves (who aborted, was it sent, what status
 * came) decides before what the error object says. Never keeps the error object: it holds the prompt.
 */
export function toProviderError(
  error: unknown,
  exchange: Exchange,
  dialect: ErrorDialect,
  usage?: TokenUsage,
): ProviderError {
  if (error instanceof ProviderError) return error;
  const { text, ...diagnosis } = diagnose(error, exchange, dialect);
  return new ProviderError(`${dialect.provider} ${text}`, {
    upstreamStatus: exchange.status,
    ...diagnosis,
    provider: dialect.provider,
    upstreamRequestId: upstreamRequestId(exchange, dialect),
    mayBeBilled: exchange.isSent && !isRefusal(error, exchange),
    usage,
    cause: exchange.networkError,
  });
}

/** A stream that ended without its own end, or never was one. */
export function unfinished(
  fault: 'cut' | 'malformed',
  exchange: Exchange,
  dialect: ErrorDialect,
  usage: TokenUsage,
): ProviderError {
  const text =
    fault === 'cut' ? 'ended its stream before the end of the answer' : 'sent no readable event stream';
  return new ProviderError(`${dialect.provider} ${text}`, {
    provider: dialect.provider,
    fault,
    upstreamStatus: exchange.status,
    upstreamRequestId: upstreamRequestId(exchange, dialect),
    mayBeBilled: true,
    usage,
  });
}

/** An error event in a stream; one of an unknown kind counts as the provider's failure. */
export function asErrorFrame(error: unknown): unknown {
  if (!isRecord(error) || typeof error.statusCode === 'number' || error instanceof Error) return error;
  return { ...error, statusCode: 500 };
}

export function upstreamRequestId(exchange: Exchange, dialect: ErrorDialect): string | undefined {
  const name = dialect.requestIdHeaders.find((header) => exchange.headers[header]);
  return name && exchange.headers[name];
}

interface Diagnosis {
  readonly fault: ProviderFault;
  readonly text: string;
  readonly upstreamStatus?: number;
  readonly retryAfterMs?: number;
  readonly param?: string;
}

function diagnose(error: unknown, exchange: Exchange, dialect: ErrorDialect): Diagnosis {
  const { endedBy } = exchange;
  if (endedBy && !(isErrorStatus(exchange.status) && endedBy !== 'caller')) return ended(endedBy, exchange);
  if (!exchange.isRequested) return unsendable(error);
  const status = statedStatus(error, exchange);
  if (status !== undefined) return refused(error, status, exchange, dialect);
  if (exchange.status === undefined || exchange.networkError !== undefined) return broken(exchange);
  const fault =
    dialect.faultOf?.(exchange.status, messageOf(error), typeOf(error, exchange, dialect)) ?? 'malformed';
  return { fault, text: 'sent an answer that is not what its dialect says' };
}

/** Nothing went out. Only messages known to hold no part of the prompt are passed on. */
function unsendable(error: unknown): Diagnosis {
  const isSafe = error instanceof ValidationError || UnsupportedFunctionalityError.isInstance(error);
  return {
    fault: 'invalid_request',
    text: `cannot be sent this request${isSafe ? `: ${error.message}` : ''}`,
    param: error instanceof ValidationError ? error.param : undefined,
  };
}

function ended(end: ExchangeEnd, { timeouts }: Exchange): Diagnosis {
  switch (end) {
    case 'caller':
    case 'left':
      return { fault: 'aborted', text: 'was left because the request was cancelled' };
    case 'connect':
      return { fault: 'connect', text: `did not accept a connection within ${timeouts.connectMs} ms` };
    case 'first byte':
      return { fault: 'timeout', text: `sent no first byte within ${timeouts.firstByteMs} ms` };
    case 'idle':
      return { fault: 'timeout', text: `went silent for ${timeouts.idleMs} ms in the middle of its answer` };
    case 'quiet':
      return { fault: 'timeout', text: 'kept its connection alive but did not go on with its answer' };
    case 'size':
      return { fault: 'too_large', text: 'sent an answer that is larger than anything that is read' };
    case 'total':
      return { fault: 'overdue', text: `did not finish within ${timeouts.totalMs} ms` };
    default:
      return end satisfies never;
  }
}

function broken({ isSent, networkError }: Exchange): Diagnosis {
  const code = networkError instanceof Error ? codeOfError(networkError) : 'network error';
  if (!isSent) return { fault: 'connect', text: `could not be reached (${code})` };
  return { fault: 'cut', text: `closed the connection before the end of its answer (${code})` };
}

/** The error status that the provider answered with, or that an error frame stands for. */
function statedStatus(error: unknown, { status }: Exchange): number | undefined {
  const inError = isRecord(error) && typeof error.statusCode === 'number' ? error.statusCode : status;
  return isErrorStatus(status) ? status : isErrorStatus(inError) ? inError : undefined;
}

function refused(error: unknown, status: number, exchange: Exchange, dialect: ErrorDialect): Diagnosis {
  const type = typeOf(error, exchange, dialect);
  const words = messageOf(error);
  const { provider, apiKey } = dialect;
  const { body, prompts } = exchange;
  const message = safeMessage({ provider, apiKey, body, prompts }, words);
  return {
    fault: dialect.faultOf?.(status, words, type) ?? faultOfStatus(status),
    upstreamStatus: status,
    text: `answered ${status}${type ? ` ${type}` : ''}${message ? `: ${message}` : ''}`,
    retryAfterMs: retryAfterMs(exchange.headers) ?? dialect.retryAfterMs?.(bodyOf(error)),
  };
}

export function faultOfStatus(status: number): ProviderFault {
  if (status === 401 || status === 402 || status === 403) return 'rejected';
  if (status === 404 || status === 410) return 'not_found';
  if (status < 400) return 'malformed';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status === 409 || status >= 500) return 'overloaded';
  return status === 413 ? 'context_length' : 'invalid_request';
}

/** An answer that is nothing but an error costs nothing; an error in the middle of a stream may follow paid tokens. */
function isRefusal(error: unknown, { status }: Exchange): boolean {
  return isErrorStatus(status) || (APICallError.isInstance(error) && isErrorStatus(error.statusCode));
}

function isErrorStatus(status: number | undefined): boolean {
  return status !== undefined && status >= 300;
}

/** The provider's own words, in one line; nothing of the request object. */
function messageOf(error: unknown): string {
  const ownText = isRecord(error) && typeof error.message === 'string' ? error.message : '';
  // A library that does not know the shape of an error says nothing.
  const { message, Message } = ownText ? {} : (innerBody(error) ?? {});
  const text = [ownText, message, Message].find((words) => typeof words === 'string' && words !== '');
  return typeof text === 'string' ? text.replaceAll(/\s+/g, ' ').trim() : '';
}

/** The provider's error type, from an error body `{error: {type}}` or an error frame `{type}`; Google calls it status. */
function typeOf(error: unknown, { headers }: Exchange, { errorType }: ErrorDialect): string | undefined {
  const inner = innerBody(error);
  const type = inner?.type ?? inner?.status ?? errorType?.(headers, inner);
  return typeof type === 'string' && /^[\w.-]{1,64}$/.test(type) ? type : undefined;
}

function innerBody(error: unknown): Readonly<Record<string, unknown>> | undefined {
  const data = bodyOf(error);
  return data && isRecord(data.error) ? data.error : data;
}

/** The library's own reading of it (`data`) keeps only the fields that it knows. */
function bodyOf(error: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(error)) return undefined;
  return parsed(error.responseBody) ?? (isRecord(error.data) ? error.data : undefined);
}

function parsed(text: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
