import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ROUTE_CLASS, type RouteClass } from '../auth/index';
import { LedgerService, rateLimitHeaders } from '../ledger/index';
import { LimitPresence } from './limit-presence';
import { PublicShare } from './public-share';

/** Health and metrics are asked by machines all day, and a session must never end for want of requests. */
const EXEMPT = new Set(['/healthz', '/readyz', '/metrics', '/api/v1/auth/refresh']);
/** Where an administrator loosens a limit that keeps everybody out. */
const REMEDY = /^\/api\/v1\/limits(?:\/|$)/;

/**
 * Counts every request that is not metered in the request windows of the installation, the user and the key; metered
 * ones are counted by the ledger's admission. Stands behind AuthGuard: what is refused for want of a credential counts
 * nowhere. Public routes count for the installation only, and only for a share of its limit.
 * @throws RequestLimitError, RateLimitedError, ServiceUnavailableError (database away)
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly publicShare = new PublicShare();

  constructor(
    private readonly reflector: Reflector,
    private readonly ledger: LedgerService,
    private readonly presence: LimitPresence,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http' || this.isMetered(context)) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (isExempt(request)) return true;
    const isAny = this.presence.isAny();
    return isAny === false || this.count(isAny, request, http.getResponse<FastifyReply>());
  }

  private async count(
    isAny: true | Promise<boolean>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<true> {
    if (!(await isAny)) return true;
    const { principal } = request.lattice;
    if (!principal) return await this.countPublic();
    const state = await this.ledger.countRequest({ userId: principal.userId, keyId: principal.keyId });
    if (state) void reply.headers(rateLimitHeaders(state));
    return true;
  }

  /** Without headers: what the installation's limit is, administrators know. */
  private async countPublic(): Promise<true> {
    this.publicShare.check(Date.now());
    const state = await this.ledger.countRequest({});
    if (state) this.publicShare.note(state);
    return true;
  }

  private isMetered(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    return this.reflector.getAllAndOverride<RouteClass | undefined>(ROUTE_CLASS, targets) === 'metered';
  }
}

function isExempt(request: FastifyRequest): boolean {
  const route = request.routeOptions.url ?? '';
  return EXEMPT.has(route) || (request.lattice.principal?.role === 'admin' && REMEDY.test(route));
}
