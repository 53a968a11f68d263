import { BadRequestException, HttpException, NotFoundException, UnauthorizedException } from '@nestjs/common';
import {
  AppError,
  BackgroundTaskError,
  BillingIntegrityError,
  ConfigurationError,
  ConflictError,
  errorResponse,
  ForbiddenError,
  InternalError,
  MalformedJsonError,
  NotFoundError,
  PayloadTooLargeError,
  ProviderUnavailableError,
  RateLimitedError,
  RequiresImplementationError,
  SecurityConfigurationError,
  ServiceUnavailableError,
  toAppError,
  UnauthenticatedError,
  UnsupportedMediaTypeError,
  ValidationError,
} from '../../../src/errors/index';

describe('errors', () => {
  it.each<[AppError, string, number, string, string]>([
    [new ValidationError('x'), 'VALIDATION_FAILED', 400, 'invalid_request_error', 'error'],
    [new MalformedJsonError('x'), 'MALFORMED_JSON', 400, 'invalid_request_error', 'error'],
    [new PayloadTooLargeError('x'), 'PAYLOAD_TOO_LARGE', 413, 'invalid_request_error', 'error'],
    [new UnsupportedMediaTypeError('x'), 'UNSUPPORTED_MEDIA_TYPE', 415, 'invalid_request_error', 'error'],
    [new UnauthenticatedError('x'), 'UNAUTHENTICATED', 401, 'authentication_error', 'warn'],
    [new ForbiddenError('x'), 'FORBIDDEN', 403, 'permission_error', 'warn'],
    [new NotFoundError('x'), 'NOT_FOUND', 404, 'not_found_error', 'warn'],
    [new ConflictError('x'), 'CONFLICT', 409, 'invalid_request_error', 'warn'],
    [new RateLimitedError('x'), 'RATE_LIMITED', 429, 'rate_limit_error', 'warn'],
    [new ServiceUnavailableError('x'), 'SERVICE_UNAVAILABLE', 503, 'api_error', 'error'],
    [new ProviderUnavailableError('key_missing', 'x'), 'PROVIDER_UNAVAILABLE', 503, 'api_error', 'error'],
    [
      new RequiresImplementationError('key_missing', 'x'),
      'REQUIRES_IMPLEMENTATION',
      501,
      'api_error',
      'error',
    ],
    [new BillingIntegrityError('x'), 'BILLING_INTEGRITY', 500, 'api_error', 'fatal'],
    [new SecurityConfigurationError('x'), 'SECURITY_CONFIGURATION', 500, 'api_error', 'fatal'],
    [new ConfigurationError('x'), 'CONFIGURATION', 500, 'api_error', 'fatal'],
    [new BackgroundTaskError('x'), 'BACKGROUND_TASK', 500, 'api_error', 'error'],
    [new InternalError('x'), 'INTERNAL', 500, 'api_error', 'error'],
  ])('%s has its code, status, type and level', (error, code, status, type, level) => {
    const answer = errorResponse(error, '/api/v1/x', 'req_1');
    expect(error.logLevel).toBe(level);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatchObject({ code, type, message: 'x', requestId: 'req_1' });
  });

  it('names the reason of an unavailable provider', () => {
    const error = new ProviderUnavailableError('package_missing', 'x');
    expect(errorResponse(error, '/v1/x', 'r').body.error).toMatchObject({
      details: { reason: 'package_missing' },
    });
  });

  it('tells a 401 how to authenticate and rounds Retry-After up', () => {
    expect(errorResponse(new UnauthenticatedError('x'), '/v1/x', 'r').headers).toEqual({
      'www-authenticate': 'Bearer',
    });
    expect(errorResponse(new RateLimitedError('x', { retryAfterMs: 1200 }), '/v1/x', 'r').headers).toEqual({
      'retry-after': '2',
    });
  });

  it('answers an exhausted budget with 402 on /api and an unretried 429 on /v1', () => {
    class Exhausted extends AppError {
      override readonly code = 'BUDGET_EXCEEDED';
      override readonly status = 402;
      override readonly type = 'insufficient_quota';
    }
    expect(errorResponse(new Exhausted('x'), '/api/v1/x', 'r').status).toBe(402);
    expect(errorResponse(new Exhausted('x'), '/v1/chat/completions', 'r')).toMatchObject({
      status: 429,
      headers: { 'x-should-retry': 'false' },
    });
  });
});

describe('toAppError', () => {
  it.each<[unknown, string, number]>([
    [new BadRequestException('bad'), 'VALIDATION_FAILED', 400],
    [new BadRequestException('Unexpected token } in JSON'), 'MALFORMED_JSON', 400],
    [new UnauthorizedException(), 'UNAUTHENTICATED', 401],
    [new NotFoundException('Cannot GET /nowhere'), 'NOT_FOUND', 404],
    [new HttpException('teapot', 418), 'INTERNAL', 500],
    [Object.assign(new Error(), { code: 'FST_ERR_CTP_BODY_TOO_LARGE' }), 'PAYLOAD_TOO_LARGE', 413],
    [Object.assign(new Error(), { code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE' }), 'UNSUPPORTED_MEDIA_TYPE', 415],
    [Object.assign(new Error(), { code: 'FST_ERR_CTP_INVALID_JSON_BODY' }), 'MALFORMED_JSON', 400],
    [Object.assign(new SyntaxError('Unexpected end'), { statusCode: 400 }), 'MALFORMED_JSON', 400],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'SERVICE_UNAVAILABLE', 503],
    [
      new Error('query', { cause: Object.assign(new Error('bye'), { code: '57P01' }) }),
      'SERVICE_UNAVAILABLE',
      503,
    ],
    [new TypeError('undefined is not a function'), 'INTERNAL', 500],
    ['a string', 'INTERNAL', 500],
    [undefined, 'INTERNAL', 500],
  ])('classifies %p as %s', (thrown, code, status) => {
    expect(toAppError(thrown)).toMatchObject({ code, status });
  });

  it('shows nothing of what nobody foresaw, and keeps it as the cause', () => {
    const thrown = new TypeError('secret internals');
    const error = toAppError(thrown);
    expect(JSON.stringify(errorResponse(error, '/v1/x', 'r'))).not.toContain('secret internals');
    expect(error.cause).toBe(thrown);
  });
});
