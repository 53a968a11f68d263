/**
 * What may be done, in words: `inference` for whatever reaches a model, otherwise `<area>:read` or `<area>:write`. Roles
 * and the scopes of API keys are sets of these; which one a route needs follows from its path and method.
 */
import type { Principal, Role } from '../../common/index';
import type { RouteClass } from '../decorators/route-class.decorators';

export type Permission = string;

export const INFERENCE = 'inference';
/** Every area but what needs no permission; the segment of the path behind `/api/v1/`. */
export const AREAS = [
  'agents',
  'audit',
  'auth',
  'budgets',
  'cache',
  'catalog',
  'credentials',
  'decisions',
  'events',
  'keys',
  'ledger',
  'limits',
  'mcp-servers',
  'metrics',
  'plans',
  'projects',
  'providers',
  'route',
  'routing',
  'session',
  'tasks',
  'tools',
  'usage',
  'users',
  'webhooks',
] as const;

const EVERYTHING_READ = '*:read';
const EVERYTHING_WRITTEN = '*:write';

/** What a key may be given. A key never gets all that is written at once: each area is named. */
export const SCOPES: readonly Permission[] = [
  INFERENCE,
  EVERYTHING_READ,
  ...AREAS.flatMap((area) => [`${area}:read`, `${area}:write`, `${area}:*`]),
];

/** Administrators may everything, routes for administrators included; these two never use those. */
const ROLE_PERMISSIONS: Readonly<Record<Exclude<Role, 'admin'>, ReadonlySet<Permission>>> = {
  operator: new Set([INFERENCE, EVERYTHING_READ, EVERYTHING_WRITTEN]),
  /** `session:write`: their own password and logging out. Models they may list, but not use. */
  viewer: new Set([EVERYTHING_READ, 'session:write']),
};

/** With these, credentials are made that may more than the key at hand: only a key that names them has them. */
const CREDENTIAL_PERMISSIONS: ReadonlySet<Permission> = new Set([
  'auth:write',
  'credentials:write',
  'keys:write',
  'session:write',
  'users:write',
]);

export interface RouteShape {
  readonly routeClass: RouteClass;
  readonly method: string;
  /** With a leading slash; parameters may stand in it. */
  readonly path: string;
  /** Of `@Requires`. */
  readonly required?: Permission;
}

/** What a route needs, ready to be compared without making anything per request. */
export interface Need {
  readonly permission: Permission;
  /** The scopes that give it. */
  readonly grantedBy: readonly Permission[];
  readonly routeClass: RouteClass;
  readonly isReading: boolean;
}

const READING_METHODS = new Set(['GET', 'HEAD']);

/** The permission that a route needs, which is the one `@Requires` names, or derived. */
export function permissionOf({ routeClass, method, path, required }: RouteShape): Permission {
  if (required !== undefined) return required;
  const [first = '', second, third] = path.split('/').filter((segment) => segment !== '');
  if (routeClass === 'metered' || first === 'v1') return INFERENCE;
  const area = first === 'api' && second === 'v1' ? third : first;
  return `${area || 'root'}:${READING_METHODS.has(method) ? 'read' : 'write'}`;
}

export function needOf(route: RouteShape): Need {
  const permission = permissionOf(route);
  const isReading =
    permission === INFERENCE ? READING_METHODS.has(route.method) : permission.endsWith(':read');
  return { permission, grantedBy: grantsOf(permission), routeClass: route.routeClass, isReading };
}

/** The scopes that give a permission: itself and its wildcards. */
export function grantsOf(permission: Permission): readonly Permission[] {
  const [area, access] = permission.split(':');
  if (access === undefined) return [permission];
  const wildcard = access === 'read' ? [EVERYTHING_READ] : [];
  return [permission, `${area}:*`, ...wildcard];
}

/** May somebody with this role use the route? */
export function roleMay(role: Role, { permission, routeClass, isReading }: Need): boolean {
  if (role === 'admin' || routeClass === 'public') return true;
  if (routeClass === 'admin') return false;
  const permissions = ROLE_PERMISSIONS[role];
  if (permissions.has(permission)) return true;
  return permissions.has(isReading ? EVERYTHING_READ : EVERYTHING_WRITTEN) && routeClass !== 'metered';
}

/** Would whoever acts now be let in once more, to whatever needs this permission and is no administrator's route? */
export function mayStill({ role, keyId, scopes }: Principal, permission: Permission): boolean {
  const need = needOf({ routeClass: 'owned', method: 'GET', path: '/', required: permission });
  return roleMay(role, need) && (keyId === undefined || scopesMay(scopes, need));
}

/** May a key with these scopes, as far as its owner may? Undefined: all but managing credentials. */
export function scopesMay(scopes: readonly Permission[] | undefined, need: Need): boolean {
  if (scopes === undefined) return !CREDENTIAL_PERMISSIONS.has(need.permission);
  for (const scope of need.grantedBy) if (scopes.includes(scope)) return true;
  return false;
}
