import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../common/index';
import { UnauthenticatedError } from '../../errors/index';
import { type AccessRule, readAccessRule } from './access-rule';
import { Authenticator } from './authenticator.service';
import { Callers } from './callers.service';
import { checkAccess } from './check-access';
import { credentialOf, eventTokenOf } from './credential-header';
import { PerHandler } from './per-handler';

/**
 * Closes every route that is not `@Public()`: finds out who calls, whether the role may, and whether the key may. Metered
 * routes take a cached principal and stay synchronous then; all others ask the database.
 * @throws UnauthenticatedError, TooManyAttemptsError, ForbiddenError, KeyScopeMissingError, ServiceUnavailableError
 * (database away)
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly rules: PerHandler<AccessRule>;

  constructor(
    reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly callers: Callers,
  ) {
    this.rules = new PerHandler((targets) => readAccessRule(reflector, targets));
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = this.rules.of(context);
    if (rule.routeClass === 'public') return true;
    const transport = context.getType();
    switch (transport) {
      case 'http':
        return this.checkRequest(context.switchToHttp().getRequest<FastifyRequest>(), rule);
      case 'rpc':
      case 'ws':
        throw new UnauthenticatedError(`Credentials cannot be sent over this transport (${transport}).`);
    }
  }

  private checkRequest(request: FastifyRequest, rule: AccessRule): boolean | Promise<boolean> {
    const found = this.callerOf(request, rule);
    return found instanceof Promise
      ? found.then((principal) => this.admit(request, rule, principal))
      : this.admit(request, rule, found);
  }

  private admit(request: FastifyRequest, rule: AccessRule, principal: Principal | undefined): true {
    if (!principal) throw new UnauthenticatedError('The credential is not valid, or not any more.');
    checkAccess(rule, principal);
    request.lattice.principal = principal;
    return true;
  }

  private callerOf(
    request: FastifyRequest,
    rule: AccessRule,
  ): Principal | undefined | Promise<Principal | undefined> {
    const credential = credentialOf(request.headers);
    if (credential !== undefined) {
      return rule.routeClass === 'metered'
        ? this.callers.identifyCached(credential, request)
        : this.callers.identify(credential, request.ip);
    }
    const eventToken = eventTokenOf(request, rule.eventTokenParam);
    if (eventToken) return this.authenticator.authenticateEventToken(eventToken);
    throw new UnauthenticatedError(
      'Send an API key or an access token: "Authorization: Bearer <credential>" or "x-api-key: <key>".',
    );
  }
}
