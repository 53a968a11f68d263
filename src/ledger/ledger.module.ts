import { Module } from '@nestjs/common';
import { Cursors } from '../auth/index';
import { PriceRepository } from '../catalog/index';
import { BudgetRepository } from './budget.repository';
import { DefaultLimits } from './default-limits.service';
import { DegradedFloat } from './degraded-float';
import { DegradedLedger } from './degraded-ledger.service';
import { DisputeReporter } from './dispute.reporter';
import { JournalReplayer } from './journal-replayer.service';
import { LedgerAudit } from './ledger-audit.service';
import { LedgerController } from './ledger.controller';
import { LedgerLane } from './ledger.lane';
import { LedgerService } from './ledger.service';
import { LedgerStore } from './ledger.store';
import { LimitRepository } from './limit.repository';
import { OpenHolds } from './open-holds';
import { OutageReporter } from './outage-reporter.service';
import { ProcessIdentity } from './process-identity';
import { ProcessLease } from './process-lease.service';
import { Reaper } from './reaper.service';
import { Reconciliation } from './reconciliation.service';
import { Rerater } from './rerater.service';
import { SettlementJournal } from './settlement-journal';
import { Settler } from './settler.service';
import { UsageExport } from './usage-export.service';
import { UsageController } from './usage.controller';
import { UsagePages } from './usage.pages';
import { UsageRepository } from './usage.repository';

const DOORS = [LedgerService, BudgetRepository, LimitRepository, Reconciliation];

@Module({
  controllers: [UsageController, LedgerController],
  providers: [
    ...DOORS,
    DefaultLimits,
    DegradedFloat,
    DegradedLedger,
    DisputeReporter,
    JournalReplayer,
    Cursors,
    LedgerAudit,
    LedgerLane,
    LedgerStore,
    OpenHolds,
    OutageReporter,
    ProcessIdentity,
    ProcessLease,
    PriceRepository,
    Reaper,
    Rerater,
    SettlementJournal,
    Settler,
    UsageExport,
    UsagePages,
    UsageRepository,
  ],
  exports: DOORS,
})
export class LedgerModule {}
