import { randomBytes } from 'node:crypto';
import { asAdmin, databaseRun, urlOf } from './database-run';

export interface TestDatabase {
  readonly url: string;
  /** Removes the database, also when connections are still open. May be repeated. */
  drop(): Promise<void>;
}

/** A database of its own for one test file, with every migration applied: a copy of the run's template (about 30 ms). */
export async function createTestDatabase(): Promise<TestDatabase> {
  return createFrom(databaseRun().template);
}

/** A database without any table, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createFrom('template0');
}

async function createFrom(template: string): Promise<TestDatabase> {
  const run = databaseRun();
  const name = `${run.prefix}${randomBytes(6).toString('hex')}`;
  await asAdmin(run, [`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`]);
  return {
    url: urlOf(run, name),
    drop: () => asAdmin(run, [`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`]),
  };
}
