import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RowCleanup, rowRemoval } from '../database/index';

const KEPT_DAYS = 30;
/** A total budget has one period without an end. Longer, because a threshold is told once per limit only while its row stands. */
const TOTAL_KEPT_DAYS = 90;

const IS_OVER = `
  published_at < now() - interval '${KEPT_DAYS} days'
    and (ledger_period_end(period, period_start) <= now()
      or (period = 'total' and published_at < now() - interval '${TOTAL_KEPT_DAYS} days'))`;

/** Forgets thresholds that were published long ago. */
@Injectable()
export class ThresholdCleanup extends RowCleanup {
  constructor(database: DataSource) {
    super([rowRemoval(database, 'budget_thresholds', 'id', IS_OVER)]);
  }
}
