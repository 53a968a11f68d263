import type { EntityManager } from 'typeorm';
import { ConflictError, ServiceUnavailableError } from '../errors/index';
import { isUniqueViolation } from './repeat-on-conflict';

/**
 * Below the lock timeout of the hot pool, both together, so that a slow count, or a process that stops before it commits,
 * fails itself and not the admissions that wait for it.
 */
const LIMIT_MS = 3500;
const IDLE_LIMIT_MS = 1400;
const TIMEOUTS = new Set(['57014', '55P03']);

/**
 * Ends a transaction with a function that takes the ledger lock exclusively: every admission waits until the commit, so
 * nothing comes after it.
 * @throws ServiceUnavailableError when it takes too long, ConflictError when what it writes is there already.
 */
export async function inStillBooks(
  manager: EntityManager,
  sql: string,
  values: unknown[],
  { limitMs = LIMIT_MS, taken = 'It is there already' } = {},
): Promise<void> {
  try {
    await manager.query(
      `select set_config('statement_timeout', $1, true),
         set_config('idle_in_transaction_session_timeout', $2, true)`,
      [String(limitMs), String(IDLE_LIMIT_MS)],
    );
    await manager.query(sql, values);
  } catch (cause) {
    if (isUniqueViolation(cause)) throw new ConflictError(taken, { cause });
    if (!TIMEOUTS.has(String((cause as { code?: unknown }).code))) throw cause;
    throw new ServiceUnavailableError('The books are too busy for this: try again later', { cause });
  }
}
