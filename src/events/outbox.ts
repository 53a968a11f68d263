import { Injectable } from '@nestjs/common';
import { newId, type SqlExecutor } from '../common/index';
import type { NewEvent } from './event';

/** PostgreSQL's channel that wakes every process when events were appended. */
export const EVENTS_CHANNEL = 'lattice_events';

/** The notification goes out with the commit; listeners look for themselves when it is lost. */
const APPEND = `
  with added as (
    insert into events (id, type, resource, owner_id, data)
    select id, type, resource, owner_id, data::json
    from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])
      with ordinality as fresh (id, type, resource, owner_id, data, number)
    order by number
  )
  select pg_notify('${EVENTS_CHANNEL}', '')`;

/** Where modules put what happened: it reaches event streams and webhooks when, and only when, the transaction commits. */
@Injectable()
export class Outbox {
  /**
   * Events of one call keep their order.
   * @param executor the transaction of what the events tell, so that neither is ever seen without the other.
   */
  async append(events: readonly NewEvent[], executor: SqlExecutor): Promise<void> {
    if (events.length > 0) await this.insert(events, executor);
  }

  /** The UUID of the new event, for what refers to it in the same transaction. */
  async appendOne(event: NewEvent, executor: SqlExecutor): Promise<string> {
    const id = newId();
    await this.insert([event], executor, [id]);
    return id;
  }

  private async insert(
    events: readonly NewEvent[],
    executor: SqlExecutor,
    ids: readonly string[] = events.map(() => newId()),
  ): Promise<void> {
    await executor.query(APPEND, [
      ids,
      events.map((event) => event.type),
      events.map((event) => event.resource),
      events.map((event) => event.ownerId),
      events.map((event) => JSON.stringify(event.data)),
    ]);
  }
}
