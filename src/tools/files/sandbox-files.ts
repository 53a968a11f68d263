/** What is done with single files of an open folder. None is behind a link, and none has a second name elsewhere. */
import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises';
import { ValidationError } from '../../errors/index';
import { TEMPORARY_PREFIX } from './file-path';
import { SAFE_FLAGS, type SandboxFolder } from './sandbox-folder';

const FILE_MODE = 0o600;
const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
/** No write takes that long: its process is gone. */
const STALE_MS = 3_600_000;

export interface FoundFile {
  /** Relative to the owner's folder, with `/` between names. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** @throws ENOENT, ValidationError */
export async function openFile(folder: SandboxFolder, name: string, access = O_RDONLY): Promise<FileHandle> {
  await requireFile(folder, name);
  const handle = await open(folder.at(name), access | SAFE_FLAGS);
  try {
    const { nlink } = refuseOther(await handle.stat());
    if (nlink > 1)
      throw new ValidationError('The path is not possible: the file has a second name', { param: 'path' });
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** At once or not at all: readers see the old content or the new one. */
export async function replaceFile(folder: SandboxFolder, name: string, bytes: Buffer): Promise<void> {
  await requireFile(folder, name).catch(ignoreMissing);
  const draft = folder.at(`${TEMPORARY_PREFIX}${randomBytes(12).toString('hex')}`);
  const handle = await open(draft, O_WRONLY | O_CREAT | O_EXCL | SAFE_FLAGS, FILE_MODE);
  try {
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(draft, folder.at(name));
  } catch (error) {
    await unlink(draft).catch(ignoreMissing);
    throw error;
  }
}

/** Makes the file where it is missing. What could not be added whole is taken back. Gives the file's size. */
export async function appendToFile(folder: SandboxFolder, name: string, bytes: Buffer): Promise<number> {
  const handle = await openFile(folder, name, O_WRONLY | O_APPEND).catch(ignoreMissing);
  if (!handle) {
    await replaceFile(folder, name, bytes);
    return bytes.length;
  }
  try {
    const { size } = await handle.stat();
    await handle.writeFile(bytes).catch(async (error: unknown) => {
      await handle.truncate(size);
      throw error;
    });
    await handle.datasync();
    return size + bytes.length;
  } finally {
    await handle.close();
  }
}

/** @throws ENOENT, ValidationError */
export async function removeFile(folder: SandboxFolder, name: string): Promise<void> {
  await requireFile(folder, name);
  await unlink(folder.at(name));
}

/** All files below the folder. Drafts that a dead process left behind are removed on the way. */
export async function filesBelow(folder: SandboxFolder, prefix = ''): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  const entries = await folder.entries();
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix + entry.name;
    if (entry.isDirectory()) found.push(...(await filesOf(folder, entry.name, path)));
    else if (entry.name.startsWith(TEMPORARY_PREFIX)) await removeStale(folder, entry.name);
    else if (entry.isFile()) found.push(...(await factsOf(folder, entry.name, path)));
  }
  return found;
}

/** None when somebody takes the folder away meanwhile; what is beside it is there all the same. */
async function filesOf(parent: SandboxFolder, name: string, path: string): Promise<readonly FoundFile[]> {
  const folder = await parent.child(name).catch(ignoreMissing);
  if (!folder) return [];
  try {
    return (await filesBelow(folder, `${path}/`).catch(ignoreMissing)) ?? [];
  } finally {
    await folder.close();
  }
}

async function factsOf(folder: SandboxFolder, name: string, path: string): Promise<readonly FoundFile[]> {
  const stats = await lstat(folder.at(name)).catch(ignoreMissing);
  return stats ? [{ path, bytes: stats.size, modifiedAt: stats.mtime }] : [];
}

async function removeStale(folder: SandboxFolder, name: string): Promise<void> {
  const stats = await lstat(folder.at(name)).catch(ignoreMissing);
  if (stats && stats.mtimeMs < Date.now() - STALE_MS) await unlink(folder.at(name)).catch(ignoreMissing);
}

async function requireFile(folder: SandboxFolder, name: string): Promise<void> {
  refuseOther(await lstat(folder.at(name)));
}

function refuseOther(stats: Stats): Stats {
  if (stats.isFile()) return stats;
  const what = stats.isDirectory() ? 'it is a folder' : 'it leads to something that is no file';
  throw new ValidationError(`The path is not possible: ${what}`, { param: 'path' });
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
}
