import { constants, type Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { ValidationError } from '../../errors/index';

/** Where Linux shows the files a process has open: a path through it cannot be led elsewhere. */
const OPEN_FILES = '/proc/self/fd';
const CAN_PIN = process.platform === 'linux';
const FOLDER_MODE = 0o700;
/** Windows knows none of these. */
const known = constants as Partial<typeof constants>;
const FOLDER_FLAGS = constants.O_RDONLY | (known.O_DIRECTORY ?? 0);
/** Not behind a link, and not waiting for whoever holds the other end of a pipe. */
export const SAFE_FLAGS = (known.O_NOFOLLOW ?? 0) | (known.O_NONBLOCK ?? 0);

/**
 * A folder that was reached from the root name by name, no link being followed. On Linux whatever is done in it goes
 * through the folder that was opened, so a link that somebody puts into the way later leads nowhere. Other systems give
 * Node no such means: there the way is checked when the folder is opened.
 */
export class SandboxFolder {
  private constructor(
    private readonly handle: FileHandle,
    /** Stands for the folder in calls that take a path. */
    private readonly anchor: string,
    private readonly canPin: boolean,
  ) {}

  /** The root itself may be a link: it is the administrator's. @throws ENOENT */
  static async root(folder: string, canPin = CAN_PIN): Promise<SandboxFolder> {
    const handle = await open(folder, FOLDER_FLAGS);
    return new SandboxFolder(handle, canPin ? pinned(handle) : await realpath(folder), canPin);
  }

  /** The path of something in this folder. Valid until it is closed. */
  at(name: string): string {
    return `${this.anchor}/${name}`;
  }

  async entries(): Promise<Dirent[]> {
    return await readdir(this.anchor, { withFileTypes: true });
  }

  /** @throws ENOENT, ENOTDIR, ELOOP, or ValidationError when the way there is a link */
  async child(name: string, isMade = false): Promise<SandboxFolder> {
    if (isMade) await makeFolder(this.at(name));
    const handle = await open(this.at(name), FOLDER_FLAGS | SAFE_FLAGS);
    try {
      const anchor = this.canPin ? pinned(handle) : await this.checkedPath(name);
      return new SandboxFolder(handle, anchor, this.canPin);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async checkedPath(name: string): Promise<string> {
    const real = await realpath(this.at(name));
    if (path.dirname(real) !== path.resolve(this.anchor)) {
      throw new ValidationError('The path is not possible: it leads through a link', { param: 'path' });
    }
    return real;
  }
}

/** @param isMade creates what is missing on the way. */
export interface Way {
  readonly root: string;
  readonly names: readonly string[];
  readonly isMade?: boolean;
}

/** Opens the folder at the end of the way for as long as the work takes. @throws ENOENT, ENOTDIR, ELOOP, ValidationError */
export async function inFolder<T>(way: Way, work: (folder: SandboxFolder) => Promise<T>): Promise<T> {
  if (way.isMade) await mkdir(way.root, { recursive: true, mode: FOLDER_MODE });
  let folder = await SandboxFolder.root(way.root);
  try {
    for (const name of way.names) {
      const parent = folder;
      folder = await parent.child(name, way.isMade);
      await parent.close();
    }
    return await work(folder);
  } finally {
    await folder.close();
  }
}

function pinned({ fd }: FileHandle): string {
  return `${OPEN_FILES}/${fd}`;
}

async function makeFolder(at: string): Promise<void> {
  try {
    await mkdir(at, { mode: FOLDER_MODE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
