import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Principal, Role } from '../../common/index';
import { ForbiddenError, UnauthenticatedError } from '../../errors/index';
import { type AccessRule, isAllowed } from './access-rule';
import { Authenticator } from './authenticator.service';
import { credentialOf } from './credential-header';
import { ROUTE_CLASS, ROUTE_ROLES, type RouteClass } from '../decorators/route-class.decorators';

type Handler = ReturnType<ExecutionContext['getHandler']>;
type HandlerClass = ReturnType<ExecutionContext['getClass']>;

/**
 * Closes every route that is not `@Public()`: finds out who calls and whether the role may. Metered routes take a
 * cached principal and stay synchronous then; all others ask the database.
 * @throws UnauthenticatedError, ForbiddenError, ServiceUnavailableError (database away)
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly rules = new WeakMap<HandlerClass, WeakMap<Handler, AccessRule>>();

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const rule = this.ruleOf(context);
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
    const credential = credentialOf(request.headers);
    if (credential === undefined) {
      throw new UnauthenticatedError(
        'Send an API key or an access token: "Authorization: Bearer <credential>" or "x-api-key: <key>".',
      );
    }
    const found =
      rule.routeClass === 'metered'
        ? this.authenticator.authenticateCached(credential)
        : this.authenticator.authenticate(credential);
    return found instanceof Promise
      ? found.then((principal) => admit(request, rule, principal))
      : admit(request, rule, found);
  }

  private ruleOf(context: ExecutionContext): AccessRule {
    const [handler, handlerClass] = [context.getHandler(), context.getClass()];
    let rules = this.rules.get(handlerClass);
    if (!rules) this.rules.set(handlerClass, (rules = new WeakMap()));
    let rule = rules.get(handler);
    if (!rule) rules.set(handler, (rule = this.readRule([handler, handlerClass])));
    return rule;
  }

  private readRule(targets: [Handler, HandlerClass]): AccessRule {
    return {
      routeClass: this.reflector.getAllAndOverride<RouteClass | undefined>(ROUTE_CLASS, targets) ?? 'owned',
      roles: this.reflector.getAllAndOverride<readonly Role[] | undefined>(ROUTE_ROLES, targets),
    };
  }
}

function admit(request: FastifyRequest, rule: AccessRule, principal: Principal | undefined): true {
  if (!principal) throw new UnauthenticatedError('The credential is not valid, or not any more.');
  if (!isAllowed(rule, principal.role, request.method)) {
    throw new ForbiddenError(`The role "${principal.role}" may not do this.`);
  }
  request.lattice.principal = principal;
  return true;
}
