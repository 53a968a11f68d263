import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { finalize, type Observable } from 'rxjs';
import { DeadlineExceededError } from './execution.errors';
import { DEADLINE_MS } from './retry.decorators';

/** As long as the OpenAI clients wait by default. */
const DEFAULT_DEADLINE_MS = 600_000;

/** Gives every request its deadline: the abort signal fires with a DeadlineExceededError when it passes. */
@Injectable()
export class DeadlineInterceptor implements NestInterceptor {
  private readonly deadlines = new WeakMap<object, number>();

  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const { lattice: state, body } = context.switchToHttp().getRequest<FastifyRequest>();
    // Streams have first-byte and idle limits instead.
    if ((body as { stream?: unknown } | undefined)?.stream === true) return next.handle();
    const deadlineMs = this.deadlineOf(context);
    state.deadlineAt = Date.now() + deadlineMs;
    const timer = setTimeout(() => {
      state.controller.abort(new DeadlineExceededError(`The request took longer than ${deadlineMs} ms`));
    }, deadlineMs);
    return next.handle().pipe(finalize(() => clearTimeout(timer)));
  }

  private deadlineOf(context: ExecutionContext): number {
    const handler = context.getHandler();
    let deadlineMs = this.deadlines.get(handler);
    if (deadlineMs === undefined) {
      deadlineMs =
        this.reflector.getAllAndOverride<number | undefined>(DEADLINE_MS, [handler, context.getClass()]) ??
        DEFAULT_DEADLINE_MS;
      this.deadlines.set(handler, deadlineMs);
    }
    return deadlineMs;
  }
}
