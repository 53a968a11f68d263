/** Writes into the OpenAPI document what each route needs: `x-lattice-permission`. */
import { PERMISSION_EXTENSION } from '../decorators/requires.decorator';
import { CLASS_EXTENSION, type RouteClass } from '../decorators/route-class.decorators';
import { permissionOf } from './permissions';

/** The part of an OpenAPI document that is read and written here. */
export interface DescribedPaths {
  readonly paths: Record<string, object>;
}

const METHODS = new Set(['get', 'put', 'post', 'patch', 'delete']);

/** Public routes need no permission and get none. Changes the document. */
export function describeAccess<T extends DescribedPaths>(document: T): T {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item) as [string, Record<string, unknown>][]) {
      if (METHODS.has(method)) describeOperation(path, method, operation);
    }
  }
  return document;
}

function describeOperation(path: string, method: string, operation: Record<string, unknown>): void {
  const routeClass = operation[CLASS_EXTENSION] as RouteClass | undefined;
  if (routeClass === undefined || routeClass === 'public') return;
  const required = operation[PERMISSION_EXTENSION] as string | undefined;
  operation[PERMISSION_EXTENSION] = permissionOf({
    routeClass,
    method: method.toUpperCase(),
    path,
    required,
  });
}
