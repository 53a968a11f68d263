import path from 'node:path';
import type { DataSourceOptions } from 'typeorm';

export type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** A caller waits this long for a connection, then the failure is a 503. */
export const CONNECT_TIMEOUT_MS = 5000;

/** A peer that is gone is found after some ten seconds and a few probes; systems wait two hours when told nothing. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const;

/**
 * The one description of the database, for the application, the migration commands and the tests. The same patterns
 * find the entities and migrations among the sources and in dist.
 * @param url postgresql://user:password@host:port/database
 */
export function buildDataSourceOptions(url: string, poolSize: number): PostgresOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    applicationName: 'lattice',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: KEEP_ALIVE,
    entities: [path.join(__dirname, '..', '**', '*.entity.{ts,js}')],
    migrations: [path.join(__dirname, 'migrations', '*.{ts,js}')],
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    // gen_random_uuid() is part of PostgreSQL: a fresh database needs no extension.
    uuidExtension: 'pgcrypto',
    installExtensions: false,
  };
}
