import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { buildDataSourceOptions, connect, EmbeddedPostgres } from '../../../src/database/index';
import { currentRun, keepCurrentRun } from './current-run';
import { asAdmin, type DatabaseRun, shareDatabaseRun, urlOf } from './database-run';
import globalTeardown from './global-teardown';
import { makeRunFolder, removeAbandonedFolders } from './run-folder';

/** Starts the server of this test run (or uses TEST_DATABASE_URL) and migrates the template, once for all projects. */
export default async function globalSetup(): Promise<void> {
  if (currentRun()) return;
  const run = await openRun();
  try {
    await makeTemplate(run);
    shareDatabaseRun(run);
  } catch (error) {
    // Jest runs no teardown after a setup that failed.
    await globalTeardown();
    throw error;
  }
}

async function openRun(): Promise<DatabaseRun> {
  const prefix = `lattice_test_${process.pid}_${randomBytes(3).toString('hex')}_`;
  const names = { prefix, template: `${prefix}template` };
  const given = process.env.TEST_DATABASE_URL;
  if (given) {
    const run = { ...names, adminUrl: given };
    keepCurrentRun({ run });
    return run;
  }
  removeAbandonedFolders();
  const folder = makeRunFolder();
  const settings = { max_connections: '200' };
  const server = await EmbeddedPostgres.start({ folder, fast: true, dieWithParent: true, settings });
  const run = { ...names, adminUrl: server.url };
  keepCurrentRun({ run, server, folder });
  return run;
}

async function makeTemplate(run: DatabaseRun): Promise<void> {
  await asAdmin(run, [`CREATE DATABASE ${run.template} TEMPLATE template0`]);
  const url = urlOf(run, run.template);
  const dataSource = await connect({ ...buildDataSourceOptions(url, 2), url });
  await dataSource.destroy();
  await asAdmin(run, [`ALTER DATABASE ${run.template} WITH ALLOW_CONNECTIONS false`]);
}
