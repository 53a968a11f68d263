import { HttpException } from '@nestjs/common';
import { AppError } from './app-error';
import { toServiceUnavailable } from './connection-errors';
import {
  ConflictError,
  ForbiddenError,
  InternalError,
  MalformedJsonError,
  NotFoundError,
  PayloadTooLargeError,
  RateLimitedError,
  ServiceUnavailableError,
  UnauthenticatedError,
  UnsupportedMediaTypeError,
  ValidationError,
} from './errors';

/** Fastify's own error codes that a caller can cause. */
const FASTIFY_ERRORS: Record<string, () => AppError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new PayloadTooLargeError('The request body is larger than BODY_LIMIT_BYTES allows: send less'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new UnsupportedMediaTypeError('Send the body as application/json (header Content-Type)'),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new MalformedJsonError('The request body is not valid JSON'),
  FST_ERR_CTP_EMPTY_JSON_BODY: () =>
    new MalformedJsonError('The request body is empty although its Content-Type is application/json'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new ValidationError('The body does not have the length its Content-Length header names'),
};

function fromStatus(exception: HttpException): AppError {
  const message = exception.message;
  switch (exception.getStatus()) {
    case 400:
      return exception.cause instanceof SyntaxError || /JSON/.test(message)
        ? new MalformedJsonError('The request body is not valid JSON')
        : new ValidationError(message);
    case 401:
      return new UnauthenticatedError(message);
    case 403:
      return new ForbiddenError(message);
    case 404:
      return new NotFoundError(
        // Without the query, which may hold what no answer and no log may show.
        message.startsWith('Cannot ') ? `There is no route ${message.slice(7).split('?', 1)[0]}` : message,
      );
    case 409:
      return new ConflictError(message);
    case 413:
      return new PayloadTooLargeError(message);
    case 415:
      return new UnsupportedMediaTypeError(message);
    case 429:
      return new RateLimitedError(message);
    case 503:
      return new ServiceUnavailableError(message);
    default:
      return new InternalError('Something went wrong here; the log holds the cause under this request id', {
        cause: exception,
      });
  }
}

/**
 * Turns anything that was thrown into an AppError. A lost database is 503; what nobody foresaw becomes INTERNAL, its
 * cause for the log only.
 */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = (thrown as { code?: unknown } | undefined)?.code;
  const known = typeof code === 'string' ? FASTIFY_ERRORS[code] : undefined;
  if (known) return known();
  if (thrown instanceof HttpException) return fromStatus(thrown);
  if (thrown instanceof SyntaxError && (thrown as { statusCode?: number }).statusCode === 400) {
    return new MalformedJsonError('The request body is not valid JSON');
  }
  const unavailable = toServiceUnavailable(thrown);
  if (unavailable) return unavailable;
  return new InternalError('Something went wrong here; the log holds the cause under this request id', {
    cause: thrown,
  });
}
