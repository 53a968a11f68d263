/** Whose budgets and limits a caller may see, and how a scope is named in the database. */
import type { DataSource } from 'typeorm';
import type { RequestContext } from '../common/index';
import { ValidationError } from '../errors/index';
import { GLOBAL_SCOPE_ID } from './ledger.scopes';

/** Undefined scope id means the whole installation. @throws ValidationError */
export function scopeIdOf({ scope, scopeId }: { readonly scope: string; readonly scopeId?: string }): string {
  if ((scope === 'global') === (scopeId === undefined)) return scopeId ?? GLOBAL_SCOPE_ID;
  const message =
    scope === 'global' ? 'The global scope has no scopeId' : `The scope ${scope} needs a scopeId`;
  throw new ValidationError(message, { param: 'scopeId' });
}

/** Null for administrators, who see all; else the caller and the caller's keys. */
export async function visibleScopes(
  database: DataSource,
  { principal }: RequestContext,
): Promise<readonly string[] | null> {
  if (principal.role === 'admin') return null;
  const keys: { id: string }[] = await database.query('select id from api_keys where user_id = $1', [
    principal.userId,
  ]);
  return [principal.userId, ...keys.map(({ id }) => id)];
}
