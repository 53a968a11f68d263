import type { EmbeddedPostgres } from '../../../src/database/index';
import type { DatabaseRun } from './database-run';

/** What the global teardown has to undo. */
export interface CurrentRun {
  readonly run: DatabaseRun;
  readonly server?: EmbeddedPostgres;
  readonly folder?: string;
}

// Jest loads setup and teardown apart from each other: only the global object is shared.
const shared = globalThis as { latticeTestRun?: CurrentRun };

export function currentRun(): CurrentRun | undefined {
  return shared.latticeTestRun;
}

export function keepCurrentRun(run: CurrentRun | undefined): void {
  shared.latticeTestRun = run;
}
