import {
  AppError,
  ConflictError,
  type ErrorType,
  type LogLevel,
  ServiceUnavailableError,
} from '../errors/index';
import { ShutdownError } from '../observability/index';

/** The key stands for another request already. */
export class IdempotencyKeyReusedError extends ConflictError {
  override readonly code = 'IDEMPOTENCY_KEY_REUSED';

  constructor() {
    super(
      'This Idempotency-Key was sent with another request before: send the same path, body and x-lattice-* headers, or a new key',
      { param: 'Idempotency-Key' },
    );
  }
}

/** The first request with this key has not ended in all the time that this one may wait. */
export class IdempotencyInProgressError extends ConflictError {
  override readonly code = 'IDEMPOTENCY_IN_PROGRESS';

  constructor(retryAfterMs: number) {
    super(
      'The first request with this Idempotency-Key is still running: send this one again later to get its answer',
      { param: 'Idempotency-Key', retryAfterMs },
    );
  }
}

/** The key was claimed under a secret key that this process does not have, and another one probably has. */
export class AnsweredElsewhereError extends ServiceUnavailableError {
  constructor(retryAfterMs: number) {
    super(
      'The first request with this Idempotency-Key belongs to a process with another LATTICE_SECRET_KEY: send this one again later',
      { param: 'Idempotency-Key', retryAfterMs },
    );
  }
}

/** The client hung up while it waited for another request's answer. Nobody reads this. */
export class WaitCancelledError extends AppError {
  override readonly code = 'CANCELLED';
  override readonly status = 499;
  override readonly type: ErrorType = 'api_error';
  override readonly logLevel: LogLevel = 'info';
}

/** What it means to one who waits that the signal has fired. */
export function waitEndedError({ reason }: AbortSignal): AppError {
  if (reason instanceof ShutdownError) return new ServiceUnavailableError(reason.message);
  return new WaitCancelledError('The client closed the connection', { cause: reason });
}
