import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { IdPrefix } from '../../common/index';
import { Owned } from './route-class.decorators';

/** A kind of thing that belongs to a user: where its owner stands, for the guard. */
export interface OwnedResource {
  readonly prefix: IdPrefix;
  /** As the not-found message calls it, such as `API key`. */
  readonly name: string;
  /** Table and columns are constants of the source, never input. */
  readonly table: string;
  readonly idColumn?: string;
  readonly ownerColumn?: string;
}

export interface OwnershipRule {
  readonly resource: OwnedResource;
  /** The path parameter that holds the id. */
  readonly param: string;
}

export const OWNERSHIP = 'lattice:ownership';

/**
 * An owned route that acts on one thing: the guard lets it through when the path parameter names a thing of the caller
 * (administrators: of anyone). Missing and foreign are both 404. The repository filters by owner all the same.
 */
export const OwnedBy = (resource: OwnedResource, param = 'id'): MethodDecorator & ClassDecorator =>
  applyDecorators(Owned(), SetMetadata(OWNERSHIP, { resource, param } satisfies OwnershipRule));
