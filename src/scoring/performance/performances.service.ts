import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { AppConfig } from '../../config/index';
import { Notifications } from '../../database/index';
import { BackgroundLoop } from '../../observability/index';
import { PERFORMANCE_CHANGED, PerformanceStore } from './performance-store';
import { PerformanceTable } from './performance-table';

/** Whichever process comes first so long before the interval is over measures. */
const EARLY_MS = 5000;
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
  private readonly intervalMs: number;
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly store: PerformanceStore,
    private readonly notifications: Notifications,
    config: AppConfig,
  ) {
    this.intervalMs = config.vars.ROUTING_MEASURE_MS;
    this.loop = new BackgroundLoop('measuring models', this.intervalMs, () => this.renew());
  }

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
    if (this.intervalMs === 0) return;
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

  /** Resolves when this process has what is in force at the call, measured anew if that is due. Never rejects. */
  async now(): Promise<void> {
    await this.loop.runNow();
  }

  /** Takes over the table in force, measured anew when that is due. @throws ServiceUnavailableError */
  private async renew(): Promise<void> {
    this.table = await this.store.current(Math.max(0, this.intervalMs - EARLY_MS));
  }

  private remember(table: PerformanceTable): void {
    const [oldest] = this.known.keys();
    if (this.known.size >= MAX_KNOWN && oldest !== undefined) this.known.delete(oldest);
    this.known.set(table.version, table);
  }
}
