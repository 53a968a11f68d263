/** Who calls a public route: nobody known, but from somewhere. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Principal, RequestContext } from '../../common/index';

export interface VisitorContext {
  readonly requestId: string;
  readonly traceId: string;
  readonly signal: AbortSignal;
  /** Of the client, as far as the trusted proxies tell. */
  readonly address: string;
}

export const Visitor = createParamDecorator((_: unknown, context: ExecutionContext): VisitorContext => {
  const { lattice, ip } = context.switchToHttp().getRequest<FastifyRequest>();
  const { requestId, traceId, controller } = lattice;
  return { requestId, traceId, signal: controller.signal, address: ip };
});

/** The context of a visitor who turned out to be somebody. */
export function contextOf(visitor: VisitorContext, principal: Principal): RequestContext {
  const { requestId, traceId, signal } = visitor;
  return { requestId, traceId, signal, principal };
}
