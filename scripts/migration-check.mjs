// Proves, on a throw-away PostgreSQL, that the migrations run, can all be reverted, run again, and lead to exactly the
// schema that the entities describe. Runs with @swc-node/register, since it uses the sources.
import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { DataSource } from 'typeorm';

const require = createRequire(import.meta.url);
const { buildDataSourceOptions, EmbeddedPostgres } = require('../src/database/index.ts');

/** What stands in the schema apart from TypeORM's own list of migrations. */
const leftovers = `
  SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
    AND c.relkind IN ('r', 'v', 'm', 'p', 'S') AND c.relname NOT IN ('migrations', 'migrations_id_seq')
  UNION ALL
  SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
  UNION ALL
  SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
  ORDER BY 1`;

async function checkDowns(dataSource, count) {
  for (let index = 0; index < count; index++) await dataSource.undoLastMigration();
  const rest = await dataSource.query(leftovers);
  if (rest.length > 0) {
    throw new Error(`Reverting every migration leaves behind: ${rest.map(({ name }) => name).join(', ')}`);
  }
}

async function checkDrift(dataSource) {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  if (upQueries.length === 0) return;
  const statements = upQueries.map(({ query }) => `  ${query};`).join('\n');
  throw new Error(`The migrations do not lead to what the entities describe. Missing:\n${statements}`);
}

async function check(url) {
  const dataSource = await new DataSource(buildDataSourceOptions(url, 2)).initialize();
  try {
    const applied = await dataSource.runMigrations();
    await checkDrift(dataSource);
    await checkDowns(dataSource, applied.length);
    await dataSource.runMigrations();
    await checkDrift(dataSource);
    console.log(`${applied.length} migrations run, revert, run again and match the entities.`);
  } finally {
    await dataSource.destroy();
  }
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'lattice-migrations-'));
const server = await EmbeddedPostgres.start({ folder, fast: true, dieWithParent: true });
try {
  await check(server.url);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
