import { Module } from '@nestjs/common';
import { AnswerBells } from './answer-bells.service';
import { Claims } from './claims.service';
import { ExpiredKeys } from './expired-keys.service';
import { IdempotencyInterceptor } from './idempotency.interceptor';
import { IdempotencyKeysRepository } from './idempotency-keys.repository';
import { IdempotencyOptions } from './idempotency.options';
import { RunningClaims } from './running-claims.service';

/** `Idempotency-Key` on every POST: docs/decisions/2026-11-21-idempotency.md. */
@Module({
  providers: [
    AnswerBells,
    Claims,
    ExpiredKeys,
    IdempotencyInterceptor,
    IdempotencyKeysRepository,
    IdempotencyOptions,
    RunningClaims,
  ],
  exports: [IdempotencyInterceptor],
})
export class IdempotencyModule {}
