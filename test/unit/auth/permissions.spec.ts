import {
  type Need,
  needOf,
  permissionOf,
  roleMay,
  SCOPES,
  scopesMay,
} from '../../../src/auth/guard/permissions';
import type { Role } from '../../../src/common/index';
import type { RouteClass } from '../../../src/auth/index';

const need = (method: string, path: string, routeClass: RouteClass = 'owned', required?: string): Need =>
  needOf({ method, path, routeClass, required });

describe(permissionOf.name, () => {
  it.each<[string, string, RouteClass, string]>([
    ['GET', '/api/v1/usage', 'owned', 'usage:read'],
    ['HEAD', '/api/v1/usage/lines', 'owned', 'usage:read'],
    ['POST', '/api/v1/keys/:id/rotate', 'owned', 'keys:write'],
    ['DELETE', '/api/v1/keys/{id}', 'owned', 'keys:write'],
    ['PATCH', 'api/v1/users/:id', 'admin', 'users:write'],
    ['ALL', '/api/v1/keys', 'owned', 'keys:write'],
    ['POST', '/v1/chat/completions', 'metered', 'inference'],
    ['POST', '/api/v1/plans', 'metered', 'inference'],
    ['GET', '/v1/models', 'owned', 'inference'],
    ['GET', '/metrics', 'owned', 'metrics:read'],
    ['GET', '/', 'owned', 'root:read'],
  ])('%s %s (%s) needs %s', (method, path, routeClass, expected) => {
    expect(permissionOf({ method, path, routeClass })).toBe(expected);
  });

  it('is what the route requires by itself, when it says so', () => {
    const route = { method: 'POST', path: '/api/v1/events/x/token', routeClass: 'owned' } as const;
    expect(permissionOf({ ...route, required: 'events:read' })).toBe('events:read');
  });
});

describe(roleMay.name, () => {
  it.each<[Need, Role, boolean]>([
    [need('POST', '/api/v1/users', 'admin'), 'admin', true],
    [need('GET', '/api/v1/users', 'admin'), 'operator', false],
    [need('GET', '/api/v1/audit', 'admin'), 'viewer', false],
    [need('DELETE', '/api/v1/keys/:id'), 'admin', true],
    [need('DELETE', '/api/v1/keys/:id'), 'operator', true],
    [need('DELETE', '/api/v1/keys/:id'), 'viewer', false],
    [need('GET', '/api/v1/keys'), 'viewer', true],
    [need('POST', '/api/v1/route'), 'viewer', false],
    [need('POST', '/api/v1/auth/logout', 'owned', 'session:write'), 'viewer', true],
    [need('PATCH', '/api/v1/auth/me'), 'viewer', false],
    [need('PATCH', '/api/v1/auth/me'), 'operator', true],
    [need('POST', '/api/v1/events/:resource/token', 'owned', 'events:read'), 'viewer', true],
    [need('POST', '/v1/chat/completions', 'metered'), 'operator', true],
    [need('POST', '/v1/chat/completions', 'metered'), 'viewer', false],
    [need('GET', '/v1/anything', 'metered'), 'viewer', false],
    [need('GET', '/v1/models'), 'viewer', true],
    [need('POST', '/v1/models'), 'viewer', false],
    [need('GET', '/healthz', 'public'), 'viewer', true],
  ])('%j for %s is %s', (needed, role, expected) => {
    expect(roleMay(role, needed)).toBe(expected);
  });
});

describe(scopesMay.name, () => {
  const inference = need('POST', '/v1/chat/completions', 'metered');

  it.each<[readonly string[] | undefined, Need, boolean]>([
    [undefined, inference, true],
    [undefined, need('GET', '/api/v1/keys'), true],
    [undefined, need('POST', '/api/v1/webhooks'), true],
    [undefined, need('POST', '/api/v1/keys'), false],
    [undefined, need('PATCH', '/api/v1/auth/me'), false],
    [undefined, need('POST', '/api/v1/credentials'), false],
    [undefined, need('GET', '/api/v1/credentials'), true],
    [['credentials:write'], need('POST', '/api/v1/credentials/:id/verify'), true],
    [undefined, need('POST', '/api/v1/auth/password', 'owned', 'session:write'), false],
    [['session:write'], need('POST', '/api/v1/auth/logout', 'owned', 'session:write'), true],
    [['auth:write'], need('POST', '/api/v1/auth/logout', 'owned', 'session:write'), false],
    [['inference'], need('GET', '/metrics', 'admin'), false],
    [['metrics:read'], need('GET', '/metrics', 'admin'), true],
    [undefined, need('PATCH', '/api/v1/users/:id', 'admin'), false],
    [['keys:write'], need('POST', '/api/v1/keys'), true],
    [['keys:*'], need('POST', '/api/v1/keys'), true],
    [['keys:*'], need('GET', '/api/v1/keys'), true],
    [['*:read'], need('GET', '/api/v1/keys'), true],
    [['*:read'], need('POST', '/api/v1/keys'), false],
    [['*:read'], inference, false],
    [['*:read'], need('GET', '/v1/models'), false],
    [['inference'], need('GET', '/v1/models'), true],
    [['inference'], inference, true],
    [['inference'], need('GET', '/api/v1/usage'), false],
    [['usage:read', 'inference'], need('GET', '/api/v1/usage'), true],
    [['usage:write'], need('GET', '/api/v1/usage'), false],
    [['use:*'], need('GET', '/api/v1/usage'), false],
  ])('%j for %j is %s', (scopes, needed, expected) => {
    expect(scopesMay(scopes, needed)).toBe(expected);
  });

  it('has no scope for everything that is written', () => {
    expect(SCOPES).not.toContain('*');
    expect(SCOPES).not.toContain('*:write');
    expect(SCOPES).not.toContain('*:*');
  });
});
