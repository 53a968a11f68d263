import {
  AppError,
  DO_NOT_RETRY,
  type ErrorType,
  type FailureClass,
  type LogLevel,
  ServiceUnavailableError,
} from '../errors/index';
import { ClientGoneError, ShutdownError } from '../observability/index';

/** The client hung up. Nobody reads the answer; the attempt is still booked. */
export class CancelledError extends AppError {
  override readonly code = 'CANCELLED';
  override readonly status = 499;
  override readonly type: ErrorType = 'api_error';
  override readonly logLevel: LogLevel = 'info';
}

/** The request's own deadline passed. */
export class DeadlineExceededError extends AppError {
  override readonly code = 'DEADLINE_EXCEEDED';
  override readonly status = 504;
  override readonly type: ErrorType = 'api_error';
  override readonly logLevel: LogLevel = 'error';
}

/** Every candidate was tried. `details.attempts` lists model and code of each. */
export class AllProvidersFailedError extends ServiceUnavailableError {
  override readonly code = 'ALL_PROVIDERS_FAILED';
}

/** A seller ignored the length of vectors that was asked for; it is paid, and another may do better. */
export class WrongDimensionsError extends AppError {
  override readonly code = 'PROVIDER_WRONG_DIMENSIONS';
  override readonly status = 502;
  override readonly type: ErrorType = 'api_error';
  override readonly failure: FailureClass = 'fallover';
  override readonly logLevel: LogLevel = 'error';
  override readonly headers = DO_NOT_RETRY;
}

/** What an aborted signal means to the caller. */
export function abortError(signal: AbortSignal): AppError {
  const { reason } = signal as { reason: unknown };
  if (reason instanceof AppError) return reason;
  if (reason instanceof ShutdownError) return new ServiceUnavailableError(reason.message);
  if (reason instanceof ClientGoneError) return new CancelledError(reason.message);
  return new CancelledError('The request was cancelled', { cause: reason });
}
