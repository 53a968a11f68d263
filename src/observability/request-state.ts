import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  newId,
  newTraceId,
  type Principal,
  type RequestContext,
  type RetryPolicy,
  toApiId,
  type WorkScope,
} from '../common/index';
import type { AnswerRecorder } from './answer-recorder';

/** The caller hung up; the reason of the request's abort signal. */
export class ClientGoneError extends Error {
  constructor() {
    super('The client closed the connection');
    this.name = 'ClientGoneError';
  }
}

/** What guards, interceptors and controllers know of one request. Filled front to back; `context()` freezes it. */
export class RequestState {
  readonly requestId = newId();
  /** The same as callers see it. */
  readonly apiRequestId = toApiId('req', this.requestId);
  readonly traceId: string;
  readonly controller = new AbortController();
  readonly startedAt = performance.now();
  principal?: Principal;
  work?: WorkScope;
  deadlineAt?: number;
  retry?: RetryPolicy;
  /** While it is set, somebody wants the answer even when this client does not: the work goes on without it. */
  recorder?: AnswerRecorder;
  /**
   * Counts a metered request that no admission will see, because its answer is only given again. Set by the guard that
   * keeps the limits; it throws when one is reached.
   */
  countReplay?: () => Promise<void>;

  constructor(traceparent?: string) {
    this.traceId = traceIdOf(traceparent) ?? newTraceId();
  }

  /** @throws Error when no guard has set the principal: the route is public and must not act for a caller. */
  context(): RequestContext {
    const { principal } = this;
    if (!principal) throw new Error('No principal: a public route asked for a caller');
    return Object.freeze({
      requestId: this.requestId,
      traceId: this.traceId,
      principal,
      signal: this.controller.signal,
      work: this.work,
      deadlineAt: this.deadlineAt,
      retry: this.retry,
    });
  }
}

function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent && /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent)?.[1];
}

const CLIENT_REQUEST_ID = /^[\w.:@-]{1,128}$/;

declare module 'fastify' {
  interface FastifyRequest {
    lattice: RequestState;
  }
}

/** Where requests under way are kept. */
export interface RequestRegister {
  add(state: RequestState): void;
  remove(state: RequestState): void;
}

/** Gives every request its state, its response ids, and an abort signal that follows the client's connection. */
export function attachRequestState(fastify: FastifyInstance, open: RequestRegister): void {
  fastify.decorateRequest('lattice', null as unknown as RequestState);
  fastify.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    const state = new RequestState(request.headers.traceparent as string | undefined);
    request.lattice = state;
    const asked = request.headers['x-request-id'];
    void reply.header(
      'x-request-id',
      typeof asked === 'string' && CLIENT_REQUEST_ID.test(asked) ? asked : state.apiRequestId,
    );
    void reply.header('x-lattice-request-id', state.apiRequestId);
    open.add(state);
    reply.raw.once('close', () => {
      // Work that outlives its client stays open, so that a shutdown can still end it.
      if (state.recorder && !reply.raw.writableFinished) return;
      open.remove(state);
      if (!reply.raw.writableFinished) state.controller.abort(new ClientGoneError());
    });
    done();
  });
  fastify.addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload: unknown, done) => {
    const recorder = request.lattice?.recorder;
    if (!recorder) return done(null, payload);
    void recorder.answer(reply.statusCode, reply.getHeaders(), payload).then(() => done(null, payload));
  });
}
