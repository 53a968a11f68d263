import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AgentRegistry } from '../../agents/index';
import { noSuch, ownedId } from '../../auth/index';
import { type RequestContext, toApiId } from '../../common/index';
import { AuditSink, ValidationError } from '../../errors/index';
import { PLAN } from '../project';
import { lockProject } from '../project-status';
import { InvalidStatusError, UnknownAgentError } from '../projects.errors';
import { decompose } from './decomposer';
import type { DraftTask, Plan, TaskGraph } from './plan';
import { PlansRepository } from './plan.repository';
import { unknownAgents } from './plan-reading';
import { PLANNER } from './planner-desk';

/** What stays undefined stays as it is. */
export interface PlanChange {
  readonly summary?: string;
  readonly tasks?: readonly DraftTask[];
}

/** Plans as their owners change them, until they approve one. */
@Injectable()
export class PlansService {
  constructor(
    private readonly database: DataSource,
    private readonly plans: PlansRepository,
    private readonly agents: AgentRegistry,
    private readonly audit: AuditSink,
  ) {}

  /**
   * Checks all tasks anew. Of two changes at once the later one holds.
   * @throws NotFoundError, ValidationError, UnknownAgentError, TooManyDependenciesError, PlanCycleError, InvalidStatusError
   */
  async update(ctx: RequestContext, id: string, change: PlanChange): Promise<Plan> {
    if (change.summary === undefined && change.tasks === undefined) {
      throw new ValidationError('Name what to change: summary, tasks or both', { param: 'tasks' });
    }
    const planId = ownedId(PLAN, id);
    // Before the lock and its connection are taken: this asks for another connection, and works longest.
    const graph = change.tasks && (await this.graphOf(ctx, planId, change.tasks));
    return await this.database.transaction(async (tx) => {
      const before = await this.lockedReady(ctx, planId, tx);
      const { summary = before.summary ?? '' } = change;
      const { tasks, warnings } = graph ?? before;
      const content = { summary, tasks, warnings };
      await this.plans.fill(tx, planId, content);
      const after = { tasks: content.tasks.length, warnings: content.warnings.length };
      await this.audit.record(ctx, { action: 'plan.update', resourceId: toApiId('pln', planId), after }, tx);
      return (await this.plans.find(ctx, planId, tx)) ?? before;
    });
  }

  private async lockedReady(ctx: RequestContext, planId: string, tx: EntityManager): Promise<Plan> {
    const found = await this.plans.find(ctx, planId, tx);
    if (!found) throw noSuch(PLAN);
    await lockProject(tx, found.projectId);
    const plan = await this.plans.lock(tx, planId);
    if (!plan) throw noSuch(PLAN);
    if (plan.state !== 'ready') throw InvalidStatusError.unless(plan.state, ['ready'], 'change the plan');
    return plan;
  }

  private async graphOf(
    ctx: RequestContext,
    planId: string,
    tasks: readonly DraftTask[],
  ): Promise<TaskGraph> {
    const plan = await this.plans.find(ctx, planId);
    if (!plan) throw noSuch(PLAN);
    await this.refuseUnknownAgents(ctx, plan, tasks);
    return decompose(tasks);
  }

  private async refuseUnknownAgents(
    ctx: RequestContext,
    { userId }: Plan,
    tasks: readonly DraftTask[],
  ): Promise<void> {
    // The agents of whoever the plan belongs to, who need not be the caller.
    const owner = { ...ctx, principal: { ...ctx.principal, userId } };
    const known = (await this.agents.list(owner)).map(({ type }) => type).filter((type) => type !== PLANNER);
    const [problem] = unknownAgents(tasks, known);
    if (problem !== undefined) throw new UnknownAgentError(problem, { param: 'tasks', details: { known } });
  }
}
