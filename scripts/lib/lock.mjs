// One process at a time installs and builds. The lock is a file that names its holders; when all of them are dead it is taken over.
import { appendFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 200;

/** A process id plus its start time where the system tells it, so that a reused id is not mistaken for the holder. */
export function processIdentity(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid}:${startTicks}`;
  } catch {
    return `${pid}`;
  }
}

function isAlive(identity) {
  const pid = Number.parseInt(identity, 10);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return !identity.includes(':') || processIdentity(pid) === identity;
}

function readHolders(file) {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written aside and linked into place, so that nobody ever reads a lock without a holder. */
function tryCreate(file) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${processIdentity(process.pid)}\n`);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead holder's lock away; puts it back when somebody else was quicker and it is alive after all. */
function removeStale(file) {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
    if ((readHolders(aside) ?? []).some(isAlive)) linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * Runs `work` while holding the lock. `work` gets `addHolder(pid)`: a child that goes on working after this process
 * was killed keeps the lock.
 * @param {string} file
 * @param {(addHolder: (pid: number) => void) => Promise<unknown>} work
 * @param {(pid: number) => void} onWait called once when somebody else holds the lock
 */
export async function withLock(file, work, onWait = () => {}) {
  let hasAnnounced = false;
  while (!tryCreate(file)) {
    const alive = readHolders(file)?.filter(isAlive);
    if (alive?.length === 0) {
      removeStale(file);
      continue;
    }
    if (alive && !hasAnnounced) {
      hasAnnounced = true;
      onWait(Number.parseInt(alive[0], 10));
    }
    await delay(pollMs);
  }
  try {
    return await work((pid) => appendFileSync(file, `${processIdentity(pid)}\n`));
  } finally {
    rmSync(file, { force: true });
  }
}
