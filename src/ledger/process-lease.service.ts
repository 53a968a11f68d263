import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { AppLogger, BackgroundLoop } from '../observability/index';
import { LedgerStore } from './ledger.store';
import { OpenHolds } from './open-holds';
import { ProcessIdentity } from './process-identity';
import { Reaper } from './reaper.service';

/** Five rounds a lease: with the renewal's age, a dead process is found within 1.2 leases (18 s of the promised 20). */
const ROUNDS_PER_LEASE = 5;

/**
 * Tells the others that this process lives: one row renewed five times a lease covers all its holds. The same beat
 * frees holds that stand in PostgreSQL for this process and that it knows nothing of, because the answer to an
 * admission was lost with its connection. Then it looks for the dead: only after its own beat, and after a gap in
 * its beats only a lease later, because what kept it from PostgreSQL may have kept the others too.
 */
@Injectable()
export class ProcessLease implements OnModuleInit, OnApplicationShutdown {
  private readonly leaseMs: number;
  private readonly loop: BackgroundLoop;
  private lastBeatAt?: number;
  private mayReapAt = 0;

  constructor(
    config: AppConfig,
    private readonly store: LedgerStore,
    private readonly identity: ProcessIdentity,
    private readonly openHolds: OpenHolds,
    private readonly reaper: Reaper,
    private readonly logger: AppLogger,
  ) {
    this.leaseMs = config.vars.HOLD_LEASE_MS;
    const name = 'renewing the lease and reaping holds';
    this.loop = new BackgroundLoop(name, this.leaseMs / ROUNDS_PER_LEASE, () => this.round());
  }

  async onModuleInit(): Promise<void> {
    this.loop.start();
    await this.loop.runNow();
  }

  /** Whoever reaps next may take what this process leaves open. */
  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
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

  private async round(): Promise<void> {
    await this.beat();
    this.noteBeat(performance.now());
    if (performance.now() >= this.mayReapAt) await this.reaper.reap();
  }

  private noteBeat(now: number): void {
    if (this.lastBeatAt !== undefined && now - this.lastBeatAt > this.leaseMs)
      this.mayReapAt = now + this.leaseMs;
    this.lastBeatAt = now;
  }
}
