import { Client } from 'pg';

/** What the global setup of one test run tells its workers, through the environment that they inherit. */
export interface DatabaseRun {
  /** A database on the test server from which others can be made and dropped. */
  readonly adminUrl: string;
  /** Prefix of every database of this run. */
  readonly prefix: string;
  readonly template: string;
}

const VARIABLE = 'LATTICE_TEST_DATABASE_RUN';

export function shareDatabaseRun(run: DatabaseRun | undefined): void {
  if (run) process.env[VARIABLE] = JSON.stringify(run);
  else delete process.env[VARIABLE];
}

export function databaseRun(): DatabaseRun {
  const shared = process.env[VARIABLE];
  if (!shared)
    throw new Error('No test database: this Jest project lacks the global setup of test/support/database');
  return JSON.parse(shared) as DatabaseRun;
}

/** The same server, another database. */
export function urlOf(run: DatabaseRun, database: string): string {
  const url = new URL(run.adminUrl);
  url.pathname = `/${database}`;
  return url.toString();
}

/** Runs statements on the admin database over a connection of their own. */
export async function asAdmin(run: DatabaseRun, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: run.adminUrl });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export async function databasesOf(run: DatabaseRun): Promise<readonly string[]> {
  const client = new Client({ connectionString: run.adminUrl });
  await client.connect();
  try {
    const found = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [run.prefix],
    );
    return found.rows.map((row) => row.datname);
  } finally {
    await client.end();
  }
}
