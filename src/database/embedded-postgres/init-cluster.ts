import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ClusterFolder } from './cluster-folder';
import type { Runner } from './runner';
import { unusableFolder } from './unusable-folder';

/**
 * Makes the cluster if there is none, in a draft folder that is renamed at the end: a killed initdb never leaves half a
 * cluster in place.
 * @throws ConfigurationError when initdb fails, or when the data is of another major version than the programs.
 */
export function ensureCluster(folder: ClusterFolder, runner: Runner, isDurable: boolean): void {
  if (folder.hasCluster) {
    checkVersion(folder, runner);
    return;
  }
  removeDrafts(folder);
  const draft = path.join(folder.root, `init-${process.pid}`);
  writeFileSync(folder.passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  runner.identity.own(folder.passwordFile);
  const command = runner.identity.command(runner.binaries.initdb, initdbArguments(folder, draft, isDurable));
  const result = spawnSync(command.file, command.args, { ...command.options, encoding: 'utf8' });
  if (result.status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw unusableFolder(folder.root, `initdb failed (${lastLine(result.stderr) ?? result.error?.message})`);
  }
  renameSync(draft, folder.data);
}

function initdbArguments(folder: ClusterFolder, draft: string, isDurable: boolean): readonly string[] {
  // The built-in collation is the same on every platform; the system's locale still classifies letters.
  const locale = process.platform === 'linux' ? 'C.UTF-8' : 'C';
  const options = [
    `--pgdata=${draft}`,
    '--username=postgres',
    `--pwfile=${folder.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    `--locale=${locale}`,
    '--no-instructions',
  ];
  return isDurable ? options : [...options, '--no-sync'];
}

function checkVersion(folder: ClusterFolder, runner: Runner): void {
  if (folder.dataVersion === runner.version) return;
  throw unusableFolder(
    folder.root,
    `its data was made by PostgreSQL ${folder.dataVersion} and this installation brings PostgreSQL ${runner.version}; ` +
      `carry the data over with pg_dump of ${folder.dataVersion} and psql`,
  );
}

function removeDrafts(folder: ClusterFolder): void {
  const drafts = readdirSync(folder.root).filter((name) => name.startsWith('init-'));
  for (const name of drafts) rmSync(path.join(folder.root, name), { recursive: true, force: true });
}

/** @throws ConfigurationError when the password file is gone. */
export function clusterPassword(folder: ClusterFolder): string {
  try {
    return readFileSync(folder.passwordFile, 'utf8').trim();
  } catch (error) {
    throw unusableFolder(folder.root, `${path.basename(folder.passwordFile)} cannot be read`, error);
  }
}

function lastLine(text: string | null): string | undefined {
  return text?.trim().split('\n').at(-1);
}
