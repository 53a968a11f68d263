import { Injectable } from '@nestjs/common';
import { formatUsd, type JsonObject, type SqlExecutor, toApiId } from '../../common/index';
import { type NewEvent, Outbox } from '../../events/index';
import type { TaskState } from '../project';
import { progressOf } from './run-progress';

/** What happened, in the words of the event's type: `project.started`, `task.succeeded`. */
export type RunEventType =
  | `project.${'started' | 'paused' | 'resumed' | 'completed' | 'failed' | 'cancelled' | 'forked'}`
  | `task.${'started' | 'progress' | 'waiting' | 'succeeded' | 'failed' | 'cancelled' | 'skipped' | 'ready'}`;

export interface TaskNote {
  /** UUID. */
  readonly id: string;
  readonly title: string;
  readonly agent: string;
  readonly state: TaskState;
}

export interface RunEvent {
  readonly type: RunEventType;
  /** In one sentence; no prompt and no output. */
  readonly what: string;
  readonly task?: TaskNote;
  /** UUID of the user who did it; absent: nobody, it happened. */
  readonly actorId?: string;
  readonly more?: JsonObject;
}

interface FiguresRow {
  readonly project_id: string;
  readonly user_id: string;
  readonly tasks_total: number;
  readonly tasks_done: number;
  readonly tasks_reused: number;
  readonly elapsed_ms: number | null;
  readonly spent: string;
}

const FIGURES = `
  select r.project_id, r.user_id, r.tasks_total, r.tasks_done, r.tasks_reused,
    (extract(epoch from clock_timestamp() - r.started_at) * 1000)::float8 as elapsed_ms,
    (select coalesce(sum(u.cost_pico_usd), 0)::text from usage_lines u where u.run_id = r.id) as spent
  from project_runs r where r.id = $1`;

/** Tells followers of a project what happened in its run, in the transaction in which it happened. */
@Injectable()
export class RunEvents {
  constructor(private readonly outbox: Outbox) {}

  /** Each says what, who, the cost so far, how much is done and how long the rest may take. @param runId UUID */
  async append(tx: SqlExecutor, runId: string, events: readonly RunEvent[]): Promise<void> {
    if (events.length === 0) return;
    const [row] = (await tx.query(FIGURES, [runId])) as FiguresRow[];
    if (!row) return;
    const { percentDone, estimatedRemainingMs } = progressOf({
      tasksTotal: row.tasks_total,
      tasksDone: row.tasks_done,
      tasksReused: row.tasks_reused,
      elapsedMs: row.elapsed_ms ?? 0,
    });
    const common = {
      runId: toApiId('run', runId),
      costUsd: formatUsd(BigInt(row.spent)),
      percentDone,
      estimatedRemainingMs,
    };
    await this.outbox.append(
      events.map((event) => toNewEvent(event, row, common)),
      tx,
    );
  }
}

function toNewEvent(event: RunEvent, row: FiguresRow, common: JsonObject): NewEvent {
  const { type, what, task, actorId, more } = event;
  return {
    type,
    resource: toApiId('prj', row.project_id),
    ownerId: row.user_id,
    data: {
      what,
      ...(task && {
        task: { id: toApiId('tsk', task.id), title: task.title, state: task.state },
        agent: task.agent,
      }),
      ...(actorId !== undefined && { userId: toApiId('usr', actorId) }),
      ...more,
      ...common,
    },
  };
}
