import type { AppError } from '../../../src/errors/index';
import {
  IdempotencyInProgressError,
  IdempotencyKeyReusedError,
  WaitCancelledError,
  waitEndedError,
} from '../../../src/idempotency/idempotency.errors';
import { ClientGoneError, ShutdownError } from '../../../src/observability/index';

describe('the errors of Idempotency-Key', () => {
  it.each<[AppError, string, number, string, string]>([
    [new IdempotencyKeyReusedError(), 'IDEMPOTENCY_KEY_REUSED', 409, 'invalid_request_error', 'warn'],
    [new IdempotencyInProgressError(5000), 'IDEMPOTENCY_IN_PROGRESS', 409, 'invalid_request_error', 'warn'],
    [new WaitCancelledError('gone'), 'CANCELLED', 499, 'api_error', 'info'],
  ])('%s has its code, status, type and level', (error, code, status, type, level) => {
    expect([error.code, error.status, error.type, error.logLevel]).toEqual([code, status, type, level]);
  });

  it('tells who waits that the service is leaving, and nobody that the client is gone', () => {
    expect(waitEndedError(AbortSignal.abort(new ShutdownError()))).toMatchObject({ status: 503 });
    expect(waitEndedError(AbortSignal.abort(new ClientGoneError()))).toMatchObject({ status: 499 });
  });
});
