import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RowCleanup, rowRemoval } from '../../database/index';

/** Takes away tables that decided last so long ago that nobody replays their decisions. */
@Injectable()
export class PerformanceCleanup extends RowCleanup {
  constructor(database: DataSource) {
    super([rowRemoval(database, 'routing_performance', 'version', `used_at < now() - interval '90 days'`)]);
  }
}
