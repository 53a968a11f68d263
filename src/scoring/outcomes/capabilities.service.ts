import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CapabilityTable } from '../capabilities/capability-table';

/** Reads a stored table. Undefined: that version is no longer kept. */
export type CapabilityReader = (version: string) => Promise<CapabilityTable | undefined>;

/** Tables of replays; each may be some megabytes. */
const KEPT = 4;

/** The capability table that decides now, and those that decided before. */
@Injectable()
export class Capabilities {
  private table = CapabilityTable.prior;
  private read?: CapabilityReader;
  /** By version, also those that are being read just now: many replays of one version read it once. */
  private readonly past = new LRUCache<string, Promise<CapabilityTable | undefined>>({ max: KEPT });

  get current(): CapabilityTable {
    return this.table;
  }

  /** Undefined: that version is no longer kept. @throws ServiceUnavailableError when it cannot be read now. */
  async find(version: string): Promise<CapabilityTable | undefined> {
    if (version === this.table.version) return this.table;
    if (version === CapabilityTable.prior.version) return CapabilityTable.prior;
    const found = this.past.get(version) ?? this.readPast(version);
    return await found;
  }

  private readPast(version: string): Promise<CapabilityTable | undefined> {
    const reading = this.read?.(version) ?? Promise.resolve(undefined);
    this.past.set(version, reading);
    const forget = (): void => void (this.past.peek(version) === reading && this.past.delete(version));
    reading.then((table) => table ?? forget(), forget);
    return reading;
  }

  /** From now on this one decides. */
  use(table: CapabilityTable): void {
    this.table = table;
  }

  /** Where versions are found that do not decide now. */
  readFrom(read: CapabilityReader): void {
    this.read = read;
  }
}
