import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';

/**
 * What a route is, for guards and for the test that finds unclassified ones. Every handler carries exactly one:
 * `public` needs no credential; `metered` reaches a provider and is admitted by the ledger, which re-checks the key;
 * `owned` acts on what belongs to the caller; `admin` is for administrators.
 */
export type RouteClass = 'public' | 'metered' | 'owned' | 'admin';

export const ROUTE_CLASS = 'lattice:route-class';
/** In the OpenAPI document too, so that what a route is can be read, and tested, without the source. */
export const CLASS_EXTENSION = 'x-lattice-class';

const classified = (routeClass: RouteClass): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(ROUTE_CLASS, routeClass), ApiExtension(CLASS_EXTENSION, routeClass));

export const Public = (): MethodDecorator & ClassDecorator => classified('public');
export const Metered = (): MethodDecorator & ClassDecorator => classified('metered');
export const Owned = (): MethodDecorator & ClassDecorator => classified('owned');
export const Admin = (): MethodDecorator & ClassDecorator => classified('admin');
