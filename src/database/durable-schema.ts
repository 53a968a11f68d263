import { Logger } from '@nestjs/common';
import { type Client, Pool } from 'pg';

/** The schema of the durable engine as its pinned version makes it; a contract test compares. */
export const DURABLE_SCHEMA_VERSION = 123;

/**
 * Makes or renews the engine's own schema, `dbos`, beside ours. The engine is loaded only where there is something to do.
 * @param lockHolder holds the lock of the migrations
 */
export async function migrateDurableSchema(lockHolder: Client, url: string): Promise<void> {
  if ((await versionOf(lockHolder)) >= DURABLE_SCHEMA_VERSION) return;
  const { ensureSystemDatabase } = await import('@dbos-inc/dbos-sdk/internal/system_database');
  // Without a pool of ours it would try to create the database.
  const pool = new Pool({ connectionString: url, max: 1 });
  try {
    await ensureSystemDatabase(url, migrationLogger() as never, pool);
  } finally {
    await pool.end();
  }
}

/** 0: there is none. */
async function versionOf(client: Client): Promise<number> {
  const found = await client.query<{ exists: boolean }>(
    `select to_regclass('dbos.dbos_migrations') is not null as exists`,
  );
  if (!found.rows[0]?.exists) return 0;
  const { rows } = await client.query<{ version: string }>(
    'select max(version) as version from dbos.dbos_migrations',
  );
  return Number(rows[0]?.version ?? 0);
}

/** That it migrates is no news. */
function migrationLogger(): Record<'debug' | 'info' | 'warn' | 'error', (entry: unknown) => void> {
  const logger = new Logger('Database');
  const warn = (entry: unknown): void => logger.warn(String(entry));
  return { debug: () => undefined, info: () => undefined, warn, error: warn };
}
