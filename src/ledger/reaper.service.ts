import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { AppLogger } from '../observability/index';
import { LedgerStore } from './ledger.store';
import { ProcessIdentity } from './process-identity';

/** Settles the holds of dead processes at their bound. All processes do; PostgreSQL lets one at a time work. */
@Injectable()
export class Reaper {
  private readonly leaseMs: number;

  constructor(
    config: AppConfig,
    private readonly store: LedgerStore,
    private readonly identity: ProcessIdentity,
    private readonly logger: AppLogger,
  ) {
    this.leaseMs = config.vars.HOLD_LEASE_MS;
  }

  /** Returns how many holds were settled. */
  async reap(): Promise<number> {
    const count = await this.store.reap(this.identity.id, this.leaseMs);
    if (count > 0) this.logger.warn(`${count} holds of dead processes were settled at their upper bound`);
    return count;
  }
}
