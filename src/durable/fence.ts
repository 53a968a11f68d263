import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type JsonValue, toStorableJson } from '../common/index';
import { toServiceUnavailable } from '../errors/index';
import { IDLE_IN_TRANSACTION_MS } from './dbos/engine-pool';
import { RunHandedOverError } from './durable.errors';

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2000;
/** Serialization failure, deadlock. */
const GAVE_WAY: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Nobody takes the run over while the row is locked; a process that is stopped meanwhile holds it for seconds only. */
const LOCK = `
  select s.owner_xid as owner, s.recovery_attempts > 1 as "isAgain", w.result, w.run_id is not null as "isWritten",
    set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION_MS}', true)
  from dbos.workflow_status s
  left join durable_writes w on w.run_id = s.workflow_uuid and w.step = $2
  where s.workflow_uuid = $1 for no key update of s`;
/** Attempts are counted from the last progress on. The one that is under way counts. */
const NOTE_PROGRESS = 'update dbos.workflow_status set recovery_attempts = 1 where workflow_uuid = $1';
const NOTE_OWN_PROGRESS = `${NOTE_PROGRESS} and owner_xid = $2 and recovery_attempts > 1`;
const NOTE_WRITE = 'insert into durable_writes (run_id, step, result) values ($1, $2, $3)';

export interface FencedRun {
  readonly runId: string;
  readonly owner: string;
  /** Ends the waiting for PostgreSQL. */
  readonly signal: AbortSignal;
}

interface LockedRun {
  readonly owner: string | null;
  readonly isAgain: boolean;
  readonly isWritten: boolean;
  readonly result: unknown;
}

/** Transactions that only the owner of a run can commit. They wait for as long as PostgreSQL is away. */
@Injectable()
export class Fence {
  constructor(private readonly database: DataSource) {}

  /**
   * Once for the run and step: what is committed is not done again, also where the answer to the commit, or the
   * process before it came to the journal, was lost.
   */
  async once<T extends JsonValue>(
    run: FencedRun,
    step: number,
    work: (tx: EntityManager) => Promise<T>,
  ): Promise<T> {
    return await patiently(run, () =>
      this.database.transaction(async (tx) => {
        const locked = await lock(tx, run, step);
        if (locked.isWritten) return locked.result as T;
        const result = await work(tx);
        await tx.query(NOTE_WRITE, [run.runId, step, toStorableJson(result ?? null)]);
        return result;
      }),
    );
  }

  async write<T>(run: FencedRun, work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return await patiently(run, () =>
      this.database.transaction(async (tx) => {
        await lock(tx, run, null);
        return await work(tx);
      }),
    );
  }

  /** A step has ended. A failure is no harm: the next one tells it again. */
  async noteProgress(runId: string, owner: string): Promise<boolean> {
    return await this.database.query(NOTE_OWN_PROGRESS, [runId, owner]).then(
      () => true,
      () => false,
    );
  }
}

async function lock(tx: EntityManager, { runId, owner }: FencedRun, step: number | null): Promise<LockedRun> {
  const [row] = await tx.query<LockedRun[]>(LOCK, [runId, step]);
  if (row?.owner !== owner) throw new RunHandedOverError(runId);
  if (row.isAgain) await tx.query(NOTE_PROGRESS, [runId]);
  return row;
}

async function patiently<T>({ signal }: FencedRun, work: () => Promise<T>): Promise<T> {
  for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_RETRY_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!isRepeatable(error)) throw error;
    }
    await delay(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** PostgreSQL is away, or it chose this transaction to give way, or the commit whose answer was lost came between. */
function isRepeatable(error: unknown): boolean {
  if (toServiceUnavailable(error)) return true;
  const { code, constraint } = ((error as { driverError?: unknown }).driverError ?? error) as {
    code?: string;
    constraint?: string;
  };
  if (GAVE_WAY.has(code ?? '')) return true;
  return code === '23505' && constraint === 'durable_writes_pkey';
}
