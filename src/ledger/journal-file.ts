/** The form of a journal on disk (a header, then one entry a line), and how it gets there safely. */
import { type FileHandle, open } from 'node:fs/promises';
import type { DecisionRecordRow, LineRow, OwnerRow, Settlement } from './ledger-rows';

export interface JournalHeader {
  readonly process: string;
  readonly pid: number;
  readonly host: string;
}

/**
 * An attempt that is paid from the degraded float, written down before it is sent: its line at the bound, for the case
 * that its process dies. Nothing to book as long as that lives.
 */
export interface IntentEntry {
  readonly owner: OwnerRow;
  readonly intent: LineRow;
  readonly decision?: DecisionRecordRow;
}

export type JournalEntry = Settlement | IntentEntry;

export interface JournalContent {
  readonly settlements: readonly Settlement[];
  readonly intents: readonly IntentEntry[];
  /** Lines that are no entry, such as the last one of a process that was killed while it wrote. */
  readonly brokenLines: readonly string[];
  /** Size of what was read. */
  readonly bytes: number;
}

export function toLine(entry: JournalEntry | JournalHeader): Buffer {
  return Buffer.from(`${JSON.stringify(entry)}\n`);
}

export function parseJournal(content: Buffer): JournalContent {
  const settlements: Settlement[] = [];
  const intents: IntentEntry[] = [];
  const brokenLines: string[] = [];
  for (const line of content.toString('utf8').split('\n')) {
    if (line === '') continue;
    const parsed = parseLine(line);
    if (isSettlement(parsed)) settlements.push(parsed);
    else if (isIntent(parsed)) intents.push(parsed);
    else if (!isHeader(parsed)) brokenLines.push(line);
  }
  return { settlements, intents, brokenLines, bytes: content.length };
}

export function headerOf(content: Buffer): JournalHeader | undefined {
  const [first = ''] = content.toString('utf8').split('\n', 1);
  const parsed = parseLine(first);
  return isHeader(parsed) ? parsed : undefined;
}

/** A full disk may take a part without an error; the rest then fails. */
export async function writeAll(handle: FileHandle, content: Buffer): Promise<void> {
  for (let offset = 0; offset < content.length;) {
    const { bytesWritten } = await handle.write(content, offset);
    if (bytesWritten === 0) throw new Error('The disk took nothing of what was to be written');
    offset += bytesWritten;
  }
}

/** A new name is only safe once its folder is on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
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

function isIntent(value: unknown): value is IntentEntry {
  const { owner, intent } = (value ?? {}) as Partial<IntentEntry>;
  return typeof owner?.request_id === 'string' && typeof intent?.attempt === 'number';
}

function isHeader(value: unknown): value is JournalHeader {
  const { process, pid, host } = (value ?? {}) as Partial<JournalHeader>;
  return typeof process === 'string' && typeof pid === 'number' && typeof host === 'string';
}
