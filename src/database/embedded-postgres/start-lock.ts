import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterFolder } from './cluster-folder';
import { unusableFolder } from './unusable-folder';

const SQLITE_BUSY = 5;
const WAIT_LIMIT_MS = 120_000;

/**
 * Runs `work` while no other process starts or stops the same server. SQLite is used for nothing but its portable file
 * lock, which the kernel drops when the holder dies: a killed starter never blocks the next one.
 */
export async function withStartLock<T>(folder: ClusterFolder, work: () => Promise<T>): Promise<T> {
  const lock = await acquire(folder);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function acquire(folder: ClusterFolder): Promise<DatabaseSync> {
  const deadline = performance.now() + WAIT_LIMIT_MS;
  for (;;) {
    const lock = tryAcquire(folder);
    if (lock) return lock;
    if (performance.now() > deadline) {
      throw unusableFolder(folder.root, `another process has held ${folder.lockFile} for two minutes`);
    }
    await delay(25);
  }
}

function tryAcquire(folder: ClusterFolder): DatabaseSync | undefined {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(folder.lockFile, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw unusableFolder(folder.root, `${folder.lockFile} cannot be locked`, error);
  }
}
