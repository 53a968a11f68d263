import { Notifications } from '../../../src/database/index';
import { EventFeed, type FeedListener } from '../../../src/events/event-feed';
import type { EventRepository } from '../../../src/events/event.repository';
import type { StoredEvent } from '../../../src/events/event';

/** The table as the feed sees it. */
class Table {
  readonly published: StoredEvent[] = [];
  readings = 0;
  waiting = 0;
  isAway = false;

  add(count: number): void {
    for (let index = 0; index < count; index++) {
      this.published.push({ position: String(this.published.length + 1) } as StoredEvent);
    }
  }

  async publish(batch: number): Promise<number> {
    if (this.isAway) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const count = Math.min(batch, this.waiting);
    this.waiting -= count;
    return count;
  }

  async head(): Promise<string> {
    return String(this.published.length);
  }

  async after(position: string, _filter: unknown, limit: number): Promise<StoredEvent[]> {
    this.readings += 1;
    return this.published.filter((event) => Number(event.position) > Number(position)).slice(0, limit);
  }
}

class Listener implements FeedListener {
  readonly positions: string[] = [];
  lags = 0;

  push(events: readonly StoredEvent[]): void {
    this.positions.push(...events.map(({ position }) => position));
  }

  lag(): void {
    this.lags += 1;
  }
}

describe(EventFeed.name, () => {
  const table = (): Table => new Table();
  let notify: () => void;
  let reconnect: () => void;
  let feed: EventFeed;

  function start(events: Table): void {
    const notifications = {
      on: (_channel: string, handler: () => void) => {
        notify = handler;
      },
      onReconnect: (handler: () => void) => {
        reconnect = handler;
      },
    };
    feed = new EventFeed(events as unknown as EventRepository, notifications as unknown as Notifications);
    feed.onModuleInit();
    feed.onApplicationBootstrap();
  }

  /** Lets everything that is under way reach its end. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };

  beforeEach(() => jest.useFakeTimers());

  afterEach(async () => {
    jest.useRealTimers();
    await feed.beforeApplicationShutdown();
  });

  it('reads once for any number of listeners, and tells each of them', async () => {
    const events = table();
    start(events);
    await settle();
    const listeners = Array.from({ length: 50 }, () => new Listener());
    for (const listener of listeners) feed.listen(listener);
    await settle();
    events.add(3);
    events.readings = 0;
    notify();
    await settle();
    expect(events.readings).toBe(1);
    for (const { positions } of listeners) expect(positions).toEqual(['1', '2', '3']);
  });

  it('looks every ten seconds when no notification comes, and after a reconnection', async () => {
    const events = table();
    start(events);
    const listener = new Listener();
    feed.listen(listener);
    await settle();
    events.add(1);
    await settle();
    expect(listener.positions).toEqual([]);
    jest.advanceTimersByTime(10_000);
    await settle();
    expect(listener.positions).toEqual(['1']);
    events.add(1);
    reconnect();
    await settle();
    expect(listener.positions).toEqual(['1', '2']);
  });

  it('goes on where it was after PostgreSQL was away', async () => {
    const events = table();
    events.isAway = true;
    start(events);
    const listener = new Listener();
    feed.listen(listener);
    await settle();
    events.isAway = false;
    events.add(2);
    notify();
    await settle();
    // It did not know from where to tell, so it says that there may be more in the table.
    expect(listener.lags).toBe(1);
    events.isAway = true;
    events.add(1500);
    notify();
    await settle();
    events.isAway = false;
    notify();
    await settle();
    expect(listener.positions).toHaveLength(1500);
    expect(listener.positions[0]).toBe('3');
  });

  it('reads nothing while nobody listens, and tells the next who does to look into the table', async () => {
    const events = table();
    start(events);
    events.add(3);
    notify();
    await settle();
    expect(events.readings).toBe(0);
    const [first, second] = [new Listener(), new Listener()];
    const stop = feed.listen(first);
    await settle();
    expect(first).toMatchObject({ lags: 1, positions: [] });
    stop();
    events.add(3);
    notify();
    await settle();
    feed.listen(second);
    await settle();
    events.add(1);
    notify();
    await settle();
    expect(second).toMatchObject({ lags: 1, positions: ['7'] });
  });

  it('publishes all that waits, however much, and tells those who deliver once', async () => {
    const events = table();
    start(events);
    await settle();
    const told = jest.fn();
    feed.onPublished(told);
    events.waiting = 1700;
    await feed.publish();
    await feed.publish();
    expect([events.waiting, told.mock.calls.length]).toEqual([0, 1]);
  });

  it('does not miss what comes while it reads', async () => {
    const events = table();
    start(events);
    const listener = new Listener();
    feed.listen(listener);
    await settle();
    notify();
    events.add(1);
    notify();
    await settle();
    expect(listener.positions).toEqual(['1']);
  });
});
