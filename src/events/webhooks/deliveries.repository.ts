import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RequestContext, SqlExecutor } from '../../common/index';
import type { StoredEvent } from '../event';

export type DeliveryStatus = 'pending' | 'delivered' | 'failed';

/** One webhook's copy of one event, as its owner sees it. */
export interface Delivery {
  readonly id: string;
  /** Larger for later ones. */
  readonly number: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** A try that belongs to this process until its lease ends. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly claim: string;
  readonly webhookId: string;
  /** User UUID. */
  readonly ownerId: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  readonly url: string;
  readonly sealedSecret: Buffer;
  /** False when the webhook was switched off, or its owner may not see the event any more. */
  readonly isWanted: boolean;
  readonly event: Omit<StoredEvent, 'position' | 'ownerId'>;
}

/** How a try ended. */
export interface TryResult {
  readonly status: DeliveryStatus;
  readonly nextAttemptAt?: Date;
  readonly finishedAt?: Date;
  readonly httpStatus?: number;
  readonly error?: string;
}

export interface ClaimOptions {
  /** When the tries are due, by the clock of the schedule. */
  readonly now: Date;
  /** Webhooks that are not asked again at the moment. */
  readonly busyWebhookIds: readonly string[];
  readonly perWebhook: number;
  readonly limit: number;
  readonly leaseMs: number;
}

/**
 * Leases run by PostgreSQL's clock, which all processes share. The webhook that has waited longest comes first, so that
 * none starves behind the others; the lateral join takes them in that order until it has enough. Webhooks are found by
 * going from one to the next in the index, however much waits for each.
 */
const CLAIM = `
  with recursive webhook (id) as (
    (select webhook_id from webhook_deliveries where status = 'pending' order by webhook_id limit 1)
    union all
    select (
      select webhook_id from webhook_deliveries where status = 'pending' and webhook_id > webhook.id
      order by webhook_id limit 1
    ) from webhook where webhook.id is not null
  ), due as (
    select candidate.id
    from (
      select webhook.id as webhook_id
      from webhook cross join lateral (
        select d.next_attempt_at, d.number from webhook_deliveries d
        where d.webhook_id = webhook.id and d.status = 'pending' and d.next_attempt_at <= $1
          and (d.leased_until is null or d.leased_until < clock_timestamp())
        order by d.next_attempt_at, d.number limit 1
      ) oldest
      where webhook.id <> all ($2::uuid[])
      order by oldest.next_attempt_at, oldest.number
    ) waiting
    cross join lateral (
      select d.id from webhook_deliveries d
      where d.webhook_id = waiting.webhook_id and d.status = 'pending' and d.next_attempt_at <= $1
        and (d.leased_until is null or d.leased_until < clock_timestamp())
      order by d.next_attempt_at, d.number limit $3
      for update skip locked
    ) candidate
    limit $4
  ), claimed as (
    update webhook_deliveries d
    set claim = $5, leased_until = clock_timestamp() + make_interval(secs => $6::double precision / 1000),
      attempts = d.attempts + 1
    from due where d.id = due.id
    returning d.id, d.number, d.webhook_id, d.event_id, d.attempts, d.claim
  )
  select c.id, c.claim, c.webhook_id as "webhookId", w.user_id as "ownerId", c.attempts as attempt, w.url,
    w.secret as "sealedSecret",
    w.is_active and u.disabled_at is null
      and (e.owner_id = w.user_id or (w.scope = 'all' and u.role = 'admin')) is true as "isWanted",
    e.id as "eventId", e.type, e.resource, e.at, e.data
  from claimed c
    join webhooks w on w.id = c.webhook_id
    join users u on u.id = w.user_id
    join events e on e.id = c.event_id
  order by c.number`;

const SETTLE = `
  update webhook_deliveries
  set status = $3, next_attempt_at = $4, finished_at = $5, last_status = $6, last_error = $7,
    attempts = least(attempts, $8), claim = null, leased_until = null
  where id = $1 and claim = $2 and status = 'pending'`;

const RELEASE = `
  update webhook_deliveries set attempts = attempts - 1, claim = null, leased_until = null
  where id = $1 and claim = $2 and status = 'pending'`;

const COLUMNS = `
  d.id, d.number, d.event_id as "eventId", e.type as "eventType", d.status, d.attempts,
  d.next_attempt_at as "nextAttemptAt", d.last_status as "lastStatus", d.last_error as "lastError",
  d.created_at as "createdAt", d.finished_at as "finishedAt"`;

const LIST = `
  select ${COLUMNS} from webhook_deliveries d
    join events e on e.id = d.event_id
    join webhooks w on w.id = d.webhook_id and ($1 or w.user_id = $2)
  where d.webhook_id = $3 and ($4::bigint is null or d.number < $4) order by d.number desc limit $5`;

const ADD = `
  with added as (
    insert into webhook_deliveries (webhook_id, event_id) values ($1, $2) returning *
  )
  select ${COLUMNS} from added d join events e on e.id = d.event_id`;

type ClaimedRow = Omit<ClaimedDelivery, 'event'> &
  Omit<ClaimedDelivery['event'], 'id'> & { readonly eventId: string };

/** Deliveries of webhooks: jobs that survive crashes, because they are rows. */
@Injectable()
export class DeliveriesRepository {
  constructor(private readonly database: DataSource) {}

  /** Takes tries that are due. No other process gets them while their lease lasts. */
  async claim(options: ClaimOptions): Promise<ClaimedDelivery[]> {
    const { now, busyWebhookIds, perWebhook, limit, leaseMs } = options;
    const parameters = [now, busyWebhookIds, perWebhook, limit, randomUUID(), leaseMs];
    const rows = await this.database.query<ClaimedRow[]>(CLAIM, parameters);
    return rows.map(({ eventId, type, resource, at, data, ...delivery }) => ({
      ...delivery,
      event: { id: eventId, type, resource, at, data },
    }));
  }

  /** Writes down how a try ended. False when the lease was lost and another process has the delivery. */
  async settle(
    { id, claim }: ClaimedDelivery,
    result: TryResult,
    maxAttempts: number,
    executor: SqlExecutor = this.database,
  ): Promise<boolean> {
    const { status, nextAttemptAt, finishedAt, httpStatus, error } = result;
    const [, count] = (await executor.query(SETTLE, [
      id,
      claim,
      status,
      nextAttemptAt ?? null,
      finishedAt ?? null,
      httpStatus ?? null,
      error ?? null,
      maxAttempts,
    ])) as [unknown, number];
    return count === 1;
  }

  /** Gives back a try that was not made: it is due at once, for anyone. */
  async release({ id, claim }: ClaimedDelivery): Promise<void> {
    await this.database.query(RELEASE, [id, claim]);
  }

  /** Newest first; of a webhook of the caller's, or of anyone's for an administrator. */
  async list(
    { principal }: RequestContext,
    webhookId: string,
    limit: number,
    beforeNumber?: string,
  ): Promise<Delivery[]> {
    const isAdmin = principal.role === 'admin';
    const parameters = [isAdmin, principal.userId, webhookId, beforeNumber ?? null, limit];
    return await this.database.query<Delivery[]>(LIST, parameters);
  }

  async add(webhookId: string, eventId: string, executor: SqlExecutor): Promise<Delivery> {
    const [row] = (await executor.query(ADD, [webhookId, eventId])) as Delivery[];
    if (!row) throw new Error('An insert that returns a row returned none');
    return row;
  }

  async transaction<T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> {
    return await this.database.transaction(work);
  }
}
