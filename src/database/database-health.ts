import { Injectable } from '@nestjs/common';
import { HotPool } from './hot-pool';

const LIMIT_MS = 1000;

/** Whether the ledger could reach PostgreSQL right now. */
@Injectable()
export class DatabaseHealth {
  constructor(private readonly pool: HotPool) {}

  /** Never rejects, and answers within a second. */
  async isUp(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), LIMIT_MS);
    });
    const probe = this.pool.query('SELECT 1').then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([probe, limit]);
    } finally {
      clearTimeout(timer);
    }
  }
}
