import {
  AppError,
  ConflictError,
  errorResponse,
  type ErrorType,
  ForbiddenError,
  InternalError,
  NotFoundError,
  PayloadTooLargeError,
  RateLimitedError,
  ServiceUnavailableError,
  UnauthenticatedError,
  ValidationError,
} from '../../../src/errors/index';

const PATH = '/v1/messages?beta=true';

class Failure extends AppError {
  override readonly code = 'FAILURE';

  constructor(
    override readonly status: number,
    override readonly type: ErrorType,
  ) {
    super('x');
  }
}

describe('errorResponse on /v1/messages', () => {
  it.each<[AppError, number, string]>([
    [new ValidationError('x'), 400, 'invalid_request_error'],
    [new UnauthenticatedError('x'), 401, 'authentication_error'],
    [new Failure(402, 'insufficient_quota'), 402, 'billing_error'],
    [new ForbiddenError('x'), 403, 'permission_error'],
    [new NotFoundError('x'), 404, 'not_found_error'],
    [new Failure(404, 'invalid_request_error'), 404, 'not_found_error'],
    [new ConflictError('x'), 409, 'invalid_request_error'],
    [new PayloadTooLargeError('x'), 413, 'request_too_large'],
    [new RateLimitedError('x'), 429, 'rate_limit_error'],
    [new InternalError('x'), 500, 'api_error'],
    [new ServiceUnavailableError('x'), 503, 'api_error'],
    [new Failure(504, 'api_error'), 504, 'timeout_error'],
    [new Failure(503, 'overloaded_error'), 529, 'overloaded_error'],
  ])('%s has Anthropic’s status and type', (error, status, type) => {
    const answer = errorResponse(error, PATH, 'req_1');
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'request-id': 'req_1' });
    expect(answer.body).toMatchObject({
      type: 'error',
      error: { type, message: 'x', code: error.code },
      request_id: 'req_1',
    });
  });

  it('asks not to be asked again when the budget is used up', () => {
    const { headers } = errorResponse(new Failure(402, 'insufficient_quota'), PATH, 'r');
    expect(headers).toMatchObject({ 'x-should-retry': 'false' });
    expect(errorResponse(new RateLimitedError('x'), PATH, 'r').headers).not.toHaveProperty('x-should-retry');
  });

  it.each(['/v1/messages', '/v1/messages/batches'])('also stands on %s', (path) => {
    expect(errorResponse(new NotFoundError('x'), path, 'r').body).toMatchObject({ type: 'error' });
  });

  it.each(['/v1/messagesx', '/api/v1/messages', '/v1/chat/completions'])('not on %s', (path) => {
    expect(errorResponse(new NotFoundError('x'), path, 'r').body).not.toHaveProperty('type');
  });
});
