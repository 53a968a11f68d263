import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable, Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError, LogLevel } from './app-error';
import { errorResponse } from './error-response';
import { toAppError } from './to-app-error';

/** Raised once for every failed request; listeners (metrics) may be lost. */
export const ERROR_RAISED = 'error.raised';

export interface ErrorRaised {
  readonly code: string;
  readonly status: number;
  readonly level: LogLevel;
}

/** The part of the request that this filter reads; set by the first hook of every request. */
type IdentifiedRequest = FastifyRequest & { lattice?: { apiRequestId: string; traceId: string } };

/** The last stop of every failure: classifies, logs, counts, answers. Never shows a stack trace or a cause. */
@Catch()
@Injectable()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('ErrorFilter');

  constructor(private readonly events: EventEmitter2) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = toAppError(thrown);
    const http = host.switchToHttp();
    const request = http.getRequest<IdentifiedRequest>();
    const reply = http.getResponse<FastifyReply>();
    this.record(error, request);
    if (reply.sent || reply.raw.headersSent || reply.raw.destroyed) return;
    const requestId = request.lattice?.apiRequestId ?? '';
    const answer = errorResponse(error, request.url, requestId);
    void reply.status(answer.status).headers(answer.headers).send(answer.body);
  }

  private record(error: AppError, request: IdentifiedRequest): void {
    const raised: ErrorRaised = { code: error.code, status: error.status, level: error.logLevel };
    this.events.emit(ERROR_RAISED, raised);
    const fields = {
      event: 'request_failed',
      requestId: request.lattice?.apiRequestId,
      traceId: request.lattice?.traceId,
      method: request.method,
      path: request.url?.split('?', 1)[0],
      status: error.status,
      code: error.code,
      reason: error.message,
      ...(error.cause === undefined ? {} : { err: error.cause }),
    };
    this.logger[NEST_LEVELS[error.logLevel]](fields);
  }
}

const NEST_LEVELS = { debug: 'debug', info: 'log', warn: 'warn', error: 'error', fatal: 'fatal' } as const;
