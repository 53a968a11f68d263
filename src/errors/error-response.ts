import {
  type AnthropicErrorBody,
  anthropicErrorBody,
  anthropicStatus,
  isAnthropicPath,
} from './anthropic-error';
import type { AppError } from './app-error';

/** What every dialect's error answer holds; Anthropic's has more beside it. */
export interface ErrorBody extends Partial<Omit<AnthropicErrorBody, 'error'>> {
  readonly error: Readonly<Record<string, unknown>>;
}

export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/**
 * `/v1/messages` speaks Anthropic's dialect, the rest of `/v1` OpenAI's, everything else Lattice's own; the last two
 * differ in a few statuses only.
 */
function isOpenAiPath(path: string): boolean {
  return path.startsWith('/v1/') && !isAnthropicPath(path);
}

/** The body of an error event inside a stream, and of an error answer. */
export function errorBody(error: AppError, requestId: string): ErrorBody {
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.param ?? null,
      code: error.code,
      requestId,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  };
}

/**
 * The answer to a failed request. On `/v1` an exhausted budget is 429 `insufficient_quota` that asks not to be retried,
 * because OpenAI's clients retry other 429s and know no 402. Anthropic's clients know it.
 */
export function errorResponse(error: AppError, path: string, requestId: string): ErrorResponse {
  const isAnthropic = isAnthropicPath(path);
  const headers: Record<string, string> = { ...error.headers };
  let status = isAnthropic ? anthropicStatus(error) : error.status;
  if (error.type === 'insufficient_quota') {
    if (isOpenAiPath(path)) status = 429;
    if (isOpenAiPath(path) || isAnthropic) headers['x-should-retry'] = 'false';
  }
  if (status === 409) headers['x-should-retry'] = 'false';
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (isAnthropic) headers['request-id'] = requestId;
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
  const body = isAnthropic ? anthropicErrorBody(error, requestId) : errorBody(error, requestId);
  return { status, headers, body };
}
