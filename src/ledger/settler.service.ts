import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { toApiId } from '../common/index';
import { BillingIntegrityError, toServiceUnavailable } from '../errors/index';
import { AppLogger, BackgroundLoop } from '../observability/index';
import type { Settlement } from './ledger-rows';
import { LedgerLane } from './ledger.lane';
import { LedgerStore } from './ledger.store';
import { OpenHolds } from './open-holds';
import { SettlementJournal } from './settlement-journal';

const RETRY_INTERVAL_MS = 1000;

/**
 * Gets finished attempts into the books, or onto the disk until the books can take them. What neither takes is kept in
 * memory and tried again; should the process die meanwhile, its holds are settled at their bound.
 */
@Injectable()
export class Settler implements OnApplicationShutdown {
  private readonly unsaved = new Set<Settlement>();
  private readonly retries = new BackgroundLoop('saving settlements', RETRY_INTERVAL_MS, () => this.retry());

  constructor(
    private readonly lane: LedgerLane,
    private readonly store: LedgerStore,
    private readonly journal: SettlementJournal,
    private readonly openHolds: OpenHolds,
    private readonly logger: AppLogger,
  ) {}

  /** Settlements that are in memory only. */
  get unsavedCount(): number {
    return this.unsaved.size;
  }

  /** Never rejects. Resolves when the lines are in PostgreSQL or in the journal, or when neither takes them now. */
  async settle(settlement: Settlement): Promise<void> {
    try {
      await this.save(settlement);
    } catch (error) {
      if (this.unsaved.size === 0) {
        this.logger.fatal(
          `Settlements wait in memory until PostgreSQL or the disk takes them: ${(error as Error).message}`,
        );
      }
      this.unsaved.add(settlement);
      this.retries.start();
    }
  }

  /** One last try for what is in memory only. */
  async onApplicationShutdown(): Promise<void> {
    await this.retries.stop();
    if (this.unsaved.size > 0) await this.retry();
  }

  /** Tries again to save what is in memory only. */
  private async retry(): Promise<void> {
    await Promise.all(
      [...this.unsaved].map((settlement) =>
        this.save(settlement).then(
          () => this.unsaved.delete(settlement),
          () => undefined,
        ),
      ),
    );
    if (this.unsaved.size === 0) this.retries.pause();
  }

  private async save(settlement: Settlement): Promise<void> {
    try {
      await this.book(settlement);
    } catch (error) {
      if (this.journal.length === 0) {
        this.logger.warn(
          `Settlements wait in the journal until PostgreSQL is back: ${(error as Error).message}`,
        );
      }
      await this.journal.append(settlement);
    }
  }

  /**
   * Idempotent by request id and attempt.
   * @throws ServiceUnavailableError when PostgreSQL is away.
   */
  async book(settlement: Settlement): Promise<void> {
    try {
      await this.lane.settle(settlement);
    } catch (error) {
      const away = toServiceUnavailable(error);
      if (away) throw away;
      await this.setAside(settlement, error);
    }
    this.openHolds.delete(settlement.owner.request_id);
  }

  /** What PostgreSQL refuses for its content is booked at the bound of its intent, and kept for a human to look at. */
  private async setAside(settlement: Settlement, cause: unknown): Promise<void> {
    const requestId = settlement.owner.request_id;
    const message =
      'A settlement could not be booked: it stands in journal/rejected.log, its bound in the books';
    await this.journal.reject(settlement, (cause as Error).message);
    this.logger.event('billing', {
      requestId: toApiId('req', requestId),
      err: new BillingIntegrityError(message, { cause }),
    });
    try {
      await this.store.closeAtBound([requestId]);
    } catch (error) {
      throw toServiceUnavailable(error) ?? error;
    }
  }
}
