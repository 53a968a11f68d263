import { Injectable } from '@nestjs/common';
import { DatabaseWatch } from './database-watch';
import { HotPool } from './hot-pool';

const LIMIT_MS = 1000;

/** Whether the ledger could reach PostgreSQL right now. */
@Injectable()
export class DatabaseHealth {
  constructor(
    private readonly pool: HotPool,
    private readonly watch: DatabaseWatch,
  ) {}

  /** Never rejects, and answers within a second. */
  async isUp(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), LIMIT_MS);
    });
    try {
      return await Promise.race([this.probe(), limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async probe(): Promise<boolean> {
    if (this.watch.isDown && !(await this.watch.look())) return false;
    return await this.pool.query('SELECT 1').then(
      () => true,
      () => false,
    );
  }
}
