import { Injectable } from '@nestjs/common';
import type { JsonObject, SqlExecutor } from '../../common/index';
import { toStorableJson } from '../../common/index';
import { AppConfig } from '../../config/index';
import { backoffMs } from '../../execution/index';
import type { TaskState } from '../project';
import { EMPTY_ANSWER, type Failure } from '../runs/failure';
import { RunEnds } from '../runs/run-ends';
import { type RunEvent, RunEvents, type TaskNote } from '../runs/run-events';
import type { ExitReason } from './task';
import {
  ASK_ANEW,
  CANCEL,
  CANCELLED,
  CLOSE,
  FREE,
  GIVE_BACK,
  LOCK,
  REOPEN,
  RETRIES,
  SKIP,
  START,
  WAIT,
  WAIT_FOR_ANSWER,
} from './task-transition-sql';

const MAX_RETRY_MS = 300_000;
/** Of the time that a task was told to wait. */
const MAX_APART = 0.2;

/** Which state a task must be in for the change to happen: nobody changes what is somebody else's by now. */
export type From =
  /** Running, and by this workflow. */
  | { readonly workflowId: string }
  /** Waiting for a person. */
  | 'answer'
  /** In any state that is no end. */
  | 'open';

/** Text that was given, or what its rounds have said: the last one, or all. */
export type Output = { readonly text: string } | 'last' | 'all';

export interface Ending {
  readonly state: 'succeeded' | 'failed' | 'cancelled';
  readonly exitReason: ExitReason;
  readonly output: Output;
  readonly error?: JsonObject;
  /** UUID of the user who ended it. */
  readonly actorId?: string;
}

export interface Retry {
  readonly afterMs: number;
  /** Whether it uses up one of the task's retries. */
  readonly isCounted: boolean;
  readonly error: JsonObject;
}

/** A task after a change. */
export interface ChangedTask extends TaskNote {
  readonly runId: string;
  readonly workflowId: string | null;
}

interface ChangedRow {
  readonly id: string;
  readonly run_id: string;
  readonly title: string;
  readonly agent: string;
  readonly state: TaskState;
  readonly workflow_id: string | null;
}

/**
 * Every change of a task's state. Each takes the transaction it belongs to, does nothing where the task is in no state
 * for it, and locks the project's row first, as whoever changes runs and tasks does; only the dispatcher, which passes
 * over what is locked, and the start of a task, which touches one row, need no such lock.
 */
@Injectable()
export class TaskTransitions {
  constructor(
    private readonly events: RunEvents,
    private readonly ends: RunEnds,
    private readonly config: AppConfig,
  ) {}

  /** A workflow has taken the task up. False: it is not this workflow's any more. */
  async start(tx: SqlExecutor, taskId: string, workflowId: string): Promise<boolean> {
    const task = await changed(tx, START, [taskId, workflowId]);
    if (!task) return false;
    await this.tell(tx, task, { type: 'task.started', what: `“${task.title}” was started` });
    return true;
  }

  /** The task ends: what waits for it may begin, or never will. */
  async end(tx: SqlExecutor, taskId: string, from: From, ending: Ending): Promise<ChangedTask | undefined> {
    await tx.query(LOCK, [taskId]);
    const task = await changed(tx, CLOSE, closeParameters(taskId, from, ending));
    if (!task) return undefined;
    const skipped = await this.settleDependents(tx, task);
    const events = [endEvent(task, ending), ...skipped.map((other) => skipEvent(other, task))];
    const end = await this.ends.count(tx, task.runId, 1 + skipped.length);
    await this.events.append(tx, task.runId, end ? [...events, end] : events);
    return task;
  }

  /**
   * Again later, while the failure may pass and the task has retries left; otherwise it ends.
   * @returns in how many milliseconds it is tried again; null: never
   */
  async fail(
    tx: SqlExecutor,
    { taskId, workflowId }: { readonly taskId: string; readonly workflowId: string },
    { code, message, exitReason, retry }: Failure,
  ): Promise<number | null> {
    const error: JsonObject = { code, message };
    const [row] = (await tx.query(RETRIES, [taskId])) as { retries: number }[];
    const retries = row?.retries ?? 0;
    const { MAX_TASK_RETRIES: maxRetries, TASK_RETRY_BASE_MS: baseDelayMs } = this.config.vars;
    if (!retry || (retry.isCounted && retries >= maxRetries)) {
      await this.end(tx, taskId, { workflowId }, { state: 'failed', exitReason, output: 'all', error });
      return null;
    }
    const policy = { maxTries: maxRetries, baseDelayMs, maxDelayMs: MAX_RETRY_MS };
    const pause = retry.isCounted ? backoffMs(policy, retries + 1) : 0;
    const afterMs = Math.max(pause, apart(retry.afterMs ?? 0));
    await this.waitForRetry(tx, taskId, workflowId, { afterMs, isCounted: retry.isCounted, error });
    return afterMs;
  }

  /** It failed and is tried again later. Until then it holds no slot. */
  async waitForRetry(tx: SqlExecutor, taskId: string, workflowId: string, retry: Retry): Promise<void> {
    await tx.query(LOCK, [taskId]);
    const { afterMs, isCounted, error } = retry;
    if (error.code === EMPTY_ANSWER) await tx.query(ASK_ANEW, [taskId, workflowId]);
    const task = await changed(tx, WAIT, [
      taskId,
      workflowId,
      afterMs,
      isCounted ? 1 : 0,
      toStorableJson(error),
    ]);
    if (!task) return;
    const { code } = error;
    await this.tell(tx, task, {
      type: 'task.waiting',
      what: `“${task.title}” is tried again in ${Math.ceil(afterMs / 1000)} s`,
      more: { waitingFor: 'retry', retryAfterMs: afterMs, code },
    });
  }

  /** Its agent is a person. */
  async waitForAnswer(tx: SqlExecutor, taskId: string, workflowId: string): Promise<void> {
    await tx.query(LOCK, [taskId]);
    const task = await changed(tx, WAIT_FOR_ANSWER, [taskId, workflowId]);
    if (!task) return;
    await this.tell(tx, task, {
      type: 'task.waiting',
      what: `“${task.title}” waits for an answer`,
      more: { waitingFor: 'answer' },
    });
  }

  /** It waits for a person no more: it has another agent. The caller's transaction has locked the project. */
  async reopen(tx: SqlExecutor, taskId: string): Promise<void> {
    const task = await changed(tx, REOPEN, [taskId]);
    if (task) await this.tell(tx, task, { type: 'task.ready', what: `“${task.title}” has another agent` });
  }

  /** It goes on later where it is now: its run is paused, or its workflow went missing. */
  async giveBack(tx: SqlExecutor, taskId: string, workflowId: string): Promise<void> {
    await tx.query(LOCK, [taskId]);
    const task = await changed(tx, GIVE_BACK, [taskId, workflowId]);
    if (task) await this.tell(tx, task, { type: 'task.ready', what: `“${task.title}” goes on later` });
  }

  /** Ends every open task of a run whose project is locked. The workflows that must be told. */
  async cancelRun(tx: SqlExecutor, runId: string): Promise<readonly string[]> {
    const rows = (await tx.query(CANCEL, [runId])) as { workflow_id: string | null }[];
    return rows.flatMap(({ workflow_id: workflowId }) => workflowId ?? []);
  }

  /** The workflows that the tasks of a cancelled run had; they may be told again. */
  async cancelledIn(tx: SqlExecutor, runId: string): Promise<readonly string[]> {
    const rows = (await tx.query(CANCELLED, [runId])) as { workflow_id: string }[];
    return rows.map(({ workflow_id: workflowId }) => workflowId);
  }

  private async settleDependents(tx: SqlExecutor, task: ChangedTask): Promise<readonly ChangedTask[]> {
    if (task.state !== 'succeeded') return await allChanged(tx, SKIP, [task.id, dependencyError(task)]);
    await tx.query(FREE, [task.id]);
    return [];
  }

  private async tell(tx: SqlExecutor, task: ChangedTask, event: Omit<RunEvent, 'task'>): Promise<void> {
    await this.events.append(tx, task.runId, [{ ...event, task }]);
  }
}

/** Tasks that were told to wait for the same moment do not all come at it. */
function apart(ms: number): number {
  return Math.round(ms * (1 + MAX_APART * Math.random()));
}

function closeParameters(taskId: string, from: From, ending: Ending): unknown[] {
  const { state, exitReason, output, error, actorId } = ending;
  const isText = typeof output === 'object';
  return [
    taskId,
    typeof from === 'object' ? 'workflow' : from,
    typeof from === 'object' ? from.workflowId : null,
    state,
    exitReason,
    isText ? 'text' : output,
    isText ? storable(output.text) : null,
    error ? toStorableJson(error) : null,
    state === 'succeeded' && actorId !== undefined ? actorId : null,
  ];
}

function endEvent(task: ChangedTask, { state, exitReason, error, actorId }: Ending): RunEvent {
  const code = error?.code;
  return {
    type: `task.${state}`,
    what: `“${task.title}” ${state === 'cancelled' ? 'was cancelled' : state}`,
    task,
    actorId,
    more: { exitReason, ...(code !== undefined && { code }) },
  };
}

function skipEvent(task: ChangedTask, cause: ChangedTask): RunEvent {
  return {
    type: 'task.skipped',
    what: `“${task.title}” was skipped: “${cause.title}” did not succeed`,
    task,
  };
}

function dependencyError({ title }: ChangedTask): string {
  const message = `“${title}”, which it depends on, did not succeed`;
  return toStorableJson({ code: 'DEPENDENCY_NOT_SUCCEEDED', message });
}

/** PostgreSQL's text holds neither NUL nor half a character. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

async function changed(
  tx: SqlExecutor,
  sql: string,
  parameters: unknown[],
): Promise<ChangedTask | undefined> {
  return (await allChanged(tx, sql, parameters))[0];
}

async function allChanged(tx: SqlExecutor, sql: string, parameters: unknown[]): Promise<ChangedTask[]> {
  const rows = (await tx.query(sql, parameters)) as ChangedRow[];
  return rows.map(({ run_id: runId, workflow_id: workflowId, ...note }) => ({ ...note, runId, workflowId }));
}
