import type { AppError } from './app-error';

export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: Readonly<Record<string, unknown>> };
}

/** `/v1` speaks OpenAI's dialect, everything else Lattice's own; they differ in a few statuses only. */
function isOpenAiPath(path: string): boolean {
  return path.startsWith('/v1/');
}

/** The body of an error event inside a stream, and of an error answer. */
export function errorBody(error: AppError, requestId: string): ErrorResponse['body'] {
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
 * because OpenAI's clients retry other 429s and know no 402.
 */
export function errorResponse(error: AppError, path: string, requestId: string): ErrorResponse {
  const headers: Record<string, string> = { ...error.headers };
  let status = error.status;
  if (isOpenAiPath(path) && error.type === 'insufficient_quota') {
    status = 429;
    headers['x-should-retry'] = 'false';
  }
  if (status === 409) headers['x-should-retry'] = 'false';
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
  return { status, headers, body: errorBody(error, requestId) };
}
