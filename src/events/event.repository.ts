import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { StoredEvent } from './event';
import type { EventFilter } from './event-resources';

/** How many events get their position in one transaction. */
export const PUBLISH_BATCH = 500;

/** What a filter does not name is not asked for. */
const FILTER = '($2::uuid is null or owner_id = $2) and ($3::text is null or resource = $3)';
const COLUMNS = 'id, position, type, resource, owner_id as "ownerId", at, data';

const READ_AFTER = `
  select ${COLUMNS} from events where position > $1 and ${FILTER} order by position limit $4`;

const READ_BEFORE = `
  select ${COLUMNS} from events
  where position is not null and ($1::bigint is null or position < $1) and ${FILTER}
  order by position desc limit $4`;

/** Oldest first, and the oldest rows have the smallest positions: looks at `batch` rows and no more. */
const FORGET = `
  delete from events e
  using (select id, at from events where position is not null order by position limit $2) oldest
  where e.id = oldest.id and oldest.at < now() - make_interval(days => $1)`;

/** Published events; positions are decimal texts. */
@Injectable()
export class EventRepository {
  constructor(private readonly database: DataSource) {}

  /**
   * Gives positions to events that were committed, and makes the deliveries of webhooks for them. When it is back, all
   * that was committed before the call has its position, whoever gave it.
   */
  async publish(batch: number): Promise<number> {
    const [row] = await this.database.query<{ published: number }[]>(
      'select events_publish($1) as published',
      [batch],
    );
    return row?.published ?? 0;
  }

  /** The position of the newest event. */
  async head(): Promise<string> {
    const [row] = await this.database.query<{ position: string }[]>('select position from event_head');
    return row?.position ?? '0';
  }

  /** Oldest first. */
  async after(position: string, filter: EventFilter, limit: number): Promise<StoredEvent[]> {
    return await this.read(READ_AFTER, position, filter, limit);
  }

  /** Newest first. */
  async before(position: string | undefined, filter: EventFilter, limit: number): Promise<StoredEvent[]> {
    return await this.read(READ_BEFORE, position ?? null, filter, limit);
  }

  /** Forgets events, and the deliveries made of them, that are older than `days`; `batch` at most. Returns how many. */
  async forget(days: number, batch: number): Promise<number> {
    const [, count] = await this.database.query<[unknown, number]>(FORGET, [days, batch]);
    return count;
  }

  private async read(
    sql: string,
    position: string | null,
    { ownerId, resource }: EventFilter,
    limit: number,
  ): Promise<StoredEvent[]> {
    const parameters = [position, ownerId ?? null, resource ?? null, limit];
    return await this.database.query<StoredEvent[]>(sql, parameters);
  }
}
