import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newId, type RequestContext } from '../common/index';
import { ConflictError, NotFoundError, ValidationError } from '../errors/index';
import { isUniqueViolation, requireAdmin } from './budget.repository';
import { GLOBAL_SCOPE_ID, type LimitScope } from './ledger.scopes';
import { repeatOnConflict } from './repeat-on-conflict';
import { scopeIdOf, visibleScopes } from './scope-visibility';
import { inStillBooks } from './still-books';

/** Undefined means not limited. Windows are wall-clock minutes and hours. */
export interface LimitValues {
  readonly requestsPerMinute?: number;
  readonly requestsPerHour?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerHour?: number;
  readonly concurrency?: number;
}

export interface NewLimit extends LimitValues {
  readonly scope: LimitScope;
  /** UUID; undefined for the global scope only. */
  readonly scopeId?: string;
}

export interface Limit extends NewLimit {
  readonly id: string;
  /** Requests that run now. */
  readonly running: number;
  readonly createdAt: Date;
}

interface LimitRow {
  readonly id: string;
  readonly scope: LimitScope;
  readonly scope_id: string;
  readonly created_at: Date;
  readonly running: string;
  readonly requests_per_minute: string | null;
  readonly requests_per_hour: string | null;
  readonly tokens_per_minute: string | null;
  readonly tokens_per_hour: string | null;
  readonly concurrency: string | null;
}

const SELECT = 'select l.*, c.running from limits l join limit_counters c on c.limit_id = l.id';

/** Limits as administrators set them; their counters belong to the ledger. One per scope. */
@Injectable()
export class LimitRepository {
  constructor(private readonly database: DataSource) {}

  /**
   * What runs in the scope is counted at once; windows start empty.
   * @throws ForbiddenError, ValidationError, ConflictError when the scope has limits already.
   */
  async create(ctx: RequestContext, limit: NewLimit): Promise<Limit> {
    requireAdmin(ctx);
    const id = newId();
    const values = columnValues(limit);
    if (values.every((value) => value === null)) throw new ValidationError('Name at least one limit');
    try {
      await inStillBooks(this.database, 'select ledger_create_limit($1, $2, $3, $4)', [
        id,
        limit.scope,
        scopeIdOf(limit),
        values,
      ]);
    } catch (cause) {
      throw isUniqueViolation(cause)
        ? new ConflictError(`This ${limit.scope} has limits already`, { cause })
        : cause;
    }
    return await this.get(ctx, id);
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<Limit> {
    const rows: LimitRow[] = await this.database.query(
      `${SELECT} where l.id = $1 and ($2::uuid[] is null or l.scope_id = any($2))`,
      [id, await visibleScopes(this.database, ctx)],
    );
    const [row] = rows.map(toLimit);
    if (!row) throw notFound();
    return row;
  }

  /** Oldest first, after the given id. Callers who are no administrators see those of themselves and their keys. */
  async list(
    ctx: RequestContext,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<Limit[]> {
    const rows: LimitRow[] = await this.database.query(
      `${SELECT} where ($1::uuid[] is null or l.scope_id = any($1)) and ($2::uuid is null or l.id > $2)
       order by l.id limit $3`,
      [await visibleScopes(this.database, ctx), page.after ?? null, page.limit],
    );
    return rows.map(toLimit);
  }

  /** Replaces all values. @throws ForbiddenError, NotFoundError */
  async update(ctx: RequestContext, id: string, values: LimitValues): Promise<Limit> {
    requireAdmin(ctx);
    await this.database.query(
      `update limits set requests_per_minute = $2, requests_per_hour = $3, tokens_per_minute = $4,
         tokens_per_hour = $5, concurrency = $6 where id = $1`,
      [id, ...columnValues(values)],
    );
    return await this.get(ctx, id);
  }

  /** @throws ForbiddenError, NotFoundError */
  async remove(ctx: RequestContext, id: string): Promise<void> {
    requireAdmin(ctx);
    const [removed]: [unknown[], number] = await repeatOnConflict(() =>
      this.database.query('delete from limits where id = $1 returning id', [id]),
    );
    if (removed.length === 0) throw notFound();
  }
}

function columnValues(values: LimitValues): readonly (number | null)[] {
  return [
    values.requestsPerMinute ?? null,
    values.requestsPerHour ?? null,
    values.tokensPerMinute ?? null,
    values.tokensPerHour ?? null,
    values.concurrency ?? null,
  ];
}

function toLimit(row: LimitRow): Limit {
  return Object.freeze({
    id: row.id,
    scope: row.scope,
    scopeId: row.scope_id === GLOBAL_SCOPE_ID ? undefined : row.scope_id,
    requestsPerMinute: toNumber(row.requests_per_minute),
    requestsPerHour: toNumber(row.requests_per_hour),
    tokensPerMinute: toNumber(row.tokens_per_minute),
    tokensPerHour: toNumber(row.tokens_per_hour),
    concurrency: toNumber(row.concurrency),
    running: Number(row.running),
    createdAt: row.created_at,
  });
}

function toNumber(value: string | null): number | undefined {
  return value === null ? undefined : Number(value);
}

function notFound(): NotFoundError {
  return new NotFoundError('There is no such limit');
}
