import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BackgroundLoop } from '../observability/index';

const INTERVAL_MS = 3_600_000;
/** So few at a time that no statement holds its locks for long. */
const BATCH = 1000;

/** Removes `limit` rows at most and returns how many. */
export type RowRemoval = (limit: number) => Promise<number>;

/**
 * Takes away rows whose time is over, in batches: once an hour, and first at the start, so that a process that never
 * lives for an hour cleans as well. All processes may do it at once.
 */
export abstract class RowCleanup implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new BackgroundLoop(this.constructor.name, INTERVAL_MS, (signal) =>
    this.run(signal),
  );

  constructor(private readonly removals: readonly RowRemoval[]) {}

  onApplicationBootstrap(): void {
    this.loop.start();
    this.loop.wake();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Until nothing is over that can be had. Returns how many rows it took away. */
  async run(signal?: AbortSignal): Promise<number> {
    let total = 0;
    for (const remove of this.removals) {
      let count = BATCH;
      while (count === BATCH && !signal?.aborted) {
        count = await remove(BATCH);
        total += count;
      }
    }
    return total;
  }
}

/**
 * Removes rows of a table. Never waits for one that somebody uses: whoever locks several of them would wait for this in
 * turn. Materialized, because a subquery that is planned to run again for each row would pass the limit.
 * @param key columns of a unique key
 * @param isOver condition of SQL
 */
export function rowRemoval(database: DataSource, table: string, key: string, isOver: string): RowRemoval {
  const sql = `
    with gone as materialized (
      select ${key} from ${table} where ${isOver} limit $1 for update skip locked)
    delete from ${table} where (${key}) in (select ${key} from gone)`;
  return async (limit) => {
    const [, count] = await database.query<[unknown, number]>(sql, [limit]);
    return count;
  };
}
