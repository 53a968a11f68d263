import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { defer, lastValueFrom, type Observable } from 'rxjs';
import { PerHandler } from '../auth/index';
import type { RetryPolicy } from '../common/index';
import { AppError } from '../errors/index';
import { RETRY_WITH, RETRYABLE } from './retry.decorators';
import { GIVE_UP, retryDelayMs, type Verdict, withRetry } from './retry.policy';

interface HandlerPolicies {
  readonly retryWith?: RetryPolicy;
  readonly retryable?: RetryPolicy;
}

/** Carries a route's retry policy: to the attempt loop on metered routes, around the handler on `@Retryable` ones. */
@Injectable()
export class RetryInterceptor implements NestInterceptor {
  private readonly policies: PerHandler<HandlerPolicies>;

  constructor(reflector: Reflector) {
    this.policies = new PerHandler(([handler]) => ({
      retryWith: reflector.get<RetryPolicy | undefined>(RETRY_WITH, handler),
      retryable: reflector.get<RetryPolicy | undefined>(RETRYABLE, handler),
    }));
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { retryWith, retryable } = this.policies.of(context);
    const state =
      context.getType() === 'http' ? context.switchToHttp().getRequest<FastifyRequest>().lattice : undefined;
    if (state && retryWith) state.retry = retryWith;
    if (!retryable) return next.handle();
    const signal = state?.controller.signal ?? new AbortController().signal;
    return defer(() => retried(next, retryable, signal));
  }
}

async function retried(next: CallHandler, policy: RetryPolicy, signal: AbortSignal): Promise<unknown> {
  let tries = 0;
  const decide = (failure: unknown): Verdict => {
    if (!(failure instanceof AppError) || failure.failure !== 'retry' || tries >= policy.maxTries)
      return GIVE_UP;
    const delayMs = retryDelayMs(policy, tries, { retryAfterMs: failure.retryAfterMs, timeLeftMs: Infinity });
    return delayMs === undefined ? GIVE_UP : { again: true, delayMs };
  };
  return await withRetry(
    () => {
      tries += 1;
      return lastValueFrom(next.handle(), { defaultValue: undefined });
    },
    decide,
    signal,
  );
}
