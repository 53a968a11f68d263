import { Inject, Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type LimitValues, newId, type RequestContext } from '../common/index';
import { ConflictError, NotFoundError, ValidationError } from '../errors/index';
import { type Limit, type LimitRow, type NewLimit, type PlannedLimit, toLimit } from './limit-rows';
import type { LimitScope } from './ledger.scopes';
import { LEDGER_NOW } from './ledger.store';
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

export type { Limit, LimitWindow, NewLimit, PlannedLimit } from './limit-rows';

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
   * Everything about new limits that can be known before the books have to stand still for them.
   * @throws ForbiddenError, ValidationError, NotFoundError when the user or key does not exist.
   */
  async plan(ctx: RequestContext, limit: NewLimit, manager: EntityManager): Promise<PlannedLimit> {
    await assertMaySet(ctx, 'limits', limit, manager);
    columnValues(limit);
    scopeIdOf(limit);
    await assertScopeExists(ctx, limit, manager);
    return { ...limit, id: newId(), managedBy: managerOf(ctx.principal) };
  }

  /**
   * What runs in the scope is counted at once; windows start empty, or are those of the default whose place it takes.
   * Comes last in its transaction: the ledger waits until that ends.
   * @throws ConflictError when the scope has limits already, ServiceUnavailableError when counting takes longer than
   * admissions can wait.
   */
  async create(limit: PlannedLimit, manager: EntityManager): Promise<void> {
    const { id, scope, managedBy } = limit;
    await inStillBooks(
      manager,
      'select ledger_create_limit($1, $2, $3, $4, $5)',
      [id, scope, scopeIdOf(limit), columnValues(limit), managedBy],
      { taken: `This ${scope} has limits already: change those` },
    );
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

  /** Of those that the transaction has locked. Replaces all values, from the next admission on. @throws ValidationError */
  async update(
    ctx: RequestContext,
    { id }: Limit,
    values: LimitValues,
    manager: EntityManager,
  ): Promise<Limit> {
    await manager.query(
      `update limits set requests_per_minute = $2, requests_per_hour = $3, tokens_per_minute = $4,
         tokens_per_hour = $5, concurrency = $6, managed_by = $7, is_default = false where id = $1`,
      [id, ...columnValues(values), managerOf(ctx.principal)],
    );
    return await this.get(ctx, id, manager);
  }

  /**
   * Those that the transaction has locked. The configured default, if there is one, holds again.
   * @throws ConflictError when it is that default.
   */
  async remove({ id, isDefault }: Limit, manager: EntityManager): Promise<void> {
    if (isDefault) throw new ConflictError(IS_DEFAULT);
    await manager.query('delete from limits where id = $1', [id]);
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
