import type { Principal } from '../../common/index';
import { ForbiddenError } from '../../errors/index';
import { KeyScopeMissingError } from './access.errors';
import { type Need, roleMay, scopesMay } from './permissions';

/** May this caller, by role and, for a key, by scopes? @throws ForbiddenError, KeyScopeMissingError */
export function checkAccess(need: Need, { role, keyId, scopes }: Principal): void {
  const { permission, routeClass } = need;
  if (!roleMay(role, need)) {
    const needed = routeClass === 'admin' ? 'the role "admin"' : `the permission "${permission}"`;
    throw new ForbiddenError(`The role "${role}" may not do this; it needs ${needed}.`, {
      details: { permission },
    });
  }
  if (keyId !== undefined && !scopesMay(scopes, need)) throw new KeyScopeMissingError(permission);
}
