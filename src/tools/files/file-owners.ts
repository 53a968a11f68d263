import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { type FileOwner, folderOf, ownerOf } from './file-owner';

const SETTLED_MS = 3_600_000;

/** Whose folders are below the root, of those that nothing was made in or removed from for an hour. */
export async function settledOwners(root: string): Promise<readonly FileOwner[]> {
  const owners: FileOwner[] = [];
  for (const parent of [[], ['users']]) {
    for (const name of await foldersIn(path.join(root, ...parent))) {
      const owner = ownerOf([...parent, name]);
      if (owner && (await isSettled(path.join(root, ...folderOf(owner))))) owners.push(owner);
    }
  }
  return owners;
}

/** None where nobody has written anything yet. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function isSettled(folder: string): Promise<boolean> {
  const stats = await lstat(folder).catch(ignoreMissing);
  return stats !== undefined && stats.mtimeMs < Date.now() - SETTLED_MS;
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
}
