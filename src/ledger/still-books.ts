import type { DataSource, EntityManager } from 'typeorm';
import { ServiceUnavailableError } from '../errors/index';
import { repeatOnConflict } from './repeat-on-conflict';

/** Below the lock timeout of the hot pool, so that a slow count fails itself and not the admissions that wait for it. */
const LIMIT_MS = 4000;
const TIMEOUTS = new Set(['57014', '55P03']);

/**
 * Runs a function that takes the ledger lock exclusively: every admission waits until it ends.
 * @throws ServiceUnavailableError when it takes too long.
 */
export async function inStillBooks(
  database: DataSource | EntityManager,
  sql: string,
  values: unknown[],
  limitMs = LIMIT_MS,
): Promise<void> {
  try {
    await repeatOnConflict(() =>
      database.transaction(async (manager) => {
        await manager.query(`set local statement_timeout = ${limitMs}`);
        await manager.query(sql, values);
      }),
    );
  } catch (cause) {
    if (!TIMEOUTS.has(String((cause as { code?: unknown }).code))) throw cause;
    throw new ServiceUnavailableError('The books are too busy for this: try again later', { cause });
  }
}
