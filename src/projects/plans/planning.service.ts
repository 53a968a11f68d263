import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { noSuch, ownedId } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { DurableEngine } from '../../durable/index';
import { PROJECT } from '../project';
import { PlanningLimitError } from '../projects.errors';
import { WorkContexts } from '../work-context';
import type { Plan, PlanningRequest } from './plan';
import { PLAN_QUEUE, PLAN_WORKFLOW } from './planner.workflow';
import { PlanningRows } from './planning-rows';

export type WantedPlan = Pick<PlanningRequest, 'model' | 'instructions' | 'maxTasks'>;

const WINDOW_MS = 60_000;
/** Of one user; fewer than a process has places for, so that some are left to the others. */
const MOST_UNDER_WAY = 5;
const ONE_ENDS_MS = 10_000;

/** Begins plannings: the project, the plan, the event and the work that is to be done in one transaction. */
@Injectable()
export class PlanningService {
  constructor(
    private readonly database: DataSource,
    private readonly config: AppConfig,
    private readonly engine: DurableEngine,
    private readonly contexts: WorkContexts,
    private readonly rows: PlanningRows,
  ) {}

  /**
   * The next version of the plan, which is being made.
   * @throws NotFoundError, InvalidStatusError, PlanningLimitError, ForbiddenError (the caller may use no models)
   */
  async begin(ctx: RequestContext, projectId: string, wanted: WantedPlan): Promise<Plan> {
    return await this.database.transaction(async (tx) => {
      const found = await this.rows.projects.find(ctx, ownedId(PROJECT, projectId), tx);
      if (!found) throw noSuch(PROJECT);
      const actor = this.contexts.actorFor(ctx, found.userId);
      await this.refuseTooMany(tx, found.userId);
      const plan = await this.rows.add(ctx, tx, found.id, { ...wanted, actor });
      const options = { id: plan.id, queue: PLAN_QUEUE };
      await this.engine.enqueue(tx, PLAN_WORKFLOW, { planId: plan.id }, options);
      return plan;
    });
  }

  /** Exact across all processes: plannings of a user begin one after the other. */
  private async refuseTooMany(tx: EntityManager, userId: string): Promise<void> {
    const allowed = this.config.vars.PLANNINGS_PER_MINUTE;
    const begun = await this.rows.plans.recent(tx, userId, allowed);
    const oldest = begun[allowed - 1];
    if (!oldest) return await this.refuseTooManyAtOnce(tx, userId);
    const retryAfterMs = Math.max(1000, oldest.getTime() + WINDOW_MS - Date.now());
    throw new PlanningLimitError(`At most ${allowed} plannings may begin in a minute: try again later`, {
      retryAfterMs,
      details: { limit: allowed },
    });
  }

  /** In the turn that the other limit took. */
  private async refuseTooManyAtOnce(tx: EntityManager, userId: string): Promise<void> {
    if ((await this.rows.plans.underWay(tx, userId)) < MOST_UNDER_WAY) return;
    throw new PlanningLimitError(
      `At most ${MOST_UNDER_WAY} plannings may be under way: wait until one ends`,
      {
        retryAfterMs: ONE_ENDS_MS,
        details: { limit: MOST_UNDER_WAY },
      },
    );
  }
}
