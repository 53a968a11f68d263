import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { toServiceUnavailable } from '../database/index';
import { AppLogger } from '../observability/index';
import { LedgerStore } from './ledger.store';
import { OpenHolds } from './open-holds';
import { ProcessIdentity } from './process-identity';
import { RepeatingTask } from './repeating-task';

const RENEWALS_PER_LEASE = 3;

/**
 * Tells the others that this process lives: one row renewed three times a lease covers all its holds. The same beat
 * frees holds that stand in PostgreSQL for this process and that it knows nothing of, because the answer to an
 * admission was lost with its connection.
 */
@Injectable()
export class ProcessLease implements OnModuleInit, OnApplicationShutdown {
  private readonly leaseMs: number;
  private readonly task: RepeatingTask;

  constructor(
    config: AppConfig,
    private readonly store: LedgerStore,
    private readonly identity: ProcessIdentity,
    private readonly openHolds: OpenHolds,
    private readonly logger: AppLogger,
  ) {
    this.leaseMs = config.vars.HOLD_LEASE_MS;
    this.task = new RepeatingTask(this.leaseMs / RENEWALS_PER_LEASE, () => this.tryBeat());
  }

  async onModuleInit(): Promise<void> {
    this.task.start();
    await this.task.trigger();
  }

  /** Whoever reaps next may take what this process leaves open. */
  async onApplicationShutdown(): Promise<void> {
    await this.task.stop();
    try {
      await this.store.endLease(this.identity.id);
    } catch (error) {
      this.logger.warn(`The lease could not be ended, it runs out by itself: ${(error as Error).message}`);
    }
  }

  /** Renews the lease (or registers again when it was lost) and frees orphaned holds. */
  async beat(): Promise<void> {
    await this.store.renewLease(this.identity.id, this.leaseMs);
    const held = await this.store.listHolds(this.identity.id, this.leaseMs);
    const orphans = held.filter((requestId) => !this.openHolds.has(requestId));
    if (orphans.length > 0) await this.store.release(orphans);
  }

  private async tryBeat(): Promise<void> {
    try {
      await this.beat();
    } catch (error) {
      if (!toServiceUnavailable(error)) this.logger.error(`The lease could not be renewed: ${String(error)}`);
    }
  }
}
