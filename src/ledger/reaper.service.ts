import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { toServiceUnavailable } from '../database/index';
import { AppLogger } from '../observability/index';
import { LedgerStore } from './ledger.store';
import { RepeatingTask } from './repeating-task';

/** Five rounds a lease: with the renewal's age, a dead process is found within 1.2 leases (18 s of the promised 20). */
const ROUNDS_PER_LEASE = 5;

/** Settles the holds of dead processes at their bound. All processes run one; PostgreSQL lets one at a time work. */
@Injectable()
export class Reaper implements OnModuleInit, OnApplicationShutdown {
  private readonly task: RepeatingTask;

  constructor(
    config: AppConfig,
    private readonly store: LedgerStore,
    private readonly logger: AppLogger,
  ) {
    this.task = new RepeatingTask(config.vars.HOLD_LEASE_MS / ROUNDS_PER_LEASE, () => this.tryReap());
  }

  onModuleInit(): void {
    this.task.start();
    void this.task.trigger();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.task.stop();
  }

  /** Returns how many holds were settled. */
  async reap(): Promise<number> {
    const count = await this.store.reap();
    if (count > 0) this.logger.warn(`${count} holds of dead processes were settled at their upper bound`);
    return count;
  }

  private async tryReap(): Promise<void> {
    try {
      await this.reap();
    } catch (error) {
      if (!toServiceUnavailable(error)) this.logger.error(`Holds could not be reaped: ${String(error)}`);
    }
  }
}
