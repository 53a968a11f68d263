import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { answers } from './answers';
import type { ClusterFolder } from './cluster-folder';
import { processArguments, processMark, processName, waitUntilGone, worksIn } from './os-process';
import { unusableFolder } from './unusable-folder';

const FAST_SHUTDOWN_LIMIT_MS = 30_000;
/** Long enough for crash recovery of a busy server. */
export const START_LIMIT_MS = 120_000;

/** The running server process of a cluster. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

/**
 * The live server of this cluster, whoever started it and whatever the folder was called then. A pid file whose pid now
 * belongs to another program (after a restart of the machine or container) is removed, because PostgreSQL would refuse
 * to start over it; that of any PostgreSQL is left to PostgreSQL to judge.
 */
export function findPostmaster(folder: ClusterFolder): Postmaster | undefined {
  const [pid, , , port] = readPidFile(folder);
  if (!pid || processMark(pid) === undefined) return undefined;
  const args = processArguments(pid);
  const isOurs = worksIn(pid, folder.data) || !args || args.includes(folder.data);
  if (!isOurs) {
    if (processName(pid) !== 'postgres') rmSync(folder.pidFile, { force: true });
    return undefined;
  }
  return { pid, port: port ?? 0 };
}

/** Waits until a server that runs already answers; undefined when it ends meanwhile. */
export async function adoptPostmaster(
  folder: ClusterFolder,
  url: (port: number) => string,
): Promise<Postmaster | undefined> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const postmaster = findPostmaster(folder);
    if (!postmaster) return undefined;
    const answer = postmaster.port ? await answers(url(postmaster.port)) : 'not yet';
    if (answer === 'yes') return postmaster;
    if (answer === 'foreign') {
      throw unusableFolder(folder.root, 'the server that runs there does not accept the kept password');
    }
    if (performance.now() > deadline) {
      throw unusableFolder(folder.root, `the server that runs there (pid ${postmaster.pid}) does not answer`);
    }
    await delay(25);
  }
}

/** Ends the server: first a fast shutdown, and if that takes too long an immediate one. */
export async function stopPostmaster(folder: ClusterFolder): Promise<void> {
  const postmaster = findPostmaster(folder);
  if (!postmaster) return;
  signal(postmaster.pid, 'SIGINT');
  if (await waitUntilGone(postmaster.pid, FAST_SHUTDOWN_LIMIT_MS)) return;
  signal(postmaster.pid, 'SIGQUIT');
  await waitUntilGone(postmaster.pid, FAST_SHUTDOWN_LIMIT_MS);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** pid, -, -, port */
function readPidFile(folder: ClusterFolder): readonly number[] {
  try {
    return readFileSync(folder.pidFile, 'utf8').split('\n').map(Number);
  } catch {
    return [];
  }
}
