import { Injectable } from '@nestjs/common';
import { noSuch } from '../../auth/index';
import { fromApiId, type RequestContext, type SqlExecutor } from '../../common/index';
import { type ProjectStatus, TASK } from '../project';
import { InvalidStatusError } from '../projects.errors';
import { TasksRepository } from '../tasks/tasks.repository';
import { reusedTasks } from './fork-graph';
import { ForkRepository } from './fork.repository';
import { ENDED_STATUSES, type Run } from './run';
import { type Locked, RunChanges } from './run-changes.service';
import { RunControlService } from './run-control.service';
import { RunEvents } from './run-events';
import { RunRepository } from './run.repository';

export interface ForkOptions {
  /** API id: it and everything behind it is done anew; undefined: everything that did not succeed. */
  readonly fromTaskId?: string;
  /** Nothing is reused. */
  readonly isFresh: boolean;
  /** Begin at once. */
  readonly start: boolean;
}

const ENDED: readonly ProjectStatus[] = ['completed', 'failed', 'cancelled'];

/** Runs that begin where earlier ones have come to. */
@Injectable()
export class RunForks {
  constructor(
    private readonly changes: RunChanges,
    private readonly control: RunControlService,
    private readonly runs: RunRepository,
    private readonly tasks: TasksRepository,
    private readonly forks: ForkRepository,
    private readonly events: RunEvents,
  ) {}

  /**
   * Repeats a run that has ended. Results that stand before the fork are taken over: no call is made for them.
   * @param projectId UUID
   * @throws NotFoundError, InvalidStatusError
   */
  async fork(ctx: RequestContext, projectId: string, options: ForkOptions): Promise<void> {
    await this.changes.change(ctx, projectId, async (tx, locked) => {
      const { project } = locked;
      if (!ENDED.includes(project.status)) throw InvalidStatusError.unless(project.status, ENDED, 'fork it');
      const { run: from, taskId } = await this.origin(tx, ctx, locked, options.fromTaskId);
      const graph = await this.forks.graphOf(tx, from.id);
      const reused = options.isFresh ? new Set<string>() : reusedTasks(graph, taskId);
      const run = await this.runs.find(ctx, await this.forks.copy(tx, from, graph, reused), tx);
      if (!run) throw new Error('A run that was made is gone');
      const what = `A fork was made: ${reused.size} of ${graph.length} results are reused`;
      const actorId = ctx.principal.userId;
      await this.events.append(tx, run.id, [{ type: 'project.forked', what, actorId }]);
      await this.changes.record(tx, ctx, { action: 'project.fork', run: from, to: from.status });
      if (!options.start) return;
      const forked = { ...project, status: 'approved' as const, runId: run.id };
      await this.control.begin(tx, ctx, { project: forked, run }, 'The fork was started');
    });
  }

  /** The run to repeat, and from which task on. */
  private async origin(
    tx: SqlExecutor,
    ctx: RequestContext,
    { project, run }: Locked,
    fromTaskId: string | undefined,
  ): Promise<{ readonly run: Run; readonly taskId?: string }> {
    if (fromTaskId === undefined) {
      if (run && ENDED_STATUSES.includes(run.status)) return { run };
      throw InvalidStatusError.unless(run?.status ?? 'without a run', ENDED, 'fork it');
    }
    const taskId = fromApiId('tsk', fromTaskId);
    const task = taskId === undefined ? undefined : await this.tasks.find(ctx, taskId, tx);
    const origin = task?.projectId === project.id ? await this.runs.find(ctx, task.runId, tx) : undefined;
    if (!origin || !task) throw noSuch(TASK, 'fromTaskId');
    return { run: origin, taskId: task.id };
  }
}
