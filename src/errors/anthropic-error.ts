/** Failures in the shape of Anthropic's API, so that its clients raise their own classes. */
import type { AppError } from './app-error';

/** Anthropic's own status for "too busy", which its clients have a class for. */
const OVERLOADED = 529;

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** Does the path speak Anthropic's dialect? A query may follow it. */
export function isAnthropicPath(path: string): boolean {
  return /^\/v1\/messages(?:[/?]|$)/.test(path);
}

export function anthropicStatus(error: AppError): number {
  return error.type === 'overloaded_error' ? OVERLOADED : error.status;
}

function anthropicType(status: number): string {
  return TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

export interface AnthropicErrorBody {
  readonly type: 'error';
  readonly error: Readonly<Record<string, unknown>>;
  readonly request_id: string;
}

/** The body of an error answer and the data of an `error` event; `code` and what follows it are Lattice's additions. */
export function anthropicErrorBody(error: AppError, requestId: string): AnthropicErrorBody {
  return {
    type: 'error',
    error: {
      type: anthropicType(anthropicStatus(error)),
      message: error.message,
      code: error.code,
      ...(error.param === undefined ? {} : { param: error.param }),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      ...(error.details === undefined ? {} : { details: error.details }),
    },
    request_id: requestId,
  };
}
