import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DegradedState } from '../database/index';
import { AppLogger } from '../observability/index';
import { DegradedFloat } from './degraded-float';
import { SettlementJournal } from './settlement-journal';
import { Settler } from './settler.service';

/** Tells readiness what waits for PostgreSQL, and at the start whether the disk could take it. */
@Injectable()
export class OutageReporter implements OnModuleInit {
  constructor(
    private readonly state: DegradedState,
    private readonly journal: SettlementJournal,
    private readonly settler: Settler,
    private readonly float: DegradedFloat,
    private readonly logger: AppLogger,
  ) {}

  async onModuleInit(): Promise<void> {
    const { journal, settler, float } = this;
    this.state.tellBy(() => ({
      journal: {
        entries: journal.length,
        oldestAt: journal.oldestAt,
        unsaved: settler.unsavedCount,
        problem: journal.problem,
      },
      float: { totalPicoUsd: float.total, leftPicoUsd: float.left },
    }));
    await journal.probe();
    if (journal.problem)
      this.logger.fatal(`Nothing can be kept on disk while PostgreSQL is away: journal: ${journal.problem}`);
  }
}
