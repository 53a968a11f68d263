import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { answers } from './answers';
import type { ClusterFolder } from './cluster-folder';
import { choosePort } from './port';
import { findPostmaster, type Postmaster, START_LIMIT_MS } from './postmaster';
import type { Runner } from './runner';
import { unusableFolder } from './unusable-folder';

const MAX_LOG_BYTES = 10_485_760;
const MAX_TRIES = 20;

export interface LaunchOptions {
  readonly folder: ClusterFolder;
  readonly runner: Runner;
  readonly url: (port: number) => string;
  readonly settings: Readonly<Record<string, string>>;
  readonly dieWithParent: boolean;
  /** The only acceptable port, because clients already know it. */
  readonly port?: number;
}

/** Ends the server when the pipe on descriptor 3 closes, which the kernel does even if our process is killed. */
const WATCHDOG =
  '"$0" "$@" </dev/null 3<&- & p=$!; trap "kill -INT $p" INT TERM; ' +
  '(read -r _ <&3; kill -INT $p 2>/dev/null) & w=$!; wait $p; kill $w 2>/dev/null';

/**
 * Starts the server and waits until it answers to our own password: a pid file left by a killed server also says that
 * it is ready, so files are not believed.
 */
export async function launchPostmaster(options: LaunchOptions): Promise<Postmaster> {
  const { folder } = options;
  for (let tries = 1; ; tries += 1) {
    const logStart = prepareLog(options);
    const port = options.port ?? (await choosePort(folder));
    const child = spawnPostgres(options, port);
    if (await becomesReady(child, options.url(port))) {
      const postmaster = findPostmaster(folder);
      if (postmaster) return postmaster;
    }
    const log = readFileSync(folder.logFile).subarray(logStart).toString('utf8');
    if (tries === MAX_TRIES || !isPassing(log)) {
      throw unusableFolder(
        folder.root,
        `postgres ended at its start (${reason(log)}), see ${folder.logFile}`,
      );
    }
    await delay(250);
  }
}

function spawnPostgres(
  { folder, runner, settings, dieWithParent }: LaunchOptions,
  port: number,
): ChildProcess {
  const entries = Object.entries({ ...settings, port: String(port) });
  const args = ['-D', folder.data, ...entries.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const { postgres } = runner.binaries;
  const command = dieWithParent
    ? runner.identity.command('/bin/sh', ['-c', WATCHDOG, postgres, ...args])
    : runner.identity.command(postgres, args);
  const log = openSync(folder.logFile, 'a');
  try {
    const child = spawn(command.file, command.args, {
      ...command.options,
      detached: true,
      stdio: ['ignore', log, log, dieWithParent ? 'pipe' : 'ignore'],
    });
    child.unref();
    const watched = child.stdio[3];
    if (watched && 'unref' in watched && typeof watched.unref === 'function') watched.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** False when the process ended instead. */
async function becomesReady(child: ChildProcess, url: string): Promise<boolean> {
  let hasEnded = false;
  child.once('exit', () => (hasEnded = true));
  child.once('error', () => (hasEnded = true));
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline) {
    if ((await answers(url)) === 'yes') return true;
    if (hasEnded) return false;
    await delay(15);
  }
  child.kill('SIGTERM');
  return false;
}

/** Where this start's lines begin. A large log of earlier runs is dropped. */
function prepareLog({ folder, runner }: LaunchOptions): number {
  closeSync(openSync(folder.logFile, 'a', 0o600));
  runner.identity.own(folder.logFile);
  if (statSync(folder.logFile).size > MAX_LOG_BYTES) truncateSync(folder.logFile);
  return statSync(folder.logFile).size;
}

/** Backends of a killed server may still be ending, and another program may have taken the port in between. */
function isPassing(log: string): boolean {
  return /shared memory block|lock file|could not bind|Address already in use/.test(log);
}

function reason(log: string): string {
  const lines = log.trim().split('\n');
  return lines.findLast((line) => /FATAL|PANIC|ERROR/.test(line)) ?? lines.at(-1) ?? 'no message';
}
