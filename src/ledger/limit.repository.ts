import { Inject, Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId, type RequestContext } from '../common/index';
import { ConflictError, NotFoundError, ValidationError } from '../errors/index';
import { isUniqueViolation } from './budget.repository';
import { type Limit, type LimitRow, type LimitValues, type NewLimit, toLimit } from './limit-rows';
import type { LimitScope } from './ledger.scopes';
import { LEDGER_NOW } from './ledger.store';
import { repeatOnConflict } from './repeat-on-conflict';
import {
  assertMayChange,
  assertMaySet,
  assertScopeExists,
  isVisible,
  managerOf,
  scopeIdOf,
  viewerOf,
} from './scope-visibility';
import { inStillBooks } from './still-books';

export type { Limit, LimitValues, LimitWindow, NewLimit } from './limit-rows';

export interface LimitQuery {
  readonly scope?: LimitScope;
  /** UUIDs. */
  readonly scopeIds?: readonly string[];
  readonly limit: number;
  /** The last id of the page before. */
  readonly after?: string;
}

const SELECT = `
  select l.*, c.running, m.start + interval '1 minute' as minute_end, h.start + interval '1 hour' as hour_end,
    case when c.minute_start >= m.start then c.minute_requests else 0 end as minute_requests,
    case when c.minute_start >= m.start then c.minute_tokens else 0 end as minute_tokens,
    case when c.hour_start >= h.start then c.hour_requests else 0 end as hour_requests,
    case when c.hour_start >= h.start then c.hour_tokens else 0 end as hour_tokens
  from limits l
  join limit_counters c on c.limit_id = l.id
  cross join lateral (select date_trunc('minute', coalesce($1::timestamptz, now()), 'UTC') as start) m
  cross join lateral (select date_trunc('hour', coalesce($1::timestamptz, now()), 'UTC') as start) h
  where ${isVisible('l', '$2')}`;

const IS_DEFAULT =
  'This limit stands in the configuration of the installation (RATE_LIMIT_USER_PER_HOUR, RATE_LIMIT_GLOBAL_PER_HOUR): change it instead of deleting it';

/**
 * Limits as people set them, one per scope; their counters belong to the ledger. What a caller may not see does not
 * exist for them.
 */
@Injectable()
export class LimitRepository {
  constructor(
    private readonly database: DataSource,
    @Optional() @Inject(LEDGER_NOW) private readonly now?: () => Date,
  ) {}

  /**
   * What runs in the scope is counted at once; windows start empty. Takes the place of a default.
   * @throws ForbiddenError, ValidationError, NotFoundError when the user or key does not exist, ConflictError when the
   * scope has limits already.
   */
  async create(ctx: RequestContext, limit: NewLimit, manager = this.database.manager): Promise<Limit> {
    await assertMaySet(ctx, 'limits', limit, manager);
    const values = columnValues(limit);
    const scopeId = scopeIdOf(limit);
    await assertScopeExists(ctx, limit, manager);
    const id = newId();
    try {
      await inStillBooks(manager, 'select ledger_create_limit($1, $2, $3, $4)', [
        id,
        limit.scope,
        scopeId,
        values,
      ]);
    } catch (cause) {
      throw isUniqueViolation(cause)
        ? new ConflictError(`This ${limit.scope} has limits already: change those`, { cause })
        : cause;
    }
    await manager.query('update limits set managed_by = $2 where id = $1', [id, managerOf(ctx.principal)]);
    return await this.get(ctx, id, manager);
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string, manager = this.database.manager): Promise<Limit> {
    return await this.read(ctx, `${SELECT} and l.id = $3`, id, manager);
  }

  /** Oldest first. Callers who are no administrators see those of themselves and their keys. */
  async list(ctx: RequestContext, query: LimitQuery): Promise<Limit[]> {
    const rows = await this.database.query<LimitRow[]>(
      `${SELECT} and ($3::text is null or l.scope = $3) and ($4::uuid[] is null or l.scope_id = any($4))
         and ($5::uuid is null or l.id > $5)
       order by l.id limit $6`,
      [
        this.time(),
        viewerOf(ctx),
        query.scope ?? null,
        query.scopeIds ?? null,
        query.after ?? null,
        query.limit,
      ],
    );
    return rows.map(toLimit);
  }

  /** Locks the limit for the caller's transaction. @throws NotFoundError, ForbiddenError */
  async getForChange(ctx: RequestContext, id: string, manager: EntityManager): Promise<Limit> {
    const limit = await this.read(ctx, `${SELECT} and l.id = $3 for no key update of l`, id, manager);
    await assertMayChange(ctx, 'limits', limit, manager);
    return limit;
  }

  /** Replaces all values, from the next admission on. @throws NotFoundError, ForbiddenError, ValidationError */
  async update(
    ctx: RequestContext,
    id: string,
    values: LimitValues,
    manager = this.database.manager,
  ): Promise<Limit> {
    return await repeatOnConflict(() =>
      manager.transaction(async (transaction) => {
        await this.getForChange(ctx, id, transaction);
        await transaction.query(
          `update limits set requests_per_minute = $2, requests_per_hour = $3, tokens_per_minute = $4,
             tokens_per_hour = $5, concurrency = $6, managed_by = $7, is_default = false where id = $1`,
          [id, ...columnValues(values), managerOf(ctx.principal)],
        );
        return await this.get(ctx, id, transaction);
      }),
    );
  }

  /**
   * The configured default, if there is one, holds again.
   * @throws NotFoundError, ForbiddenError, ConflictError when it is that default.
   */
  async remove(ctx: RequestContext, id: string, manager = this.database.manager): Promise<void> {
    await repeatOnConflict(() =>
      manager.transaction(async (transaction) => {
        const { isDefault } = await this.getForChange(ctx, id, transaction);
        if (isDefault) throw new ConflictError(IS_DEFAULT);
        await transaction.query('delete from limits where id = $1', [id]);
      }),
    );
  }

  private async read(ctx: RequestContext, sql: string, id: string, manager: EntityManager): Promise<Limit> {
    const rows = await manager.query<LimitRow[]>(sql, [this.time(), viewerOf(ctx), id]);
    const [row] = rows.map(toLimit);
    if (!row) throw new NotFoundError('There is no such limit', { param: 'id' });
    return row;
  }

  private time(): Date | null {
    return this.now?.() ?? null;
  }
}

/** @throws ValidationError when none is set. */
function columnValues(values: LimitValues): readonly (number | null)[] {
  const columns = [
    values.requestsPerMinute ?? null,
    values.requestsPerHour ?? null,
    values.tokensPerMinute ?? null,
    values.tokensPerHour ?? null,
    values.concurrency ?? null,
  ];
  if (columns.some((value) => value !== null)) return columns;
  const names = 'requestsPerMinute, requestsPerHour, tokensPerMinute, tokensPerHour or concurrency';
  throw new ValidationError(`Name at least one limit: ${names}`, { param: 'requestsPerMinute' });
}
