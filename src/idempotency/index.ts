export { ExpiredKeys } from './expired-keys.service';
export { IdempotencyInProgressError, IdempotencyKeyReusedError } from './idempotency.errors';
export { IdempotencyInterceptor } from './idempotency.interceptor';
export { IdempotencyModule } from './idempotency.module';
export { IdempotencyOptions } from './idempotency.options';
export { describeIdempotencyKey } from './openapi';
