import { Injectable } from '@nestjs/common';
import type { PicoUsd } from '../common/index';

/** What waits, and what can still be done, while PostgreSQL is away. */
export interface DegradedFigures {
  readonly journal: {
    /** Settlements on this process's disk. */
    readonly entries: number;
    readonly oldestAt?: Date;
    /** Settlements that neither PostgreSQL nor the disk has taken: in memory only. */
    readonly unsaved: number;
    /** Why the disk does not take them. */
    readonly problem?: string;
  };
  readonly float: { readonly totalPicoUsd: PicoUsd; readonly leftPicoUsd: PicoUsd };
}

/** The ledger tells, readiness shows: neither knows the other. */
@Injectable()
export class DegradedState {
  private tell?: () => DegradedFigures;

  tellBy(tell: () => DegradedFigures): void {
    this.tell = tell;
  }

  get figures(): DegradedFigures {
    return (
      this.tell?.() ?? { journal: { entries: 0, unsaved: 0 }, float: { totalPicoUsd: 0n, leftPicoUsd: 0n } }
    );
  }
}
