import { rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/index';
import { PayloadTooLargeError } from '../../errors/index';
import { toFileError } from './file-error';
import { type FileOwner, folderOf } from './file-owner';
import { namesOf } from './file-path';
import { settledOwners } from './file-owners';
import { KeyedQueue } from './keyed-queue';
import { appendToFile, filesBelow, type FoundFile, openFile, removeFile, replaceFile } from './sandbox-files';
import { inFolder, type SandboxFolder } from './sandbox-folder';

export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 10_000;
const MAX_LISTED = 1000;

export interface FileEntry {
  /** Relative to the owner's folder, with `/` between names. */
  readonly path: string;
  readonly bytes: number;
}

export interface FileList {
  readonly files: readonly FoundFile[];
  /** There are more. */
  readonly isCut: boolean;
}

export interface FilePart {
  readonly bytes: Buffer;
  /** Of the whole file. */
  readonly size: number;
}

/**
 * The files of projects, and of users who work without one: each has a folder of its own in `FILES_DIR`, made when the first
 * file is written, and nothing leads out of it. All of an owner's files together keep within `FILES_QUOTA_BYTES`. Changes
 * of one owner go one after the other within a process. Several processes share the folder when `FILES_DIR` is shared; each
 * counts before it writes, so what they write in the same moment may go beyond the quota by that much.
 *
 * Every method: @throws ValidationError for a path that is not possible, NotFoundError, ServiceUnavailableError
 */
@Injectable()
export class ProjectFiles {
  private readonly root: string;
  private readonly quotaBytes: number;
  private readonly changes = new KeyedQueue();

  constructor({ vars, dataDir }: AppConfig) {
    this.root = vars.FILES_DIR === undefined ? path.join(dataDir, 'files') : path.resolve(vars.FILES_DIR);
    this.quotaBytes = vars.FILES_QUOTA_BYTES;
  }

  /** Makes the file or replaces it, at once or not at all. @throws PayloadTooLargeError */
  async write(owner: FileOwner, file: string, bytes: Buffer, signal?: AbortSignal): Promise<FileEntry> {
    const names = namesOf(file);
    return await this.change(owner, signal, async () => {
      await this.requireRoom(owner, file, () => bytes.length);
      signal?.throwIfAborted();
      await this.inMadeParent(owner, names, (folder, name) => replaceFile(folder, name, bytes));
      return { path: file, bytes: bytes.length };
    });
  }

  /** Makes the file or adds to its end. @throws PayloadTooLargeError */
  async append(owner: FileOwner, file: string, bytes: Buffer, signal?: AbortSignal): Promise<FileEntry> {
    const names = namesOf(file);
    return await this.change(owner, signal, async () => {
      await this.requireRoom(owner, file, (old) => old + bytes.length);
      signal?.throwIfAborted();
      const size = await this.inMadeParent(owner, names, (folder, name) => appendToFile(folder, name, bytes));
      return { path: file, bytes: size };
    });
  }

  /** Part of a file. */
  async read(
    owner: FileOwner,
    file: string,
    { offset = 0, maxBytes }: { readonly offset?: number; readonly maxBytes: number },
  ): Promise<FilePart> {
    const names = namesOf(file);
    return await told(() =>
      this.inParent(owner, names, async (folder, name) => {
        const handle = await openFile(folder, name);
        try {
          const { size } = await handle.stat();
          const buffer = Buffer.alloc(Math.max(0, Math.min(maxBytes, size - offset)));
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
          return { bytes: buffer.subarray(0, bytesRead), size };
        } finally {
          await handle.close();
        }
      }),
    );
  }

  /** The whole file as a stream, which closes the file at its end or when it is destroyed. */
  async open(owner: FileOwner, file: string): Promise<FileEntry & { readonly stream: Readable }> {
    const names = namesOf(file);
    return await told(() =>
      this.inParent(owner, names, async (folder, name) => {
        const handle = await openFile(folder, name);
        const { size } = await handle.stat();
        return { path: file, bytes: size, stream: handle.createReadStream() };
      }),
    );
  }

  /** By path, the first thousand of all or of those below a folder. An owner without files has none. */
  async list(owner: FileOwner, folder?: string): Promise<FileList> {
    const names = folder === undefined ? [] : namesOf(folder);
    const files = await told(() => this.filesOf(owner, names));
    return { files: files.slice(0, MAX_LISTED), isCut: files.length > MAX_LISTED };
  }

  /** Folders that are empty then go with it. */
  async remove(owner: FileOwner, file: string, signal?: AbortSignal): Promise<void> {
    const names = namesOf(file);
    await this.change(owner, signal, async () => {
      await this.inParent(owner, names, removeFile);
      await this.prune(owner, names);
    });
  }

  /** Everything that was written. */
  async removeAll(owner: FileOwner): Promise<void> {
    const folder = path.join(this.root, ...folderOf(owner));
    await this.change(owner, undefined, () => rm(folder, { recursive: true, force: true }));
  }

  /** Those who have a folder in which nothing was made or removed for an hour. */
  async settledOwners(): Promise<readonly FileOwner[]> {
    return await told(() => settledOwners(this.root));
  }

  private async change<T>(
    owner: FileOwner,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    return await this.changes.run(folderOf(owner).join('/'), async () => {
      signal?.throwIfAborted();
      return await told(work);
    });
  }

  private async inParent<T>(
    owner: FileOwner,
    names: readonly string[],
    work: (folder: SandboxFolder, name: string) => Promise<T>,
    isMade = false,
  ): Promise<T> {
    const way = { root: this.root, names: [...folderOf(owner), ...names.slice(0, -1)], isMade };
    return await inFolder(way, (folder) => work(folder, names.at(-1) ?? ''));
  }

  /** Once more when another process takes away a folder on the way, which is empty until the file is in it. */
  private async inMadeParent<T>(
    owner: FileOwner,
    names: readonly string[],
    work: (folder: SandboxFolder, name: string) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.inParent(owner, names, work, true);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return await this.inParent(owner, names, work, true);
    }
  }

  private async filesOf(owner: FileOwner, names: readonly string[] = []): Promise<readonly FoundFile[]> {
    try {
      const way = { root: this.root, names: [...folderOf(owner), ...names] };
      return await inFolder(way, (folder) => filesBelow(folder, names.map((name) => `${name}/`).join('')));
    } catch (error) {
      if (names.length === 0 && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** @throws PayloadTooLargeError */
  private async requireRoom(
    owner: FileOwner,
    file: string,
    sizeAfter: (before: number) => number,
  ): Promise<void> {
    const files = await this.filesOf(owner);
    const before = files.find(({ path: other }) => other === file)?.bytes;
    const after = sizeAfter(before ?? 0);
    if (after > MAX_FILE_BYTES) tooLarge(`a file may have ${MAX_FILE_BYTES} bytes`);
    if (before === undefined && files.length >= MAX_FILES) tooLarge(`there may be ${MAX_FILES} files`);
    const total = files.reduce((sum, { bytes }) => sum + bytes, after - (before ?? 0));
    if (total > this.quotaBytes && after > (before ?? 0)) {
      tooLarge(`all files together would have ${total} bytes, and may have ${this.quotaBytes}`);
    }
  }

  /** Folders on the way that nothing is in any more. */
  private async prune(owner: FileOwner, names: readonly string[]): Promise<void> {
    const own = folderOf(owner);
    const root = this.root;
    try {
      for (let depth = names.length - 1; depth > 0; depth -= 1) {
        const way = { root, names: [...own, ...names.slice(0, depth - 1)] };
        await inFolder(way, (folder) => rmdir(folder.at(names[depth - 1] ?? '')));
      }
    } catch {
      // One that holds something else stays, and so do those above it.
    }
  }
}

/** Errors that name no path of this machine. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFileError(error);
  }
}

function tooLarge(reason: string): never {
  throw new PayloadTooLargeError(`There is no room for it: ${reason}`, { param: 'content' });
}
