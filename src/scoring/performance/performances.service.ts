import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../../config/index';
import { Follower, Notifications } from '../../database/index';
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
export class Performances extends Follower {
  private table = PerformanceTable.empty;
  private readonly known = new LRUCache<string, PerformanceTable>({ max: MAX_KNOWN });
  private readonly intervalMs: number;

  constructor(
    private readonly store: PerformanceStore,
    notifications: Notifications,
    config: AppConfig,
  ) {
    const intervalMs = config.vars.ROUTING_MEASURE_MS;
    super(notifications, { name: 'measuring models', channel: PERFORMANCE_CHANGED, intervalMs });
    this.intervalMs = intervalMs;
  }

  get current(): PerformanceTable {
    return this.table;
  }

  /** Undefined: that version is no longer kept. */
  async find(version: string): Promise<PerformanceTable | undefined> {
    for (const table of [this.table, PerformanceTable.empty]) if (table.version === version) return table;
    const known = this.known.get(version) ?? (await this.store.find(version));
    if (known) this.known.set(version, known);
    return known;
  }

  /** Takes over the table in force, measured anew when that is due. @throws ServiceUnavailableError */
  protected async read(): Promise<void> {
    this.table = await this.store.current(Math.max(0, this.intervalMs - EARLY_MS));
  }

  protected override isNews(version: string): boolean {
    return version !== this.table.version;
  }
}
