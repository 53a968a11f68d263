import { Injectable } from '@nestjs/common';
import { toApiId } from '../common/index';
import { toServiceUnavailable } from '../database/index';
import { BillingIntegrityError } from '../errors/index';
import { AppLogger } from '../observability/index';
import type { Settlement } from './ledger-rows';
import { LedgerLane } from './ledger.lane';
import { LedgerStore } from './ledger.store';
import { OpenHolds } from './open-holds';
import { SettlementJournal } from './settlement-journal';

/** Gets finished attempts into the books, or onto the disk until the books can take them. Never loses one. */
@Injectable()
export class Settler {
  constructor(
    private readonly lane: LedgerLane,
    private readonly store: LedgerStore,
    private readonly journal: SettlementJournal,
    private readonly openHolds: OpenHolds,
    private readonly logger: AppLogger,
  ) {}

  /** Resolves when the lines are in PostgreSQL or in the journal. */
  async settle(settlement: Settlement): Promise<void> {
    try {
      await this.book(settlement);
    } catch (error) {
      if (this.journal.isEmpty) {
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
    this.logger.event('billing', {
      requestId: toApiId('req', requestId),
      err: new BillingIntegrityError(message, { cause }),
    });
    await this.journal.reject(settlement, (cause as Error).message);
    try {
      await this.store.reap([requestId]);
    } catch (error) {
      throw toServiceUnavailable(error) ?? error;
    }
  }
}
