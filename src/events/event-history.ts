import { Injectable } from '@nestjs/common';
import { Cursors } from '../auth/index';
import type { RequestContext } from '../common/index';
import type { EventPageDto } from './dto/event.response.dto';
import { toPublicEvent } from './event';
import { EventFeed } from './event-feed';
import { EventResources } from './event-resources';
import { EventRepository } from './event.repository';

/** What has happened to a resource, newest first. */
@Injectable()
export class EventHistory {
  constructor(
    private readonly events: EventRepository,
    private readonly feed: EventFeed,
    private readonly resources: EventResources,
    private readonly cursors: Cursors,
  ) {}

  /** @throws NotFoundError, ValidationError */
  async page(
    ctx: RequestContext,
    resource: string,
    query: { readonly limit: number; readonly cursor?: string },
  ): Promise<EventPageDto> {
    const filter = await this.resources.filterFor(ctx.principal, resource);
    const list = `events/${this.resources.named(ctx.principal, resource)}`;
    const before = this.cursors.decode<string>(ctx, list, query.cursor);
    // What was committed before the question is part of the answer; the pages after the first are older.
    if (before === undefined) await this.feed.publish();
    const rows = await this.events.before(before, filter, query.limit + 1);
    const page = this.cursors.page(ctx, list, {
      rows,
      limit: query.limit,
      positionOf: (event) => event.position,
    });
    return { data: page.items.map(toPublicEvent), nextCursor: page.nextCursor };
  }
}
