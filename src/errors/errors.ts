import { AppError, type AppErrorOptions, DO_NOT_RETRY, type ErrorType, type LogLevel } from './app-error';

/** A request the caller can correct. 400. */
export class ValidationError extends AppError {
  override readonly code: string = 'VALIDATION_FAILED';
  override readonly status: number = 400;
  override readonly type: ErrorType = 'invalid_request_error';
  override readonly logLevel: LogLevel = 'error';
}

export class MalformedJsonError extends ValidationError {
  override readonly code = 'MALFORMED_JSON';
}

/** A URL that a user set and that may not be reached from here: see `checkUrl`. */
export class UrlNotAllowedError extends ValidationError {
  override readonly code = 'URL_NOT_ALLOWED';
}

export class PayloadTooLargeError extends ValidationError {
  override readonly code = 'PAYLOAD_TOO_LARGE';
  override readonly status = 413;
}

export class UnsupportedMediaTypeError extends ValidationError {
  override readonly code = 'UNSUPPORTED_MEDIA_TYPE';
  override readonly status = 415;
}

export class UnauthenticatedError extends AppError {
  override readonly code: string = 'UNAUTHENTICATED';
  override readonly status = 401;
  override readonly type = 'authentication_error';
}

export class ForbiddenError extends AppError {
  override readonly code: string = 'FORBIDDEN';
  override readonly status = 403;
  override readonly type = 'permission_error';
}

/** Missing and foreign look the same. */
export class NotFoundError extends AppError {
  override readonly code: string = 'NOT_FOUND';
  override readonly status = 404;
  override readonly type = 'not_found_error';
}

export class ConflictError extends AppError {
  override readonly code: string = 'CONFLICT';
  override readonly status = 409;
  override readonly type: ErrorType = 'invalid_request_error';
}

export class RateLimitedError extends AppError {
  override readonly code: string = 'RATE_LIMITED';
  override readonly status = 429;
  override readonly type: ErrorType = 'rate_limit_error';
}

/** PostgreSQL or another part we stand on is away. Never reported as an authentication failure. */
export class ServiceUnavailableError extends AppError {
  override readonly code: string = 'SERVICE_UNAVAILABLE';
  override readonly status: number = 503;
  override readonly type: ErrorType = 'api_error';
  override readonly logLevel: LogLevel = 'error';

  constructor(message: string, options: AppErrorOptions = {}) {
    super(message, { retryAfterMs: 1000, ...options });
  }
}

export type ProviderUnavailableReason = 'key_missing' | 'package_missing' | 'unreachable' | 'direct_off';

/** No call can be made to this provider; the reason says what would help. */
export class ProviderUnavailableError extends ServiceUnavailableError {
  override readonly code: string = 'PROVIDER_UNAVAILABLE';
  override readonly failure = 'fallover';

  constructor(
    readonly reason: ProviderUnavailableReason,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(message, { ...options, details: { reason, ...options.details } });
  }
}

/** Nothing here can make the call: neither this process nor a script. `details` name what would enable it. */
export class RequiresImplementationError extends ProviderUnavailableError {
  override readonly code = 'REQUIRES_IMPLEMENTATION';
  override readonly status = 501;

  constructor(reason: ProviderUnavailableReason, message: string, options: AppErrorOptions = {}) {
    // It stays so until somebody changes the installation.
    super(reason, message, { retryAfterMs: undefined, headers: DO_NOT_RETRY, ...options });
  }
}

/** Our books and the provider disagree, or an invariant of the books broke. */
export class BillingIntegrityError extends AppError {
  override readonly code = 'BILLING_INTEGRITY';
  override readonly status = 500;
  override readonly type = 'api_error';
  override readonly logLevel: LogLevel = 'fatal';
}

/** The installation is not safe to start. Names the variable, never its value. */
export class SecurityConfigurationError extends AppError {
  override readonly code: string = 'SECURITY_CONFIGURATION';
  override readonly status = 500;
  override readonly type = 'api_error';
  override readonly logLevel: LogLevel = 'fatal';
}

/** A file or variable of the installation is wrong: names it, the place in it and the reason. */
export class ConfigurationError extends AppError {
  override readonly code: string = 'CONFIGURATION';
  override readonly status = 500;
  override readonly type = 'api_error';
  override readonly logLevel: LogLevel = 'fatal';
}

/** Work that ran behind a request failed or was cut by shutdown. */
export class BackgroundTaskError extends AppError {
  override readonly code = 'BACKGROUND_TASK';
  override readonly status = 500;
  override readonly type = 'api_error';
  override readonly logLevel: LogLevel = 'error';
}

/** Anything that nobody foresaw. The cause is logged, never shown. */
export class InternalError extends AppError {
  override readonly code = 'INTERNAL';
  override readonly status = 500;
  override readonly type = 'api_error';
  override readonly logLevel: LogLevel = 'error';
}
