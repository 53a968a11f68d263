import { Injectable } from '@nestjs/common';
import { CapabilityTable } from '../capabilities/capability-table';

/** The capability table that decides now, and those that decided before. */
@Injectable()
export class Capabilities {
  private table = CapabilityTable.prior;

  get current(): CapabilityTable {
    return this.table;
  }

  /** Undefined: that version is no longer kept. */
  find(version: string): Promise<CapabilityTable | undefined> {
    return Promise.resolve(version === this.table.version ? this.table : undefined);
  }
}
