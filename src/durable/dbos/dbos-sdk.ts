/** THE list of what we use of DBOS, its internals included. A contract test holds the pinned version to it. */
import { Injectable } from '@nestjs/common';
import type { DBOS, DBOSClient, Error as DbosErrors } from '@dbos-inc/dbos-sdk';
import { RunHandedOverError } from '../durable.errors';

/** Owns the runs of Lattice where several applications share a database. */
export const APPLICATION = 'lattice';
/**
 * Constant across releases: runs are resumed by processes of their own version only. It changes with a body that
 * cannot read the journals of the one before, and then the open runs have to be moved.
 */
export const APPLICATION_VERSION = '1';

const MS_PER_SECOND = 1000;
/** After an outage it goes on at once; as DBOS comes, a run may sleep for a minute then. */
const RETRY_SECONDS = { initialBackoffSec: 0.25, maxBackoffSec: 2 };

export interface PolledQueue {
  readonly name: string;
  workerConcurrency?: number;
}

export interface Executor {
  readonly initialized: boolean;
  readonly systemDatabase: {
    countRunningWorkflowsForQueue(queue: string): number;
    /** Whether this process carries it out. */
    checkForRunningWorkflow(runId: string): boolean;
  };
}

export interface QueueRunner {
  readonly states: ReadonlyMap<string, { readonly queue: PolledQueue }>;
  /** True: it met another process at the same rows, and the next poll comes later. */
  pollQueue(executor: Executor, queue: PolledQueue): Promise<boolean>;
}

export interface Dbos {
  readonly DBOS: typeof DBOS;
  readonly DBOSClient: typeof DBOSClient;
  readonly errors: typeof DbosErrors;
  /** Changes with every process that takes the run up; undefined outside of it. */
  currentOwnerXid(runId: string): string | undefined;
  executor(): Executor | undefined;
  readonly queueRunner: QueueRunner;
}

/** Loaded when it is first needed: a process that only takes requests starts without it. */
@Injectable()
export class DbosSdk {
  private dbos?: Dbos;

  /** @throws Error outside of runs, in a process that has not loaded it. */
  get now(): Dbos {
    if (!this.dbos) throw new Error('This is for the bodies of durable runs only');
    return this.dbos;
  }

  async load(): Promise<Dbos> {
    this.dbos ??= await loadDbos();
    return this.dbos;
  }

  /** Of a process that carries out runs. */
  get executor(): Executor | undefined {
    return this.dbos?.executor();
  }

  /** The run that this is called in. */
  get runId(): string {
    const id = this.now.DBOS.workflowID;
    if (id === undefined) throw new Error('This is for the bodies of durable runs only');
    return id;
  }

  /** DBOS's two ways to say that a run is not ours any more become one. */
  translate(error: unknown): unknown {
    const { DBOSWorkflowCancelledError, DBOSWorkflowConflictError } = this.now.errors;
    const isLost = error instanceof DBOSWorkflowConflictError || error instanceof DBOSWorkflowCancelledError;
    return isLost ? new RunHandedOverError(this.runId, { cause: error }) : error;
  }

  /** For DBOS counts in seconds. */
  static seconds(ms: number): number {
    return ms / MS_PER_SECOND;
  }
}

async function loadDbos(): Promise<Dbos> {
  const [sdk, context, executors, queues, settings] = await Promise.all([
    import('@dbos-inc/dbos-sdk'),
    import('@dbos-inc/dbos-sdk/internal/context'),
    import('@dbos-inc/dbos-sdk/internal/dbos-executor'),
    import('@dbos-inc/dbos-sdk/internal/wfqueue'),
    import('@dbos-inc/dbos-sdk/internal/utils'),
  ]);
  Object.assign(settings.dbRetryConfig, RETRY_SECONDS);
  return {
    DBOS: sdk.DBOS,
    DBOSClient: sdk.DBOSClient,
    errors: sdk.Error,
    currentOwnerXid: context.currentOwnerXid,
    executor: () => executors.DBOSExecutor.globalInstance,
    queueRunner: queues.wfQueueRunner as unknown as QueueRunner,
  };
}
