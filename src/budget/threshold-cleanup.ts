import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { toServiceUnavailable } from '../database/index';
import { WakeLoop } from '../events/index';
import { AppLogger } from '../observability/index';

const INTERVAL_MS = 3_600_000;
const BATCH = 1000;
const KEPT_DAYS = 30;
/** A total budget has one period without an end. Longer, because a threshold is told once per limit only while its row stands. */
const TOTAL_KEPT_DAYS = 90;

const REMOVE = `
  with removed as (
    delete from budget_thresholds where id in (
      select id from budget_thresholds
      where published_at < now() - interval '${KEPT_DAYS} days'
        and (ledger_period_end(period, period_start) <= now()
          or (period = 'total' and published_at < now() - interval '${TOTAL_KEPT_DAYS} days'))
      limit ${BATCH} for update skip locked)
    returning 1
  ) select count(*)::int as count from removed`;

/** Forgets thresholds that were published long ago, in small batches. All processes may do it at once. */
@Injectable()
export class ThresholdCleanup implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop = new WakeLoop(INTERVAL_MS, () => this.round());
  private isStopping = false;

  constructor(
    private readonly database: DataSource,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
    this.loop.wake();
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await this.loop.stop();
  }

  /** Returns how many. */
  async forget(): Promise<number> {
    let forgotten = 0;
    while (!this.isStopping) {
      const [row] = await this.database.query<{ count: number }[]>(REMOVE);
      const count = row?.count ?? 0;
      forgotten += count;
      if (count < BATCH) break;
    }
    return forgotten;
  }

  private async round(): Promise<void> {
    try {
      await this.forget();
    } catch (error) {
      if (!toServiceUnavailable(error)) {
        this.logger.error(`Old thresholds of budgets could not be forgotten: ${String(error)}`);
      }
    }
  }
}
