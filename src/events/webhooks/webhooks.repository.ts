import { Injectable } from '@nestjs/common';
import type { RequestContext, SqlExecutor } from '../../common/index';
import { DataSource } from 'typeorm';
import type { Webhook, WebhookSettings } from './webhook';

const COLUMNS = `
  id, user_id as "userId", url, events, description, is_active as "isActive", scope, created_at as "createdAt",
  updated_at as "updatedAt"`;
/** The caller's, or anyone's for an administrator. */
const VISIBLE = '($1 or user_id = $2)';

const FIND = `select ${COLUMNS} from webhooks where ${VISIBLE} and id = $3`;
const LIST = `
  select ${COLUMNS} from webhooks where ${VISIBLE} and ($3::uuid is null or id < $3) order by id desc limit $4`;
const ADD = `
  insert into webhooks (id, user_id, url, events, description, is_active, scope, secret)
  values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${COLUMNS}`;
const CHANGE = `
  update webhooks set url = $4, events = $5, description = $6, is_active = $7, scope = $8,
    updated_at = clock_timestamp()
  where ${VISIBLE} and id = $3 returning ${COLUMNS}`;
const RESEAL = `
  update webhooks set secret = $4, updated_at = clock_timestamp()
  where ${VISIBLE} and id = $3 returning ${COLUMNS}`;
const REMOVE = `delete from webhooks where ${VISIBLE} and id = $3`;
/** Creations of one user wait for each other, so that the count holds. */
const LOCK_USER = 'select 1 from users where id = $1 for no key update';
const COUNT = 'select count(*)::integer as count from webhooks where user_id = $1';

type Returning = [Webhook[], number];

@Injectable()
export class WebhooksRepository {
  constructor(private readonly database: DataSource) {}

  async transaction<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(work);
  }

  /** @param executor locks the webhook until its transaction ends. */
  async find(ctx: RequestContext, id: string, executor?: SqlExecutor): Promise<Webhook | undefined> {
    const sql = executor ? `${FIND} for no key update` : FIND;
    const rows = await (executor ?? this.database).query(sql, [...scopeOf(ctx), id]);
    return (rows as Webhook[])[0];
  }

  /** Newest first. */
  async list(ctx: RequestContext, limit: number, beforeId?: string): Promise<Webhook[]> {
    return await this.database.query<Webhook[]>(LIST, [...scopeOf(ctx), beforeId ?? null, limit]);
  }

  /** How many the caller has; nobody else adds one for the caller until the transaction ends. */
  async countOwn(ctx: RequestContext, executor: SqlExecutor): Promise<number> {
    await executor.query(LOCK_USER, [ctx.principal.userId]);
    const [row] = (await executor.query(COUNT, [ctx.principal.userId])) as { count: number }[];
    return row?.count ?? 0;
  }

  async add(
    ctx: RequestContext,
    webhook: WebhookSettings & { readonly id: string; readonly secret: Buffer },
    executor: SqlExecutor,
  ): Promise<Webhook> {
    const { url, events, description, isActive, scope } = webhook;
    const parameters = [
      webhook.id,
      ctx.principal.userId,
      url,
      events,
      description,
      isActive,
      scope,
      webhook.secret,
    ];
    return only((await executor.query(ADD, parameters)) as Webhook[]);
  }

  /** Of a webhook that the transaction has locked. */
  async change(
    ctx: RequestContext,
    id: string,
    settings: WebhookSettings,
    executor: SqlExecutor,
  ): Promise<Webhook> {
    const { url, events, description, isActive, scope } = settings;
    const parameters = [...scopeOf(ctx), id, url, events, description, isActive, scope];
    const [rows] = (await executor.query(CHANGE, parameters)) as Returning;
    return only(rows);
  }

  /** Of a webhook that the transaction has locked. */
  async setSecret(ctx: RequestContext, id: string, secret: Buffer, executor: SqlExecutor): Promise<Webhook> {
    const [rows] = (await executor.query(RESEAL, [...scopeOf(ctx), id, secret])) as Returning;
    return only(rows);
  }

  /** With its deliveries. */
  async remove(ctx: RequestContext, id: string, executor: SqlExecutor): Promise<void> {
    await executor.query(REMOVE, [...scopeOf(ctx), id]);
  }
}

function scopeOf({ principal }: RequestContext): [boolean, string] {
  return [principal.role === 'admin', principal.userId];
}

function only([row]: readonly Webhook[]): Webhook {
  if (!row) throw new Error('A statement that returns a row returned none');
  return row;
}
