import { Module } from '@nestjs/common';
import { EventsModule } from '../events/index';
import { LedgerModule } from '../ledger/index';
import { RateLimitGuard } from './rate-limit.guard';

/** Budgets and limits as people set and see them; the ledger keeps and enforces them. */
@Module({ imports: [EventsModule, LedgerModule], providers: [RateLimitGuard], exports: [RateLimitGuard] })
export class BudgetModule {}
