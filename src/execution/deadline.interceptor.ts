import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { finalize, type Observable } from 'rxjs';
import { PerHandler } from '../auth/index';
import { DeadlineExceededError } from './execution.errors';
import { DEADLINE_MS } from './retry.decorators';

/** As long as the OpenAI clients wait by default. */
const DEFAULT_DEADLINE_MS = 600_000;

/** Gives every request its deadline: the abort signal fires with a DeadlineExceededError when it passes. */
@Injectable()
export class DeadlineInterceptor implements NestInterceptor {
  private readonly deadlines: PerHandler<number>;

  constructor(reflector: Reflector) {
    this.deadlines = new PerHandler(
      (targets) =>
        reflector.getAllAndOverride<number | undefined>(DEADLINE_MS, targets) ?? DEFAULT_DEADLINE_MS,
    );
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const { lattice: state, body } = context.switchToHttp().getRequest<FastifyRequest>();
    // Streams have first-byte and idle limits instead.
    if ((body as { stream?: unknown } | undefined)?.stream === true) return next.handle();
    const deadlineMs = this.deadlines.of(context);
    state.deadlineAt = Date.now() + deadlineMs;
    const timer = setTimeout(() => {
      state.controller.abort(new DeadlineExceededError(`The request took longer than ${deadlineMs} ms`));
    }, deadlineMs);
    return next.handle().pipe(finalize(() => clearTimeout(timer)));
  }
}
