import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, concatMap, type Observable, of } from 'rxjs';
import { AppConfig } from '../config/index';
import { errorResponse, toAppError } from '../errors/index';
import { ClientGoneError, OpenRequests } from '../observability/index';
import { Claims } from './claims.service';
import { IdempotencyOptions } from './idempotency.options';
import { type KeyedRequest, keyedRequest } from './keyed-request';
import { Recording } from './recording';
import { type Claim, RunningClaims } from './running-claims.service';
import { ANTHROPIC_ID_HEADER, REPLAY_HEADER, type StoredAnswer } from './stored-answer';

/**
 * Answers a repeated POST with the same `Idempotency-Key` from what the first one was answered. Requests without a key
 * pass untouched.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly config: AppConfig,
    private readonly claims: Claims,
    private readonly running: RunningClaims,
    private readonly options: IdempotencyOptions,
    private readonly open: OpenRequests,
  ) {}

  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> | Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const keyed = keyedRequest(request, this.config.keys);
    return keyed ? this.once(keyed, http.getResponse<FastifyReply>(), next) : next.handle();
  }

  private async once(
    keyed: KeyedRequest,
    reply: FastifyReply,
    next: CallHandler,
  ): Promise<Observable<unknown>> {
    const { lattice: state } = reply.request;
    const turn = await this.claims.take(keyed, state.controller.signal, state.countReplay);
    if ('answer' in turn) {
      await replay(reply, turn.answer);
      return of(undefined);
    }
    const recording = this.record(turn.claim, reply);
    return next.handle().pipe(
      catchError((failure: unknown) => {
        keepUnsent(recording, failure, reply);
        throw failure;
      }),
      concatMap(async (value) => {
        // Written to the socket by somebody who knows of no recorder.
        if (reply.sent && !recording.hasBegun) await recording.fail();
        return value;
      }),
    );
  }

  /** From now on the work goes on without its client, and the process waits for its end. */
  private record(claim: Claim, reply: FastifyReply): Recording {
    const { lattice: state } = reply.request;
    const settle = async (answer: StoredAnswer | undefined): Promise<void> => {
      await this.running.end(claim, answer);
      state.recorder = undefined;
      if (reply.raw.destroyed) this.open.remove(state);
      this.open.leaveWork();
    };
    const onTooLong = (): void => {
      state.recorder = undefined;
      if (reply.raw.destroyed) state.controller.abort(new ClientGoneError());
    };
    const { maxAnswerBytes: maxBytes } = this.options;
    const recording = new Recording({ maxBytes, isPublic: claim.request.isPublic, settle, onTooLong });
    this.open.enterWork();
    state.recorder = recording;
    return recording;
  }
}

async function replay(reply: FastifyReply, { status, headers, body }: StoredAnswer): Promise<void> {
  void reply.status(status).headers(headers).header(REPLAY_HEADER, 'true');
  if (headers[ANTHROPIC_ID_HEADER] !== undefined) {
    void reply.header(ANTHROPIC_ID_HEADER, reply.request.lattice.apiRequestId);
  }
  void reply.send(body);
  await reply;
}

/** A refusal that finds no client any more is never sent, and is kept all the same. */
function keepUnsent(recording: Recording, failure: unknown, reply: FastifyReply): void {
  setImmediate(() => {
    if (recording.isSettling) return;
    if (recording.hasBegun) return void recording.fail();
    const { url, lattice } = reply.request;
    const { status, body } = errorResponse(toAppError(failure), url, lattice.apiRequestId);
    const headers = { ...reply.getHeaders(), 'content-type': 'application/json; charset=utf-8' };
    void recording.answer(status, headers, JSON.stringify(body));
  });
}
