import { Injectable } from '@nestjs/common';
import type { RequestContext, SqlExecutor } from '../../common/index';
import { DurableEngine } from '../../durable/index';
import { PlanningCancellation } from '../plans/planning-cancellation';
import { NEXT_STATUSES, type ProjectStatus } from '../project';
import { lockProject, moveProject } from '../project-status';
import { InvalidStatusError } from '../projects.errors';
import { RunControl } from '../run-control';
import { TaskTransitions } from '../tasks/task-transitions';
import { ENDED_STATUSES, type Run } from './run';
import { type Locked, RunChanges } from './run-changes.service';
import { RunRepository } from './run.repository';

const BEGIN = 'update project_runs set tasks_done = greatest(tasks_done, tasks_reused) where id = $1';
const ALL_DONE = 'update project_runs set tasks_done = tasks_total where id = $1';

/** What has to be told when the transaction is committed. */
interface Cancelled {
  readonly workflowIds: readonly string[];
  readonly planIds: readonly string[];
}

/** Starts, pauses, resumes and cancels runs. What is already as it was asked to be is left as it is. */
@Injectable()
export class RunControlService extends RunControl {
  constructor(
    private readonly changes: RunChanges,
    private readonly runs: RunRepository,
    private readonly transitions: TaskTransitions,
    private readonly engine: DurableEngine,
    private readonly plannings: PlanningCancellation,
  ) {
    super();
  }

  /** @throws NotFoundError, InvalidStatusError, ForbiddenError */
  override async start(ctx: RequestContext, projectId: string): Promise<void> {
    await this.changes.change(ctx, projectId, async (tx, locked) => {
      if (locked.project.status === 'running') return;
      const run = runOf(locked, ['approved'], 'start it');
      await this.begin(tx, ctx, { ...locked, run }, 'The run was started');
    });
  }

  /** Of a run that is approved, with the caller's key, when the caller is the owner. */
  async begin(
    tx: SqlExecutor,
    ctx: RequestContext,
    locked: Locked & { readonly run: Run },
    what: string,
  ): Promise<void> {
    await this.changes.payBy(tx, ctx, locked.run);
    await tx.query(BEGIN, [locked.run.id]);
    await this.changes.move(tx, ctx, locked, { to: 'running', type: 'project.started', what });
  }

  /** What is under way ends its round; nothing new begins. @throws NotFoundError, InvalidStatusError */
  async pause(ctx: RequestContext, projectId: string): Promise<void> {
    await this.changes.change(ctx, projectId, async (tx, locked) => {
      if (locked.project.status === 'paused') return;
      const run = runOf(locked, ['running'], 'pause it');
      const note = { type: 'project.paused', what: 'The run was paused' } as const;
      await this.changes.move(tx, ctx, { ...locked, run }, { to: 'paused', ...note });
    });
  }

  /** With the caller's key, when the caller is the owner. @throws NotFoundError, InvalidStatusError, ForbiddenError */
  async resume(ctx: RequestContext, projectId: string): Promise<void> {
    await this.changes.change(ctx, projectId, async (tx, locked) => {
      if (locked.project.status === 'running') return;
      const run = runOf(locked, ['paused'], 'resume it');
      await this.changes.payBy(tx, ctx, run);
      const note = { type: 'project.resumed', what: 'The run goes on' } as const;
      await this.changes.move(tx, ctx, { ...locked, run }, { to: 'running', ...note });
    });
  }

  /** Ends what is under way wherever it is, and a planning, too. @throws NotFoundError, InvalidStatusError */
  async cancel(ctx: RequestContext, projectId: string): Promise<void> {
    const cancelled = await this.changes.change(ctx, projectId, (tx, locked) =>
      this.cancelIn(tx, ctx, locked),
    );
    await this.abort(cancelled);
  }

  override async cancelAll(ctx: RequestContext, projectId: string): Promise<void> {
    const workflowIds = await this.changes.change(ctx, projectId, async (tx, locked) => {
      const ended: string[] = [];
      for (const run of await this.runs.open(ctx, projectId, tx)) {
        ended.push(...(await this.endRun(tx, ctx, run)));
      }
      return ended.concat(await this.cancelledBefore(tx, locked));
    });
    await this.abort({ workflowIds, planIds: [] });
  }

  private async cancelIn(tx: SqlExecutor, ctx: RequestContext, locked: Locked): Promise<Cancelled> {
    const { project, run } = locked;
    // Asked again: perhaps because nobody was told the first time.
    if (project.status === 'cancelled') {
      return { workflowIds: await this.cancelledBefore(tx, locked), planIds: [] };
    }
    const planIds = await this.plannings.cancelIn(tx, project.id);
    // One that was approved and has not begun may stand behind a newer plan.
    if (run && !ENDED_STATUSES.includes(run.status)) {
      return { workflowIds: await this.endRun(tx, ctx, run), planIds };
    }
    const before = (await lockProject(tx, project.id)) ?? project;
    // What had ended before it was planned anew stays as it ended.
    const isEnded = planIds.length > 0 && !NEXT_STATUSES[before.status].includes('cancelled');
    if (!isEnded) await moveProject(tx, before, 'cancelled');
    return { workflowIds: [], planIds };
  }

  /** The workflows that are to be told. */
  private async endRun(tx: SqlExecutor, ctx: RequestContext, run: Run): Promise<readonly string[]> {
    const workflowIds = await this.transitions.cancelRun(tx, run.id);
    await tx.query(ALL_DONE, [run.id]);
    const note = { type: 'project.cancelled', what: 'The run was cancelled' } as const;
    await this.changes.set(tx, ctx, run, { to: 'cancelled', ...note });
    return workflowIds;
  }

  private async cancelledBefore(tx: SqlExecutor, { run }: Locked): Promise<readonly string[]> {
    return run?.status === 'cancelled' ? await this.transitions.cancelledIn(tx, run.id) : [];
  }

  private async abort({ workflowIds, planIds }: Cancelled): Promise<void> {
    if (workflowIds.length > 0) await this.engine.cancel(workflowIds);
    await this.plannings.abort(planIds);
  }
}

function runOf({ project, run }: Locked, allowed: readonly ProjectStatus[], act: string): Run {
  if (run && allowed.includes(project.status)) return run;
  throw InvalidStatusError.unless(project.status, allowed, act);
}
