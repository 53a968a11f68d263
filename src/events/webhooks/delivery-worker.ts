import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { BackgroundLoop, BackgroundTasks, OpenRequests, ShutdownError } from '../../observability/index';
import { EventFeed } from '../event-feed';
import type { ClaimedDelivery } from './deliveries.repository';
import { DeliveryTries } from './delivery-tries.service';

const POLL_MS = 1000;
const MAX_IN_FLIGHT = 32;

/**
 * Makes due deliveries, all processes together: PostgreSQL gives each try to one of them. When a process dies between
 * sending and writing that down, its lease runs out and the event is sent once more: receivers get every event at
 * least once, and know it again by its id.
 */
@Injectable()
export class DeliveryWorker implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new BackgroundLoop('delivering to webhooks', POLL_MS, () => this.takeDue());
  private readonly inFlight = new Map<Promise<void>, string>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly tries: DeliveryTries,
    private readonly feed: EventFeed,
    private readonly background: BackgroundTasks,
    private readonly requests: OpenRequests,
  ) {}

  onModuleInit(): void {
    this.feed.onPublished(() => this.wake());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new ShutdownError());
    await this.loop.stop();
    await Promise.allSettled(this.inFlight.keys());
  }

  wake(): void {
    this.loop.wake();
  }

  private async takeDue(): Promise<void> {
    while (!this.requests.isDraining && !this.stopping.signal.aborted) {
      const free = MAX_IN_FLIGHT - this.inFlight.size;
      if (free <= 0) return;
      const due = await this.tries.claim([...new Set(this.inFlight.values())], free);
      for (const delivery of due) this.start(delivery);
      if (due.length < free) return;
    }
  }

  private start(delivery: ClaimedDelivery): void {
    this.background.run('webhook-delivery', (signal) => {
      const either = AbortSignal.any([signal, this.stopping.signal]);
      const made = this.tries.make(delivery, either).finally(() => {
        this.inFlight.delete(made);
        this.wake();
      });
      this.inFlight.set(made, delivery.webhookId);
      return made;
    });
  }
}
