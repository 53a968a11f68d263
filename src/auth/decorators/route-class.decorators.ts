import { SetMetadata } from '@nestjs/common';
import type { Role } from '../../common/index';

/**
 * What a route is, for guards and for the test that finds unclassified ones. Every handler carries exactly one:
 * `public` needs no credential; `metered` reaches a provider and is admitted by the ledger, which re-checks the key;
 * `owned` acts on what belongs to the caller; `admin` is for administrators.
 */
export type RouteClass = 'public' | 'metered' | 'owned' | 'admin';

export const ROUTE_CLASS = 'lattice:route-class';
export const ROUTE_ROLES = 'lattice:route-roles';

export const Public = (): MethodDecorator & ClassDecorator =>
  SetMetadata(ROUTE_CLASS, 'public' satisfies RouteClass);
export const Metered = (): MethodDecorator & ClassDecorator =>
  SetMetadata(ROUTE_CLASS, 'metered' satisfies RouteClass);
export const Owned = (): MethodDecorator & ClassDecorator =>
  SetMetadata(ROUTE_CLASS, 'owned' satisfies RouteClass);
export const Admin = (): MethodDecorator & ClassDecorator =>
  SetMetadata(ROUTE_CLASS, 'admin' satisfies RouteClass);

/** Narrows an owned or metered route to some roles; without it viewers may only read (GET). */
export const Roles = (...roles: readonly Role[]): MethodDecorator & ClassDecorator =>
  SetMetadata(ROUTE_ROLES, roles);
