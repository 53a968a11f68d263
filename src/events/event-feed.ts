import {
  Injectable,
  type OnApplicationBootstrap,
  type BeforeApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Notifications } from '../database/index';
import { BackgroundLoop } from '../observability/index';
import type { StoredEvent } from './event';
import { EventRepository, PUBLISH_BATCH } from './event.repository';
import { EVENTS_CHANNEL } from './outbox';

/** Must not throw. */
export interface FeedListener {
  /** Events in the order of their positions, each once. */
  push(events: readonly StoredEvent[]): void;
  /** There may be events that are never pushed: look into the table. */
  lag(): void;
}

const FALLBACK_POLL_MS = 10_000;
const READ_BATCH = 500;

/**
 * The one reader of this process: publishes what was appended and hands every new event to all listeners. Woken by
 * NOTIFY, and looks every ten seconds in case a notification was lost.
 */
@Injectable()
export class EventFeed implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new BackgroundLoop('reading events', FALLBACK_POLL_MS, () => this.round());
  private readonly listeners = new Set<FeedListener>();
  private readonly publishListeners = new Set<() => void>();
  /** Up to where the listeners were told; undefined while there are none. */
  private position?: string;

  constructor(
    private readonly events: EventRepository,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.notifications.on(EVENTS_CHANNEL, () => this.wake());
    this.notifications.onReconnect(() => this.wake());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
    this.wake();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  wake(): void {
    this.loop.wake();
  }

  /**
   * From now on the listener is told of every event that a reading of the table, started after this call, may not find.
   * Returns how to stop.
   */
  listen(listener: FeedListener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.wake();
    return () => this.listeners.delete(listener);
  }

  /** Called after events were published by this process: there may be webhooks to deliver. */
  onPublished(listener: () => void): void {
    this.publishListeners.add(listener);
  }

  /** When it is back, all that was committed before the call has its position. */
  async publish(): Promise<void> {
    let total = 0;
    for (;;) {
      const count = await this.events.publish(PUBLISH_BATCH);
      total += count;
      if (count < PUBLISH_BATCH) break;
    }
    if (total > 0) for (const listener of this.publishListeners) listener();
  }

  private async round(): Promise<void> {
    await this.publish();
    await this.read();
  }

  private async read(): Promise<void> {
    if (this.listeners.size === 0) {
      this.position = undefined;
      return;
    }
    if (this.position === undefined) {
      this.position = await this.events.head();
      for (const listener of this.listeners) listener.lag();
    }
    for (;;) {
      const found = await this.events.after(this.position, {}, READ_BATCH);
      const last = found.at(-1);
      if (!last) return;
      this.position = last.position;
      for (const listener of this.listeners) listener.push(found);
      if (found.length < READ_BATCH) return;
    }
  }
}
