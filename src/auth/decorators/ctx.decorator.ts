import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../../common/index';

/** The caller's RequestContext, on every route but the public ones. */
export const Ctx = createParamDecorator((_: unknown, context: ExecutionContext): RequestContext =>
  context.switchToHttp().getRequest<FastifyRequest>().lattice.context(),
);
