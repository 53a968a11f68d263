import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index';
import { EventsModule } from '../events/index';
import { LedgerModule } from '../ledger/index';
import { BudgetStreams } from './budget-streams';
import { BudgetsController } from './budgets.controller';
import { BudgetsService } from './budgets.service';
import { KeyAllowancesService } from './key-allowances.service';
import { LimitPresence } from './limit-presence';
import { LimitsController } from './limits.controller';
import { LimitsService } from './limits.service';
import { RateLimitGuard } from './rate-limit.guard';
import { ThresholdCleanup } from './threshold-cleanup';
import { ThresholdPublisher } from './threshold-publisher';

/** Budgets and limits as people set and see them; the ledger keeps and enforces them. */
@Module({
  imports: [AuthModule, EventsModule, LedgerModule],
  controllers: [BudgetsController, LimitsController],
  providers: [
    BudgetsService,
    BudgetStreams,
    KeyAllowancesService,
    LimitPresence,
    LimitsService,
    RateLimitGuard,
    ThresholdCleanup,
    ThresholdPublisher,
  ],
  exports: [BudgetsService, RateLimitGuard],
})
export class BudgetModule {}
