import {
  appendFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { BatchLane } from './batch-lane';
import type { Settlement } from './ledger-rows';
import { ProcessIdentity } from './process-identity';

interface JournalHeader {
  readonly process: string;
  readonly pid: number;
  readonly host: string;
}

export interface JournalContent {
  readonly settlements: readonly Settlement[];
  /** Lines that are no settlement, such as the last one of a process that was killed while it wrote. */
  readonly brokenLines: readonly string[];
  /** Size of what was read. */
  readonly bytes: number;
}

/** A journal whose process is gone. */
export interface LeftoverJournal {
  readonly file: string;
  readonly processId: string;
}

const SUFFIX = '.ndjson';
const REJECTED_FILE = 'rejected.log';
/** A file that nobody has touched for so long is nobody's, although its process id is in use (again). */
const ABANDONED_AFTER_MS = 600_000;

/**
 * Settlements that PostgreSQL could not take, on disk in `<data directory>/journal/<process>.ndjson` until it can.
 * An append is resolved once it is on the disk. Replaying an entry twice is harmless, because booking is idempotent.
 */
@Injectable()
export class SettlementJournal {
  private readonly folder: string;
  private readonly file: string;
  private readonly appends = new BatchLane<Settlement, void>({
    run: (batch) => this.exclusively(() => this.write(batch)).then(() => []),
    isWorthSplitting: () => false,
  });
  private tail: Promise<unknown> = Promise.resolve();
  private entryCount = 0;
  /** The last line is half a line that could not be taken back. */
  private isTorn = false;

  constructor(
    config: AppConfig,
    private readonly identity: ProcessIdentity,
  ) {
    this.folder = path.join(config.dataDir, 'journal');
    this.file = path.join(this.folder, `${identity.id}${SUFFIX}`);
  }

  get isEmpty(): boolean {
    return this.entryCount === 0;
  }

  /** @throws the file system's error when the disk does not take it. */
  async append(settlement: Settlement): Promise<void> {
    await this.appends.add(settlement);
  }

  async read(): Promise<JournalContent> {
    return await this.exclusively(() => this.readFile(this.file));
  }

  /** Forgets the first `bytes`, which are booked; what was appended meanwhile stays. */
  async discard(bytes: number): Promise<void> {
    await this.exclusively(async () => {
      const content = await readFile(this.file);
      const rest = content.subarray(bytes);
      if (rest.length === 0) await rm(this.file);
      else await this.replace(Buffer.concat([headerLine(this.identity), rest]));
      this.entryCount = rest.length === 0 ? 0 : parse(rest).settlements.length;
    });
  }

  /** Keeps what can never be booked for a human to look at. */
  async reject(entry: unknown, reason: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const line = JSON.stringify({ at: new Date(), reason, entry });
    await appendFile(path.join(this.folder, REJECTED_FILE), `${line}\n`, { flush: true, mode: 0o600 });
  }

  async listOthers(): Promise<readonly LeftoverJournal[]> {
    const names = await readdir(this.folder).catch(() => []);
    return names
      .filter((name) => name.endsWith(SUFFIX) && name !== path.basename(this.file))
      .map((name) => ({ file: path.join(this.folder, name), processId: name.slice(0, -SUFFIX.length) }));
  }

  /** Undefined when its process may still be alive. */
  async readLeftover(leftover: LeftoverJournal): Promise<JournalContent | undefined> {
    const content = await this.readFile(leftover.file);
    const { mtimeMs } = await stat(leftover.file);
    const header = await headerOf(leftover.file);
    const isAbandoned = Date.now() - mtimeMs > ABANDONED_AFTER_MS;
    return isAbandoned || (header && this.isDead(header)) ? content : undefined;
  }

  async removeLeftover(leftover: LeftoverJournal): Promise<void> {
    await rm(leftover.file, { force: true });
  }

  private isDead({ pid, host }: JournalHeader): boolean {
    if (host !== this.identity.host) return false;
    return pid === this.identity.pid || !isRunning(pid);
  }

  private async write(settlements: readonly Settlement[]): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const lines = Buffer.from(settlements.map((settlement) => `${JSON.stringify(settlement)}\n`).join(''));
    const handle = await open(this.file, 'a', 0o600);
    try {
      const { size } = await handle.stat();
      const start = size === 0 ? headerLine(this.identity) : Buffer.from(this.isTorn ? '\n' : '');
      await this.extend(handle, size, Buffer.concat([start, lines]));
      if (size === 0) await syncFolder(this.folder);
    } finally {
      await handle.close();
    }
    this.entryCount += settlements.length;
  }

  /** All of it or, as far as the disk lets us, nothing. */
  private async extend(handle: FileHandle, oldSize: number, content: Buffer): Promise<void> {
    try {
      await writeAll(handle, content);
      await handle.sync();
      this.isTorn = false;
    } catch (error) {
      this.isTorn = true;
      await handle.truncate(oldSize).then(
        () => (this.isTorn = false),
        () => undefined,
      );
      throw error;
    }
  }

  private async replace(content: Buffer): Promise<void> {
    const draft = `${this.file}.draft`;
    const handle = await open(draft, 'w', 0o600);
    try {
      await writeAll(handle, content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, this.file);
    await syncFolder(this.folder);
  }

  private async readFile(file: string): Promise<JournalContent> {
    const content = await readFile(file).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    return parse(content);
  }

  private async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => undefined);
    return await result;
  }
}

/** A full disk may take a part without an error; the rest then fails. */
async function writeAll(handle: FileHandle, content: Buffer): Promise<void> {
  for (let offset = 0; offset < content.length;) {
    const { bytesWritten } = await handle.write(content, offset);
    if (bytesWritten === 0) throw new Error('The disk took nothing of what was to be written');
    offset += bytesWritten;
  }
}

function headerLine({ id, pid, host }: ProcessIdentity): Buffer {
  return Buffer.from(`${JSON.stringify({ process: id, pid, host } satisfies JournalHeader)}\n`);
}

async function headerOf(file: string): Promise<JournalHeader | undefined> {
  const [first = ''] = (await readFile(file, 'utf8')).split('\n', 1);
  const parsed = parseLine(first);
  return isHeader(parsed) ? parsed : undefined;
}

function parse(content: Buffer): JournalContent {
  const settlements: Settlement[] = [];
  const brokenLines: string[] = [];
  for (const line of content.toString('utf8').split('\n')) {
    if (line === '') continue;
    const parsed = parseLine(line);
    if (isSettlement(parsed)) settlements.push(parsed);
    else if (!isHeader(parsed)) brokenLines.push(line);
  }
  return { settlements, brokenLines, bytes: content.length };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function isSettlement(value: unknown): value is Settlement {
  const { owner, lines } = (value ?? {}) as Partial<Settlement>;
  return typeof owner?.request_id === 'string' && Array.isArray(lines);
}

function isHeader(value: unknown): value is JournalHeader {
  const { process, pid, host } = (value ?? {}) as Partial<JournalHeader>;
  return typeof process === 'string' && typeof pid === 'number' && typeof host === 'string';
}

/** A new name is only safe once its folder is on the disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
