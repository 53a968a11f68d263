import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { COUNTING, type Counting, PerHandler, ROUTE_CLASS, type RouteClass } from '../auth/index';
import { LedgerService, rateLimitHeaders } from '../ledger/index';
import { LimitPresence } from './limit-presence';
import { LoginBound, PublicShare } from './public-share';

/** Only requests with it are ever given an answer again. */
const REPLAY_HEADER = 'idempotency-key';

/**
 * Counts every request that is not metered in the request windows of the installation, the user and the key; metered
 * ones are counted by the ledger's admission, or here when they turn out to be a replay. Stands behind AuthGuard: what
 * is refused for want of a credential counts nowhere. Public routes count for the installation only, and only for a
 * share of its limit. `@Counted` names the routes for which something else holds.
 * @throws RequestLimitError, RateLimitedError, ServiceUnavailableError (database away)
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly countings: PerHandler<Counting | 'metered' | undefined>;
  private readonly publicShare = new PublicShare();
  private readonly logins = new LoginBound();

  constructor(
    reflector: Reflector,
    private readonly ledger: LedgerService,
    private readonly presence: LimitPresence,
  ) {
    this.countings = new PerHandler((targets) =>
      reflector.getAllAndOverride<RouteClass | undefined>(ROUTE_CLASS, targets) === 'metered'
        ? 'metered'
        : reflector.getAllAndOverride<Counting | undefined>(COUNTING, targets),
    );
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const counting = this.countings.of(context);
    if (counting === 'metered') {
      if (request.headers[REPLAY_HEADER] !== undefined) this.offerCounting(request, http.getResponse());
      return true;
    }
    if (isExempt(counting, request)) return true;
    const isAny = this.presence.isAny();
    return isAny === false || this.count(isAny, request, http.getResponse(), counting);
  }

  private offerCounting(request: FastifyRequest, reply: FastifyReply): void {
    request.lattice.countReplay = async () => {
      await this.count(this.presence.isAny(), request, reply);
    };
  }

  private async count(
    isAny: boolean | Promise<boolean>,
    request: FastifyRequest,
    reply: FastifyReply,
    counting?: Counting,
  ): Promise<true> {
    if (!(await isAny)) return true;
    const { principal } = request.lattice;
    if (!principal) return await this.countPublic(request.ip, counting);
    const { userId, keyId, role } = principal;
    const state = await this.ledger.countRequest({ userId, keyId, role });
    if (state) void reply.headers(rateLimitHeaders(state));
    return true;
  }

  /** Without headers: what the installation's limit is, administrators know. */
  private async countPublic(ip: string, counting: Counting | undefined): Promise<true> {
    const nowMs = Date.now();
    if (counting === 'by-address') {
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
}

function isExempt(counting: Counting | undefined, { lattice }: FastifyRequest): boolean {
  return counting === 'never' || (counting === 'unless-admin' && lattice.principal?.role === 'admin');
}
