import type { EntityManager } from 'typeorm';
import type { JsonValue } from '../common/index';

/** What a run does. Every await in it that is not one of the engine's own must be inside `step` or `fenced`. */
export type WorkflowBody<Input, Output> = (input: Input) => Promise<Output>;

export interface QueueLimits {
  /** Runs of the queue that one process carries out at once; absent: no limit. */
  readonly perNode?: number;
}

export interface StartOptions {
  /** The same id is the same run: asked for twice, it is started once. */
  readonly id: string;
  readonly queue: string;
  readonly delayMs?: number;
}

export interface Start extends StartOptions {
  readonly input: JsonValue;
}

export type RunState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'given_up';

export interface RunStatus {
  readonly id: string;
  /** `given_up`: it crashed its processes too often. */
  readonly state: RunState;
  readonly output?: JsonValue;
  readonly error?: string;
}

/**
 * Runs that survive the death of any process: what a finished step returned is never asked for again. Bodies and queues
 * are registered in constructors; the engine starts when the application does, and only where PROJECT_WORKER is on.
 */
export abstract class DurableEngine {
  abstract workflow<Input extends JsonValue, Output extends JsonValue>(
    name: string,
    body: WorkflowBody<Input, Output>,
  ): void;

  abstract queue(name: string, limits?: QueueLimits): void;

  /** Starts a run with, and only with, the transaction's commit. Works in every process. */
  abstract enqueue(tx: EntityManager, name: string, input: JsonValue, options: StartOptions): Promise<void>;

  /** The same for many of one workflow. */
  abstract enqueueAll(tx: EntityManager, name: string, starts: readonly Start[]): Promise<void>;

  /** Inside a run: starts a child, which tells its parent when it ends. */
  abstract startChild(name: string, input: JsonValue, options: StartOptions): Promise<string>;

  /** Inside a run: waits until one of its children has ended, and tells which. */
  abstract firstEnded(childIds: readonly string[]): Promise<string>;

  /**
   * Inside a run: does something once. After a crash it is done again unless it had ended; its result is journalled, so
   * keep it small. A failure is journalled too: after a crash it comes again, as an error with the same message.
   * @param work its signal is aborted when the run is cancelled
   */
  abstract step<T extends JsonValue>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;

  /**
   * Inside a run: one transaction that is refused when the run was handed to another process meanwhile. Tried again
   * while PostgreSQL is away. What is committed is never done again, wherever the process died: its result is kept with it.
   * @throws RunHandedOverError
   */
  abstract fenced<T extends JsonValue>(name: string, work: (tx: EntityManager) => Promise<T>): Promise<T>;

  /**
   * Inside a step: the same guard for a transaction of the step's own, such as storing an answer before it is booked.
   * It may be done twice, with its step or when the answer to its commit was lost.
   * @throws RunHandedOverError
   */
  abstract guarded<T>(work: (tx: EntityManager) => Promise<T>): Promise<T>;

  /**
   * Inside a step, before something that costs: a process that stood still may have lost the run and not know it yet.
   * @throws RunHandedOverError, ServiceUnavailableError
   */
  abstract confirm(): Promise<void>;

  /** Inside a run, durable: over after a restart too. */
  abstract sleep(ms: number): Promise<void>;

  abstract signal(runId: string, topic: string, value: JsonValue): Promise<void>;

  /** Inside a run: the next value of the topic, or null after the time. */
  abstract received<T extends JsonValue>(topic: string, timeoutMs: number): Promise<T | null>;

  /** Ends runs and their children wherever they are, and aborts what they have under way there. Works in every process. */
  abstract cancel(runIds: readonly string[]): Promise<void>;

  abstract statuses(runIds: readonly string[]): Promise<readonly RunStatus[]>;

  /** Inside a run: its id. */
  abstract get runId(): string;
}
