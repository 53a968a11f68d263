import { Injectable } from '@nestjs/common';
import { noSuch } from '../../auth/index';
import { type RequestContext, type SqlExecutor, toApiId } from '../../common/index';
import { AuditSink } from '../../errors/index';
import { Outbox } from '../../events/index';
import { PROJECT } from '../project';
import { projectEvent } from '../project-events';
import { lockProject, moveProject } from '../project-status';
import { ProjectsRepository } from '../projects.repository';
import type { Plan, PlanningRequest } from './plan';
import { PlansRepository } from './plan.repository';

/** What a planning begins with, as rows. */
@Injectable()
export class PlanningRows {
  constructor(
    readonly projects: ProjectsRepository,
    readonly plans: PlansRepository,
    private readonly outbox: Outbox,
    private readonly audit: AuditSink,
  ) {}

  /** @throws NotFoundError, InvalidStatusError */
  async add(
    ctx: RequestContext,
    tx: SqlExecutor,
    projectId: string,
    asked: Omit<PlanningRequest, 'from' | 'fromReason'>,
  ): Promise<Plan> {
    const project = await lockProject(tx, projectId);
    if (!project) throw noSuch(PROJECT);
    const { status: from, statusReason: fromReason } = project;
    const planId = await this.plans.add(tx, projectId, project.userId, { ...asked, from, fromReason });
    const moved = await moveProject(tx, project, 'planning');
    const about = { planId: toApiId('pln', planId) };
    const event = projectEvent('project.planning', moved, { what: 'A plan is being made', about });
    await this.outbox.append([event], tx);
    const { model, maxTasks } = asked;
    const after = { ...about, model, maxTasks };
    await this.audit.record(
      ctx,
      { action: 'project.plan', resourceId: toApiId('prj', projectId), after },
      tx,
    );
    const plan = await this.plans.find(ctx, planId, tx);
    if (!plan) throw new Error('A plan that was added is not there');
    return plan;
  }
}
