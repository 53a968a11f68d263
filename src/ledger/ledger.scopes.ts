/** What budgets and limits can be set on. */
import { type IdPrefix, toApiId } from '../common/index';

export const BUDGET_SCOPES = ['global', 'user', 'project', 'key', 'run'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

export const LIMIT_SCOPES = ['global', 'user', 'key'] as const;
export type LimitScope = (typeof LIMIT_SCOPES)[number];

/** Windows are wall-clock minutes and hours. */
export type LimitKind =
  'requests_per_minute' | 'requests_per_hour' | 'tokens_per_minute' | 'tokens_per_hour' | 'concurrency';

/** The scope id of the global scope in the database. */
export const GLOBAL_SCOPE_ID = '00000000-0000-0000-0000-000000000000';

export const SCOPE_PREFIXES: Readonly<Record<Exclude<BudgetScope, 'global'>, IdPrefix>> = {
  user: 'usr',
  project: 'prj',
  key: 'key',
  run: 'run',
};

/** Null for the global scope. */
export function scopeApiId(scope: BudgetScope, scopeId: string | undefined): string | null {
  return scope === 'global' || scopeId === undefined ? null : toApiId(SCOPE_PREFIXES[scope], scopeId);
}
