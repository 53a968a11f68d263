import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { noSuch, ownedId } from '../../auth/index';
import type { RequestContext, SqlExecutor } from '../../common/index';
import { repeatOnConflict } from '../../ledger/index';
import { NEXT_STATUSES, PLAN, type Project, PROJECT_STATUSES } from '../project';
import { lockProject, moveProject } from '../project-status';
import { InvalidStatusError, WarningsNotConfirmedError } from '../projects.errors';
import { RunControl } from '../run-control';
import { type ApprovedRun, RunGraphs } from '../runs/run-graph.repository';
import { ApprovalNotes } from './approval-notes';
import { decompose } from './decomposer';
import type { Plan } from './plan';
import { PlansRepository } from './plan.repository';

const APPROVABLE = PROJECT_STATUSES.filter(
  (status) => status !== 'planning' && NEXT_STATUSES[status].includes('approved'),
);

export interface ApprovalOptions {
  readonly confirmWarnings: boolean;
  /** Begin the run at once. */
  readonly start: boolean;
}

/** Turns an approved plan into a run, exactly once, however often and from wherever it is approved. */
@Injectable()
export class PlanApproval {
  constructor(
    private readonly database: DataSource,
    private readonly plans: PlansRepository,
    private readonly graphs: RunGraphs,
    private readonly notes: ApprovalNotes,
    private readonly runs: RunControl,
  ) {}

  /**
   * The run of the plan, whether this call made it or an earlier one.
   * @throws NotFoundError, InvalidStatusError, WarningsNotConfirmedError, TooManyDependenciesError
   */
  async approve(ctx: RequestContext, id: string, options: ApprovalOptions): Promise<ApprovedRun> {
    const planId = ownedId(PLAN, id);
    const run = await repeatOnConflict(() =>
      this.database.transaction((tx) => this.approveIn(tx, ctx, planId, options)),
    );
    // A crash before this leaves a run that is approved: approving again, or starting it, goes on from there.
    if (!options.start || run.status !== 'approved') return run;
    await this.runs.start(ctx, run.projectId);
    return { ...run, status: 'running' };
  }

  private async approveIn(
    tx: EntityManager,
    ctx: RequestContext,
    planId: string,
    { confirmWarnings }: ApprovalOptions,
  ): Promise<ApprovedRun> {
    const { plan, project } = await this.locked(tx, ctx, planId);
    const earlier = plan.state === 'approved' ? await this.graphs.ofPlan(tx, planId) : undefined;
    if (earlier) return earlier;
    // The newer plan would find its project elsewhere when it is written.
    if (project.status === 'planning')
      throw InvalidStatusError.unless(project.status, APPROVABLE, 'approve a plan');
    if (plan.state !== 'ready') throw InvalidStatusError.unless(plan.state, ['ready'], 'approve the plan');
    if (plan.warnings.length > 0 && !confirmWarnings) throw new WarningsNotConfirmedError(plan.warnings);
    return await this.expand(tx, ctx, plan, project);
  }

  /** Rows, status, event and audit together. */
  private async expand(
    tx: EntityManager,
    ctx: RequestContext,
    plan: Plan,
    project: Project,
  ): Promise<ApprovedRun> {
    if (project.runId !== undefined) await this.graphs.discardUnbegun(tx, project.runId);
    const graph = decompose(plan.tasks);
    const created = { projectId: project.id, userId: project.userId, planId: plan.id, graph };
    const runId = await this.graphs.create(tx, created);
    const moved = await moveProject(tx, project, 'approved', { planId: plan.id, runId });
    await this.plans.approve(tx, plan.id);
    await this.plans.supersede(tx, plan, ['ready']);
    await this.notes.approved(tx, ctx, moved, plan);
    const tasks = graph.tasks.length;
    return { id: runId, projectId: project.id, planId: plan.id, status: 'approved', tasks };
  }

  private async locked(
    tx: SqlExecutor,
    ctx: RequestContext,
    planId: string,
  ): Promise<{ readonly plan: Plan; readonly project: Project }> {
    const found = await this.plans.find(ctx, planId, tx);
    const project = found && (await lockProject(tx, found.projectId));
    const plan = project && (await this.plans.lock(tx, planId));
    if (!plan || !project) throw noSuch(PLAN);
    return { plan, project };
  }
}
