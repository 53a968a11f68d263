import { Module } from '@nestjs/common';
import { IdempotencyInterceptor } from './idempotency.interceptor';

/** `Idempotency-Key` on every POST. */
@Module({ providers: [IdempotencyInterceptor], exports: [IdempotencyInterceptor] })
export class IdempotencyModule {}
