/** Whose budgets and limits a caller may see and set, and how a scope is named in the database. */
import type { Principal, RequestContext, SqlExecutor } from '../common/index';
import { ForbiddenError, NotFoundError, ValidationError } from '../errors/index';
import { type BudgetScope, GLOBAL_SCOPE_ID } from './ledger.scopes';

/** What is set; also the area of the permission. */
export type Bound = 'budgets' | 'limits';

/** Who last set a budget or a limit. What an administrator set on a key is not for its owner to change. */
export type ManagedBy = 'admin' | 'owner';

interface Scoped {
  readonly scope: BudgetScope;
  /** UUID; undefined for the global scope only. */
  readonly scopeId?: string;
}

/** Undefined scope id means the whole installation. @throws ValidationError */
export function scopeIdOf({ scope, scopeId }: Scoped): string {
  if ((scope === 'global') === (scopeId === undefined)) return scopeId ?? GLOBAL_SCOPE_ID;
  const message =
    scope === 'global' ? 'The global scope has no scopeId' : `The scope ${scope} needs a scopeId`;
  throw new ValidationError(message, { param: 'scopeId' });
}

/** The user whose budgets and limits the caller sees; null for administrators, who see all. */
export function viewerOf({ principal }: RequestContext): string | null {
  return principal.role === 'admin' ? null : principal.userId;
}

/** The condition that a row's scope is the viewer, or a key, a project or a run of the viewer's. @param viewer a parameter, from `viewerOf` */
export function isVisible(table: string, viewer: string): string {
  return `(${viewer}::uuid is null
    or (${table}.scope = 'user' and ${table}.scope_id = ${viewer}::uuid)
    or (${table}.scope = 'key' and ${table}.scope_id in (select id from api_keys where user_id = ${viewer}::uuid))
    or (${table}.scope = 'project' and ${table}.scope_id in (select id from projects where user_id = ${viewer}::uuid))
    or (${table}.scope = 'run' and ${table}.scope_id in (select id from project_runs where user_id = ${viewer}::uuid)))`;
}

export function managerOf({ role }: Principal): ManagedBy {
  return role === 'admin' ? 'admin' : 'owner';
}

/**
 * Administrators set all, operators those of their own keys, projects and runs; no key sets what bounds it, or that would be no bound on
 * whoever holds it: never its own, and what bounds its owner or everybody only when that was meant.
 * @throws ForbiddenError
 */
export async function assertMaySet(
  { principal }: RequestContext,
  bound: Bound,
  { scope, scopeId }: Scoped,
  executor: SqlExecutor,
): Promise<void> {
  const { role, userId, keyId } = principal;
  if (scope === 'key' && scopeId !== undefined && scopeId === keyId) {
    throw new ForbiddenError('An API key cannot change its own budgets and limits: use another credential');
  }
  if (role !== 'admin' && !(role === 'operator' && OWN_SCOPES.has(scope))) {
    throw new ForbiddenError(`Only an administrator may set this for the scope "${scope}"`, {
      param: 'scope',
    });
  }
  const isAbove = scope === 'global' || (scope === 'user' && scopeId === userId);
  if (keyId === undefined || !isAbove) return;
  if (isNamed(principal, bound) && !(await isBound(keyId, executor))) return;
  throw new ForbiddenError(
    `This bounds the API key itself: log in, or use a key with the scope "${bound}:write" and neither a budget nor limits of its own`,
    { param: 'scope' },
  );
}

/** A key without scopes may whatever its owner may, so that nobody has decided this of it. */
function isNamed({ scopes }: Principal, bound: Bound): boolean {
  return scopes?.some((scope) => scope === `${bound}:write` || scope === `${bound}:*`) ?? false;
}

async function isBound(keyId: string, executor: SqlExecutor): Promise<boolean> {
  const [row] = (await executor.query(
    `select exists (select from budgets where scope = 'key' and scope_id = $1)
       or exists (select from limits where scope = 'key' and scope_id = $1) as bound`,
    [keyId],
  )) as readonly { readonly bound: boolean }[];
  return row?.bound ?? true;
}

/** @throws ForbiddenError */
export async function assertMayChange(
  ctx: RequestContext,
  bound: Bound,
  row: Scoped & { readonly managedBy: ManagedBy },
  executor: SqlExecutor,
): Promise<void> {
  await assertMaySet(ctx, bound, row, executor);
  if (ctx.principal.role !== 'admin' && row.managedBy === 'admin') {
    throw new ForbiddenError('An administrator set this: ask one to change it');
  }
}

/** What operators own, and may therefore bound. */
const OWN_SCOPES: ReadonlySet<BudgetScope> = new Set(['key', 'project', 'run']);

function ofOwn(table: string): string {
  return `select where $2::uuid is null or exists (select from ${table} where id = $1::uuid and user_id = $2::uuid)`;
}

/** Missing and foreign look the same. @throws NotFoundError */
export async function assertScopeExists(
  ctx: RequestContext,
  { scope, scopeId }: Scoped,
  executor: SqlExecutor,
): Promise<void> {
  const sql = EXISTS[scope];
  if (sql === undefined) return;
  const found = (await executor.query(sql, [scopeId, viewerOf(ctx)])) as readonly unknown[];
  if (found.length === 0) throw new NotFoundError(`There is no such ${scope}`, { param: 'scopeId' });
}

const EXISTS: Readonly<Partial<Record<BudgetScope, string>>> = {
  user: 'select from users where id = $1 and ($2::uuid is null or id = $2)',
  key: 'select from api_keys where id = $1 and revoked_at is null and ($2::uuid is null or user_id = $2)',
  // Work may be named by whoever asks for it before there is a row of it here: administrators set bounds for that too.
  project: ofOwn('projects'),
  run: ofOwn('project_runs'),
};
