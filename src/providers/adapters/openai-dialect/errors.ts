import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject } from '../../../common/index';
import type { FailureClass } from '../../../errors/index';
import { ProviderError, type ProviderErrorOptions, type ProviderFault } from '../../provider.errors';
import { type ErrorContext, safeMessage } from '../safe-message';
import { codeOfError, faultOf, namedFault, retryAfterMs, type UpstreamFailure } from '../upstream-fault';
import { requestIdOf, text } from './response';

/**
 * The error of an answer with an error status.
 * @param failureClass where more is known than the answer tells
 */
export function answerError(
  context: ErrorContext,
  answer: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body?: JsonObject },
  failureClass?: FailureClass,
): ProviderError {
  const failure = failureOf(answer.body);
  return new ProviderError(describe(context, `answered ${answer.status}`, failure), {
    provider: context.provider,
    fault: faultOf(answer.status, failure),
    failure: failureClass,
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

/** Reads `{error: {…}}`, `{error: "…", code}`, `{message}`, `{detail: "…" | [{msg}]}`. */
export function failureOf(body: JsonObject | undefined): UpstreamFailure {
  if (!body) return {};
  const { error } = body;
  if (typeof error === 'string') return { message: error, code: codeOf(body.code) };
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

function describe(context: ErrorContext, what: string, failure: UpstreamFailure): string {
  const message = safeMessage(context, failure.message);
  return message ? `${context.provider} ${what}: ${message}` : `${context.provider} ${what}`;
}

/** The fault of a connection that broke, by whether the request had been written. */
export function transportFault(error: Error, isSent: boolean): ProviderFault {
  if (!isSent) return 'connect';
  return codeOfError(error).startsWith('HPE_') ? 'malformed' : 'cut';
}
