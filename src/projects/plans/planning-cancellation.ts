import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SqlExecutor } from '../../common/index';
import { DurableEngine } from '../../durable/index';
import { lockProject } from '../project-status';
import { PlanResults } from './plan-results.service';
import { PlansRepository } from './plan.repository';

const CANCELLED = { code: 'CANCELLED', message: 'The planning was cancelled' };

/** Ends plannings before they are done. */
@Injectable()
export class PlanningCancellation {
  constructor(
    private readonly database: DataSource,
    private readonly engine: DurableEngine,
    private readonly plans: PlansRepository,
    private readonly results: PlanResults,
  ) {}

  /** The project becomes what it was before. @param projectId UUID */
  async cancelAll(projectId: string): Promise<void> {
    await this.abort(await this.database.transaction((tx) => this.cancelIn(tx, projectId)));
  }

  /** As part of a larger change: what to `abort` when it is committed. */
  async cancelIn(tx: SqlExecutor, projectId: string): Promise<readonly string[]> {
    await lockProject(tx, projectId);
    const plannings = await this.plans.planningsOf(projectId, tx);
    // The newest one last: it gives the project its status back.
    for (const { planId } of plannings.toReversed()) await this.results.fail(tx, planId, CANCELLED);
    return plannings.map(({ workflowId }) => workflowId);
  }

  /** Ends what asks a model for them, wherever that is. */
  async abort(workflowIds: readonly string[]): Promise<void> {
    if (workflowIds.length > 0) await this.engine.cancel(workflowIds);
  }
}
