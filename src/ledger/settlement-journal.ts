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
  utimes,
} from 'node:fs/promises';
import path from 'node:path';
import { Injectable } from '@nestjs/common';
import { SerialQueue } from '../common/index';
import { AppConfig } from '../config/index';
import { BatchLane } from './batch-lane';
import {
  headerOf,
  type IntentEntry,
  type JournalContent,
  type JournalEntry,
  type JournalHeader,
  parseJournal,
  syncFolder,
  toLine,
  writeAll,
} from './journal-file';
import { ProcessIdentity } from './process-identity';

/** A journal whose process is gone. */
export interface LeftoverJournal {
  readonly file: string;
  readonly processId: string;
}

const SUFFIX = '.ndjson';
const REJECTED_FILE = 'rejected.log';
const PROBE_FILE = 'probe';
/** Its process touches a journal that is not empty every ten seconds: untouched for so long, it is nobody's. */
const ABANDONED_AFTER_MS = 120_000;

/**
 * What PostgreSQL could not take, on disk in `<data directory>/journal/<process>.ndjson` until it can: settlements, and
 * the intents of attempts that were sent without it. An append is resolved once it is on the disk. Replaying an entry
 * twice is harmless, because booking is idempotent.
 */
@Injectable()
export class SettlementJournal {
  private readonly folder: string;
  private readonly file: string;
  private readonly header: JournalHeader;
  private readonly appends = new BatchLane<JournalEntry, void>({
    run: (batch) => this.turns.run(() => this.write(batch)).then(() => []),
    isWorthSplitting: () => false,
  });
  private readonly turns = new SerialQueue();
  private counts = { settlements: 0, intents: 0 };
  private since?: Date;
  private lastProblem?: string;
  /** The last line is half a line that could not be taken back. */
  private isTorn = false;

  constructor(
    config: AppConfig,
    private readonly identity: ProcessIdentity,
  ) {
    this.folder = path.join(config.dataDir, 'journal');
    this.file = path.join(this.folder, `${identity.id}${SUFFIX}`);
    this.header = { process: identity.id, pid: identity.pid, host: identity.host };
  }

  get isEmpty(): boolean {
    return this.counts.settlements + this.counts.intents === 0;
  }

  /** How many settlements wait. */
  get length(): number {
    return this.counts.settlements;
  }

  /** No entry is older. */
  get oldestAt(): Date | undefined {
    return this.since;
  }

  /** Why the disk did not take the last append. */
  get problem(): string | undefined {
    return this.lastProblem;
  }

  /** @throws the file system's error when the disk does not take it. */
  async append(entry: JournalEntry): Promise<void> {
    await this.appends.add(entry);
  }

  async read(): Promise<JournalContent> {
    return await this.turns.run(async () => parseJournal(await readOptional(this.file)));
  }

  /** Forgets what was read, which is booked, but for `keep`; what was appended meanwhile stays too. */
  async discard({ bytes }: JournalContent, keep: readonly IntentEntry[] = []): Promise<void> {
    const readAt = new Date();
    await this.turns.run(async () => {
      const rest = (await readOptional(this.file)).subarray(bytes);
      if (rest.length === 0 && keep.length === 0) await rm(this.file, { force: true });
      else await this.replace(Buffer.concat([toLine(this.header), ...keep.map(toLine), rest]));
      const left = parseJournal(rest);
      this.counts = { settlements: left.settlements.length, intents: left.intents.length + keep.length };
      this.since = this.isEmpty ? undefined : readAt;
    });
  }

  /** Tells other processes that this journal is somebody's. */
  async touch(): Promise<void> {
    const now = new Date();
    if (!this.isEmpty) await utimes(this.file, now, now).catch(() => undefined);
  }

  /** Finds out whether the disk takes anything, before something must be written. Never rejects; see `problem`. */
  async probe(): Promise<void> {
    const file = path.join(this.folder, `${PROBE_FILE}-${this.identity.id}`);
    await this.noting(async () => {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await appendFile(file, toLine(this.header), { flush: true, mode: 0o600 });
    }).catch(() => undefined);
    await rm(file, { force: true }).catch(() => undefined);
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

  /** Undefined when its process may still be alive, or when somebody else has taken it. */
  async readLeftover(leftover: LeftoverJournal): Promise<JournalContent | undefined> {
    const content = await readOptional(leftover.file);
    const state = await stat(leftover.file).catch(() => undefined);
    if (!state) return undefined;
    const header = headerOf(content);
    const isAbandoned = Date.now() - state.mtimeMs > ABANDONED_AFTER_MS;
    return isAbandoned || (header && this.isDead(header)) ? parseJournal(content) : undefined;
  }

  async removeLeftover(leftover: LeftoverJournal): Promise<void> {
    await rm(leftover.file, { force: true });
  }

  private isDead({ pid, host }: JournalHeader): boolean {
    if (host !== this.identity.host) return false;
    return pid === this.identity.pid || !isRunning(pid);
  }

  private async write(entries: readonly JournalEntry[]): Promise<void> {
    await this.noting(async () => {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      const handle = await open(this.file, 'a', 0o600);
      try {
        const { size } = await handle.stat();
        const start = size === 0 ? toLine(this.header) : Buffer.from(this.isTorn ? '\n' : '');
        await this.extend(handle, size, Buffer.concat([start, ...entries.map(toLine)]));
        if (size === 0) await syncFolder(this.folder);
      } finally {
        await handle.close();
      }
    });
    const settlements = entries.filter((entry) => 'lines' in entry).length;
    this.counts.settlements += settlements;
    this.counts.intents += entries.length - settlements;
    this.since ??= new Date();
  }

  private async noting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.lastProblem = undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.lastProblem = code ?? message;
      throw error;
    }
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
}

async function readOptional(file: string): Promise<Buffer> {
  return await readFile(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
