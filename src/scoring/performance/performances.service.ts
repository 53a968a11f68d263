import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Notifications } from '../../database/index';
import { BackgroundLoop } from '../../observability/index';
import { MEASURE_INTERVAL_MS, PERFORMANCE_CHANGED, PerformanceStore } from './performance-store';
import { PerformanceTable } from './performance-table';

/** Whichever process comes first after that measures. */
const MAX_AGE_MS = MEASURE_INTERVAL_MS - 5000;
/** Of earlier versions, for who asks for many decisions of a time. */
const MAX_KNOWN = 100;

/**
 * The measured performance that decides now, and those that decided before. Measured once a minute by one of the processes,
 * behind all requests; the others follow as soon as they are told, so that all decide alike.
 */
@Injectable()
export class Performances implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private table = PerformanceTable.empty;
  private readonly known = new Map<string, PerformanceTable>();
  private readonly loop = new BackgroundLoop('measuring models', MEASURE_INTERVAL_MS, () => this.renew());

  constructor(
    private readonly store: PerformanceStore,
    private readonly notifications: Notifications,
  ) {}

  get current(): PerformanceTable {
    return this.table;
  }

  onModuleInit(): void {
    this.notifications.on(PERFORMANCE_CHANGED, (version) => {
      if (version !== this.table.version) this.loop.wake();
    });
    this.notifications.onReconnect(() => this.loop.wake());
  }

  async onApplicationBootstrap(): Promise<void> {
    this.loop.start();
    await this.loop.runNow();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Undefined: that version is no longer kept. */
  async find(version: string): Promise<PerformanceTable | undefined> {
    for (const table of [this.table, PerformanceTable.empty]) if (table.version === version) return table;
    const known = this.known.get(version) ?? (await this.store.find(version));
    if (known) this.remember(known);
    return known;
  }

  /** Takes over the table in force, measured anew when that is due. @throws ServiceUnavailableError */
  async renew(): Promise<void> {
    this.table = await this.store.current(MAX_AGE_MS);
  }

  private remember(table: PerformanceTable): void {
    const [oldest] = this.known.keys();
    if (this.known.size >= MAX_KNOWN && oldest !== undefined) this.known.delete(oldest);
    this.known.set(table.version, table);
  }
}
