import { Module } from '@nestjs/common';
import { BudgetRepository } from './budget.repository';
import { DisputeReporter } from './dispute.reporter';
import { JournalReplayer } from './journal-replayer.service';
import { LedgerLane } from './ledger.lane';
import { LedgerService } from './ledger.service';
import { LedgerStore } from './ledger.store';
import { LimitRepository } from './limit.repository';
import { OpenHolds } from './open-holds';
import { ProcessIdentity } from './process-identity';
import { ProcessLease } from './process-lease.service';
import { Reaper } from './reaper.service';
import { Reconciliation } from './reconciliation.service';
import { SettlementJournal } from './settlement-journal';
import { Settler } from './settler.service';
import { UsageController } from './usage.controller';
import { UsagePages } from './usage.pages';
import { UsageRepository } from './usage.repository';

const DOORS = [LedgerService, BudgetRepository, LimitRepository, Reconciliation];

@Module({
  controllers: [UsageController],
  providers: [
    ...DOORS,
    DisputeReporter,
    JournalReplayer,
    LedgerLane,
    LedgerStore,
    OpenHolds,
    ProcessIdentity,
    ProcessLease,
    Reaper,
    SettlementJournal,
    Settler,
    UsagePages,
    UsageRepository,
  ],
  exports: DOORS,
})
export class LedgerModule {}
