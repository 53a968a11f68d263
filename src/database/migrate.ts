import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { ConfigurationError, toServiceUnavailable } from '../errors/index';
import { CONNECT_TIMEOUT_MS } from './data-source-options';
import { migrateDurableSchema } from './durable-schema';

/** Any fixed number: all processes that migrate the same database ask for the same lock. */
const MIGRATION_LOCK = 7_269_001;

/**
 * Runs the pending migrations, one process at a time. Waiters ask again and again instead of blocking in the server,
 * because an open statement of theirs would block CREATE INDEX CONCURRENTLY in the process that migrates.
 * @throws ConfigurationError when a migration fails; the ones before it stay applied.
 */
export async function migrate(dataSource: DataSource, url: string): Promise<void> {
  const lockHolder = new Client({
    connectionString: url,
    application_name: 'lattice-migrations',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  lockHolder.on('error', () => undefined);
  await lockHolder.connect();
  try {
    while (!(await tryLock(lockHolder))) await delay(100);
    await dataSource.runMigrations();
    await migrateDurableSchema(lockHolder, url);
  } catch (error) {
    if (toServiceUnavailable(error)) throw error;
    throw new ConfigurationError(`A database migration failed: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    // Ending the session frees the lock.
    await lockHolder.end();
  }
}

async function tryLock(client: Client): Promise<boolean> {
  const answer = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
    MIGRATION_LOCK,
  ]);
  return answer.rows[0]?.locked === true;
}
