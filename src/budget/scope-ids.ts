/** The API ids of what budgets and limits are set on. */
import { fromApiId } from '../common/index';
import { ValidationError } from '../errors/index';
import { type BudgetScope, GLOBAL_SCOPE_ID, SCOPE_PREFIXES } from '../ledger/index';

export { scopeApiId } from '../ledger/index';

/** Of any scope. */
export const SCOPE_ID = /^(usr|prj|key|run)_[0-9a-f]{32}$/;
/** Of a scope that limits can be set on. */
export const LIMIT_SCOPE_ID = /^(usr|key)_[0-9a-f]{32}$/;

/**
 * The UUID behind the id; undefined for the global scope, whose UUID of zeros is nobody else's.
 * @throws ValidationError when the id is one of another scope.
 */
export function scopeUuid(scope: BudgetScope, scopeId: string | null | undefined): string | undefined {
  if (scope === 'global' && !scopeId) return undefined;
  const uuid = scope === 'global' ? undefined : fromApiId(SCOPE_PREFIXES[scope], scopeId ?? '');
  if (uuid !== undefined && uuid !== GLOBAL_SCOPE_ID) return uuid;
  const rule =
    scope === 'global'
      ? 'has no scopeId'
      : `needs a scopeId that starts with ${SCOPE_PREFIXES[scope]}_ and is not all zeros`;
  throw new ValidationError(`The scope ${scope} ${rule}`, { param: 'scopeId' });
}

/** What a list is narrowed to by the query's `scopeId`; undefined when it names none. */
export function scopeFilter(
  scopeId: string | undefined,
): { readonly scope: BudgetScope; readonly scopeIds: readonly string[] } | undefined {
  if (scopeId === undefined) return undefined;
  for (const [scope, prefix] of Object.entries(SCOPE_PREFIXES)) {
    const uuid = fromApiId(prefix, scopeId);
    if (uuid !== undefined) return { scope: scope as BudgetScope, scopeIds: [uuid] };
  }
  return undefined;
}
