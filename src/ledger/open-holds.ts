import { Injectable } from '@nestjs/common';

/**
 * The requests that this process has admitted and not yet booked (those in the journal included). A hold in the
 * database that is not in here belongs to nobody: its admission failed on the way back.
 */
@Injectable()
export class OpenHolds {
  private readonly requestIds = new Set<string>();

  add(requestId: string): void {
    this.requestIds.add(requestId);
  }

  delete(requestId: string): void {
    this.requestIds.delete(requestId);
  }

  has(requestId: string): boolean {
    return this.requestIds.has(requestId);
  }
}
