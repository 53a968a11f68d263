import { rmSync } from 'node:fs';
import { currentRun, keepCurrentRun } from './current-run';
import { asAdmin, databasesOf, shareDatabaseRun } from './database-run';

/** Leaves nothing behind: no server and no folder, and on a given server no database. */
export default async function globalTeardown(): Promise<void> {
  const current = currentRun();
  if (!current) return;
  keepCurrentRun(undefined);
  shareDatabaseRun(undefined);
  const { run, server, folder } = current;
  if (server) await server.stop();
  else
    await asAdmin(
      run,
      (await databasesOf(run)).map((name) => `DROP DATABASE ${name} WITH (FORCE)`),
    );
  if (folder) rmSync(folder, { recursive: true, force: true });
}
