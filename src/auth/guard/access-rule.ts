/** Which roles may use a route: pure rules over the route's classification. */
import type { Role } from '../../common/index';
import type { RouteClass } from '../decorators/route-class.decorators';

export interface AccessRule {
  /** A handler without a classification is closed like an owned one. */
  readonly routeClass: RouteClass;
  readonly roles?: readonly Role[];
}

const READING_METHODS = new Set(['GET', 'HEAD']);

export function isAllowed(rule: AccessRule, role: Role, method: string): boolean {
  if (role === 'admin') return true;
  switch (rule.routeClass) {
    case 'public':
      return true;
    case 'admin':
      return false;
    case 'metered':
      return role !== 'viewer' && (rule.roles?.includes(role) ?? true);
    case 'owned':
      return rule.roles?.includes(role) ?? (role !== 'viewer' || READING_METHODS.has(method));
  }
}
