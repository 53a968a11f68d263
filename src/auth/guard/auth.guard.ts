import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../common/index';
import { ForbiddenError, UnauthenticatedError } from '../../errors/index';
import { API_KEY_PREFIX } from '../credentials/secret-token';
import { AttemptLimiter } from '../brute-force/attempt-limiter';
import { KeyScopeMissingError } from './access.errors';
import { type AccessRule, readAccessRule } from './access-rule';
import { Authenticator } from './authenticator.service';
import { credentialOf, eventTokenOf } from './credential-header';
import { PerHandler } from './per-handler';
import { roleMay, scopesMay } from './permissions';

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
    private readonly attempts: AttemptLimiter,
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
    if (!principal) throw this.refused(request);
    checkAccess(rule, principal);
    request.lattice.principal = principal;
    return true;
  }

  /** Whoever sends a valid credential is never held up by the failures of others at the same address. */
  private refused({ ip, headers }: FastifyRequest): UnauthenticatedError {
    const credential = credentialOf(headers);
    // Only keys are worth guessing. An access token that has expired is the normal end of every one.
    if (credential?.startsWith(API_KEY_PREFIX)) {
      this.attempts.check(ip);
      this.attempts.countFailure(ip);
    }
    return new UnauthenticatedError('The credential is not valid, or not any more.');
  }

  private callerOf(
    request: FastifyRequest,
    rule: AccessRule,
  ): Principal | undefined | Promise<Principal | undefined> {
    const credential = credentialOf(request.headers);
    if (credential !== undefined) {
      return rule.routeClass === 'metered'
        ? this.authenticator.authenticateCached(credential)
        : this.authenticator.authenticate(credential);
    }
    const eventToken = eventTokenOf(request, rule.eventTokenParam);
    if (eventToken) return this.authenticator.authenticateEventToken(eventToken);
    throw new UnauthenticatedError(
      'Send an API key or an access token: "Authorization: Bearer <credential>" or "x-api-key: <key>".',
    );
  }
}

function checkAccess(rule: AccessRule, { role, keyId, scopes }: Principal): void {
  const { permission, routeClass } = rule;
  if (!roleMay(role, rule)) {
    const needed = routeClass === 'admin' ? 'the role "admin"' : `the permission "${permission}"`;
    throw new ForbiddenError(`The role "${role}" may not do this; it needs ${needed}.`, {
      details: { permission },
    });
  }
  if (keyId !== undefined && !scopesMay(scopes, rule)) throw new KeyScopeMissingError(permission);
}
