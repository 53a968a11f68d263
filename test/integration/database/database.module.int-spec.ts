import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import {
  buildDataSourceOptions,
  connect,
  DatabaseHealth,
  DatabaseModule,
  DatabaseServer,
  type DatabaseWatch,
  HotPool,
} from '../../../src/database/index';
import { toServiceUnavailable } from '../../../src/errors/index';
import { asAdmin, databaseRun } from '../../support/database/database-run';
import {
  createEmptyDatabase,
  createTestDatabase,
  type TestDatabase,
} from '../../support/database/test-database';

@Module({})
class Root {}

const nameOf = (database: TestDatabase) => new URL(database.url).pathname.slice(1);

describe(DatabaseModule.name, () => {
  async function boot(url: string) {
    const config = loadConfig({ LATTICE_ENV: 'test', DATABASE_URL: url, LATTICE_SECRET_KEY: 'x'.repeat(32) });
    const server = await DatabaseServer.open(config);
    const imports = [ConfigModule.forRoot(config), DatabaseModule.forRoot(server.url)];
    return NestFactory.createApplicationContext(
      { module: Root, imports },
      { abortOnError: false, logger: false },
    );
  }

  it('gives the data source and the hot pool, and closes every connection with the application', async () => {
    const database = await createTestDatabase();
    const app = await boot(database.url);
    const sql = 'SELECT application_name AS name FROM pg_stat_activity WHERE pid = pg_backend_pid()';
    expect((await app.get(HotPool).query(sql)).rows).toEqual([{ name: 'lattice-ledger' }]);
    expect(await app.get<DataSource>(getDataSourceToken()).query(sql)).toEqual([{ name: 'lattice' }]);
    await app.close();
    expect(await connectionsOf(database)).toBe(0);
    await database.drop();
  });

  it('survives the loss of all its connections, idle and in a transaction, and recovers by itself', async () => {
    const database = await createTestDatabase();
    const app = await boot(database.url);
    const pool = app.get(HotPool);
    const dataSource = app.get<DataSource>(getDataSourceToken());
    const client = await pool.connect();
    const runner = dataSource.createQueryRunner();
    await client.query('BEGIN');
    await runner.startTransaction();
    await pool.query('SELECT 1');

    await asAdmin(databaseRun(), [
      `ALTER DATABASE ${nameOf(database)} WITH ALLOW_CONNECTIONS false`,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${nameOf(database)}'`,
    ]);
    const failure: unknown = await client.query('SELECT 1').catch((error: unknown) => error);
    expect(toServiceUnavailable(failure)).toMatchObject({ status: 503 });
    await expect(runner.query('SELECT 1')).rejects.toThrow();
    client.release(true);
    await runner.release();
    expect(await app.get(DatabaseHealth).isUp()).toBe(false);

    await asAdmin(databaseRun(), [`ALTER DATABASE ${nameOf(database)} WITH ALLOW_CONNECTIONS true`]);
    expect(await app.get(DatabaseHealth).isUp()).toBe(true);
    await expect(dataSource.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    await app.close();
    await database.drop();
  });

  it('limits how long the ledger waits for a lock, a statement and a server that hangs', async () => {
    const database = await createTestDatabase();
    const app = await boot(database.url);
    const pool = app.get(HotPool);
    const sql = `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement`;
    expect((await pool.query(sql)).rows).toEqual([{ lock: '5s', statement: '5500ms' }]);
    expect(pool.options).toMatchObject({ query_timeout: 6000 });
    await app.close();
    await database.drop();
  });

  it('tells whether PostgreSQL answers without a connection that the ledger needs, for any number who ask', async () => {
    const database = await createTestDatabase();
    const app = await boot(database.url);
    const health = app.get(DatabaseHealth);
    const taken = await Promise.all(Array.from({ length: 4 }, () => app.get(HotPool).connect()));
    expect(await health.isUp()).toBe(true);
    expect(app.get(HotPool).waitingCount).toBe(0);
    for (const client of taken) client.release();
    const look = jest.spyOn(Client.prototype, 'query');
    const all = await Promise.all(Array.from({ length: 100 }, () => health.isUp()));
    expect([new Set(all), look.mock.calls.length]).toEqual([new Set([true]), 1]);
    look.mockRestore();
    await app.close();
    await database.drop();
  });

  it('answers "down" within a second when PostgreSQL hangs', async () => {
    const watch = { look: () => new Promise<boolean>(() => undefined) } as DatabaseWatch;
    expect(await new DatabaseHealth(watch).isUp()).toBe(false);
  });

  it('leaves no connection behind when a migration fails', async () => {
    const database = await createEmptyDatabase();
    await query(database.url, 'CREATE TABLE migrations (nothing integer)');
    await expect(boot(database.url)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('migration failed'),
    });
    expect(await connectionsOf(database)).toBe(0);
    await database.drop();
  });

  it('names the server and never the password when it cannot be used', async () => {
    const url = new URL(databaseRun().adminUrl);
    url.pathname = '/no_such_database';
    const failure: unknown = await boot(url.toString()).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(`${url.host}/no_such_database`),
    });
    expect((failure as Error).message).not.toContain(url.password || 'no password');
  });
});

describe(DatabaseServer.name, () => {
  it('starts the embedded server again when it was killed, under the same URL', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'lattice-server-'));
    const server = await DatabaseServer.open({ dataDir });
    const [first] = await query<{ port: string }>(server.url, `SELECT current_setting('port') AS port`);
    const pidFile = path.join(dataDir, 'postgres', 'data', 'postmaster.pid');
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    const revived = () => query(server.url, `SELECT current_setting('port') AS port`).catch(() => undefined);
    const deadline = performance.now() + 20_000;
    let answer = undefined as Awaited<ReturnType<typeof revived>>;
    while (!answer && performance.now() < deadline) answer = await revived();
    expect(answer).toEqual([first]);
    await server.close();
    await expect(query(server.url, 'SELECT 1')).rejects.toThrow();
    rmSync(dataDir, { recursive: true });
  });

  it('leaves the server of DATABASE_URL alone', async () => {
    const server = await DatabaseServer.open({ databaseUrl: databaseRun().adminUrl, dataDir: '/nowhere' });
    expect([server.url, server.isEmbedded]).toEqual([databaseRun().adminUrl, false]);
    await server.close();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe(connect.name, () => {
  it('lets processes that start at once migrate one after the other', async () => {
    const database = await createEmptyDatabase();
    const options = { ...buildDataSourceOptions(database.url, 2), url: database.url };
    const sources = await Promise.all([connect(options), connect(options), connect(options)]);
    const [applied] = await sources[0].query<{ all: string; distinct: string }[]>(
      'SELECT count(*) AS all, count(DISTINCT name) AS distinct FROM migrations',
    );
    expect(applied?.all).toBe(applied?.distinct);
    expect(await sources[0].showMigrations()).toBe(false);
    await Promise.all(sources.map((source) => source.destroy()));
    await database.drop();
  });

  it('applies migrations that can all be taken back', async () => {
    const database = await createEmptyDatabase();
    const source = await connect({ ...buildDataSourceOptions(database.url, 2), url: database.url });
    for (const _ of source.migrations) await source.undoLastMigration();
    const left = await source.query<{ name: string }[]>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'`,
    );
    expect(left).toEqual([]);
    await source.runMigrations();
    await source.destroy();
    await database.drop();
  });
});

async function connectionsOf(database: TestDatabase): Promise<number> {
  const sql = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = '${nameOf(database)}'`;
  const deadline = performance.now() + 5000;
  // The server needs a moment to see that a client has left.
  for (;;) {
    const [row] = await query<{ count: number }>(databaseRun().adminUrl, sql);
    if (row?.count === 0 || performance.now() > deadline) return row?.count ?? 0;
  }
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
