import { type AccessRule, isAllowed } from '../../../src/auth/guard/access-rule';
import type { Role } from '../../../src/common/index';

const owned: AccessRule = { routeClass: 'owned' };
const metered: AccessRule = { routeClass: 'metered' };
const admin: AccessRule = { routeClass: 'admin' };

describe(isAllowed.name, () => {
  it.each<[string, AccessRule, Role, string, boolean]>([
    ['an admin route', admin, 'admin', 'POST', true],
    ['an admin route', admin, 'operator', 'GET', false],
    ['an admin route', admin, 'viewer', 'GET', false],
    ['an owned route', owned, 'admin', 'DELETE', true],
    ['an owned route', owned, 'operator', 'DELETE', true],
    ['an owned route', owned, 'viewer', 'GET', true],
    ['an owned route', owned, 'viewer', 'HEAD', true],
    ['an owned route', owned, 'viewer', 'POST', false],
    ['an owned route', owned, 'viewer', 'DELETE', false],
    ['a metered route', metered, 'operator', 'POST', true],
    ['a metered route', metered, 'viewer', 'POST', false],
    ['a metered route', metered, 'viewer', 'GET', false],
    ['an owned route for viewers', { ...owned, roles: ['viewer'] }, 'viewer', 'POST', true],
    ['an owned route for viewers', { ...owned, roles: ['viewer'] }, 'operator', 'POST', false],
    ['an owned route for admins', { ...owned, roles: ['admin'] }, 'operator', 'GET', false],
    ['an owned route for operators', { ...owned, roles: ['operator'] }, 'admin', 'POST', true],
    ['a metered route that names viewers', { ...metered, roles: ['viewer'] }, 'viewer', 'POST', false],
    ['a metered route for admins', { ...metered, roles: ['admin'] }, 'operator', 'POST', false],
  ])('%s: %j for %s with %s is %s', (_name, rule, role, method, expected) => {
    expect(isAllowed(rule, role, method)).toBe(expected);
  });
});
