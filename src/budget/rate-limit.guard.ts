import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ROUTE_CLASS, type RouteClass } from '../auth/index';
import { LedgerService, rateLimitHeaders } from '../ledger/index';
import { LimitPresence } from './limit-presence';
import { LoginBound, PublicShare } from './public-share';

/** Health and metrics are asked by machines all day, and a session must never end for want of requests. */
const EXEMPT = new Set(['/healthz', '/readyz', '/metrics', '/api/v1/auth/refresh']);
const LOGIN = '/api/v1/auth/login';
/** Where an administrator loosens a limit that keeps everybody out. */
const REMEDY = /^\/api\/v1\/limits(?:\/|$)/;

/**
 * Counts every request that is not metered in the request windows of the installation, the user and the key; metered
 * ones are counted by the ledger's admission, or here when they turn out to be a replay. Stands behind AuthGuard: what
 * is refused for want of a credential counts nowhere. Public routes count for the installation only, and only for a
 * share of its limit; logins for their address only.
 * @throws RequestLimitError, RateLimitedError, ServiceUnavailableError (database away)
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly publicShare = new PublicShare();
  private readonly logins = new LoginBound();

  constructor(
    private readonly reflector: Reflector,
    private readonly ledger: LedgerService,
    private readonly presence: LimitPresence,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (this.isMetered(context)) {
      request.lattice.countReplay = async () => {
        await this.count(this.presence.isAny(), request, reply);
      };
      return true;
    }
    if (isExempt(request)) return true;
    const isAny = this.presence.isAny();
    return isAny === false || this.count(isAny, request, reply);
  }

  private async count(
    isAny: boolean | Promise<boolean>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<true> {
    if (!(await isAny)) return true;
    const { principal } = request.lattice;
    if (!principal) return await this.countPublic(request);
    const { userId, keyId, role } = principal;
    const state = await this.ledger.countRequest({ userId, keyId, role });
    if (state) void reply.headers(rateLimitHeaders(state));
    return true;
  }

  /** Without headers: what the installation's limit is, administrators know. */
  private async countPublic({ ip, routeOptions }: FastifyRequest): Promise<true> {
    const nowMs = Date.now();
    if (routeOptions.url === LOGIN) {
      this.logins.take(ip, nowMs);
      return true;
    }
    const giveBack = this.publicShare.take(ip, nowMs);
    try {
      this.publicShare.note(await this.ledger.countPublicRequest());
      return true;
    } catch (error) {
      giveBack();
      throw error;
    }
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
