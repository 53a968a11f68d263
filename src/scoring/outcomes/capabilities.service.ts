import { Injectable } from '@nestjs/common';
import { CapabilityTable } from '../capabilities/capability-table';

/** Reads a stored table. Undefined: that version is no longer kept. */
export type CapabilityReader = (version: string) => Promise<CapabilityTable | undefined>;

/** The capability table that decides now, and those that decided before. */
@Injectable()
export class Capabilities {
  private table = CapabilityTable.prior;
  private read?: CapabilityReader;

  get current(): CapabilityTable {
    return this.table;
  }

  /** Undefined: that version is no longer kept. @throws ServiceUnavailableError when it cannot be read now. */
  async find(version: string): Promise<CapabilityTable | undefined> {
    if (version === this.table.version) return this.table;
    if (version === CapabilityTable.prior.version) return CapabilityTable.prior;
    return await this.read?.(version);
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
