import type { Cursors } from '../../../src/auth/index';
import type { EventFeed } from '../../../src/events/event-feed';
import { EventHistory } from '../../../src/events/event-history';
import type { EventResources } from '../../../src/events/event-resources';
import type { EventRepository } from '../../../src/events/event.repository';
import { aContext } from '../../support/factories';

describe(EventHistory.name, () => {
  it('publishes what was committed before its first page, and nothing before the older ones', async () => {
    const steps: string[] = [];
    const history = new EventHistory(
      {
        before: async (position?: string) => (steps.push(`read before ${position}`), []),
      } as unknown as EventRepository,
      { publish: async () => void steps.push('publish') } as unknown as EventFeed,
      { filterFor: async () => ({}), named: () => 'global' } as unknown as EventResources,
      {
        decode: (_ctx: unknown, _list: string, cursor?: string) => cursor,
        page: () => ({ items: [], nextCursor: null }),
      } as unknown as Cursors,
    );
    await history.page(aContext(), 'global', { limit: 10 });
    await history.page(aContext(), 'global', { limit: 10, cursor: '7' });
    expect(steps).toEqual(['publish', 'read before undefined', 'read before 7']);
  });
});
