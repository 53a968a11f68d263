import { Injectable } from '@nestjs/common';
import { noSuch, ownedId } from '../../auth/index';
import { type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ConflictError } from '../../errors/index';
import { TASK, type TaskState } from '../project';
import { InvalidStatusError } from '../projects.errors';
import { EMPTY_ANSWER } from '../runs/failure';
import { type GraphTask, isDead, revivedTasks } from '../runs/fork-graph';
import { ForkRepository } from '../runs/fork.repository';
import { ENDED_STATUSES, type Run } from '../runs/run';
import { type Locked, RunChanges } from '../runs/run-changes.service';
import { RetryLimitError } from '../runs/run.errors';
import { RunEvents } from '../runs/run-events';
import { DEAD_ENDS, type Task } from './task';
import { TasksRepository } from './tasks.repository';

const RETRYABLE: readonly TaskState[] = ['failed', 'cancelled', 'skipped'];

const AGAIN = `
  update tasks set state = case open_dependencies when 0 then 'ready' else 'blocked' end, exit_reason = null,
    output = null, error = null, completed_at = null, retries = retries + 1, generation = generation + $2::integer,
    updated_at = clock_timestamp()
  where id = $1`;
const REVIVE = `
  update tasks set state = 'blocked', exit_reason = null, error = null, completed_at = null,
    updated_at = clock_timestamp()
  where id = any($1::uuid[])`;
/** The answers of before are what it begins with, up to the one that the budget cut. */
const KEEP_WHOLE = `
  update task_steps s set generation = s.generation + 1
  where s.task_id = $1 and s.generation = $2 and not exists (
    select from task_steps c where c.task_id = s.task_id and c.generation = s.generation
      and c.number <= s.number and c.result ->> 'isCutByBudget' = 'true')`;
const UNCOUNT = 'update project_runs set tasks_done = tasks_done - $2 where id = $1';

/** Tries a task again that did not succeed. */
@Injectable()
export class TaskRetries {
  constructor(
    private readonly tasks: TasksRepository,
    private readonly changes: RunChanges,
    private readonly graphs: ForkRepository,
    private readonly events: RunEvents,
    private readonly config: AppConfig,
  ) {}

  /**
   * The run goes on; what was skipped for its sake waits for it again. Answers that are kept are not bought again.
   * @param isFresh forgets them
   * @throws NotFoundError, InvalidStatusError, RetryLimitError, ForbiddenError; ConflictError when something it depends on has to be
   * tried again first, or its run is not the newest
   */
  async retry(ctx: RequestContext, id: string, isFresh: boolean): Promise<Task> {
    const taskId = ownedId(TASK, id);
    const found = await this.tasks.find(ctx, taskId);
    if (!found) throw noSuch(TASK);
    return await this.changes.change(ctx, found.projectId, async (tx, locked) => {
      const task = await this.tasks.find(ctx, taskId, tx);
      if (!task) throw noSuch(TASK);
      const run = this.check(task, locked);
      await this.again(tx, ctx, { ...locked, run }, { task, isFresh });
      return (await this.tasks.find(ctx, taskId, tx)) ?? task;
    });
  }

  private check(task: Task, { run }: Locked): Run {
    if (!RETRYABLE.includes(task.state))
      throw InvalidStatusError.unless(task.state, RETRYABLE, 'try it again');
    if (run?.id !== task.runId) {
      throw new ConflictError(
        'Only tasks of the newest run can be tried again: fork the project from this one',
      );
    }
    const { MAX_TASK_RETRIES: limit } = this.config.vars;
    if (task.retries < limit) return run;
    throw new RetryLimitError(
      `The task was tried again ${task.retries} times, which is the limit: change it and fork the project from it`,
      { details: { retries: task.retries, limit } },
    );
  }

  private async again(
    tx: SqlExecutor,
    ctx: RequestContext,
    locked: Locked & { readonly run: Run },
    { task, isFresh }: { readonly task: Task; readonly isFresh: boolean },
  ): Promise<void> {
    const { run } = locked;
    const graph = await this.graphs.graphOf(tx, run.id);
    refuseDead(graph, task);
    const isAnew = isFresh || (task.exitReason !== undefined && DEAD_ENDS.includes(task.exitReason));
    const isAskedAnew = !isAnew && (task.exitReason === 'budget' || task.error?.code === EMPTY_ANSWER);
    if (isAskedAnew) await tx.query(KEEP_WHOLE, [task.id, task.generation]);
    await tx.query(AGAIN, [task.id, isAnew || isAskedAnew ? 1 : 0]);
    await this.changes.payBy(tx, ctx, run);
    const revived = revivedTasks(graph, task.id);
    await tx.query(REVIVE, [[...revived]]);
    await tx.query(UNCOUNT, [run.id, 1 + revived.size]);
    if (ENDED_STATUSES.includes(run.status)) {
      const what = `The run goes on with “${task.title}”`;
      await this.changes.move(tx, ctx, locked, { to: 'running', type: 'project.resumed', what });
    }
    const what = `“${task.title}” is tried again`;
    const actorId = ctx.principal.userId;
    const note = { ...task, state: 'ready' as const };
    await this.events.append(tx, run.id, [{ type: 'task.ready', what, task: note, actorId }]);
    await this.changes.record(tx, ctx, { action: 'task.retry', run, to: 'running' });
  }
}

function refuseDead(graph: readonly GraphTask[], task: Task): void {
  const byId = new Map(graph.map((other) => [other.id, other]));
  const dead = (byId.get(task.id)?.dependsOn ?? []).filter((id) => isDead(byId.get(id)));
  if (dead.length === 0) return;
  throw new ConflictError('It depends on tasks that did not succeed: try those again first', {
    details: { dependsOn: dead.map((id) => toApiId('tsk', id)) },
  });
}
