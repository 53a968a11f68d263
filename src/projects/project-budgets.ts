import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { BudgetsService } from '../budget/index';
import type { PicoUsd, RequestContext } from '../common/index';
import { BudgetRepository } from '../ledger/index';

/** The budget that a project has of its own: hard, for all of its time, and inside those of its owner. */
@Injectable()
export class ProjectBudgets {
  constructor(
    private readonly service: BudgetsService,
    private readonly budgets: BudgetRepository,
  ) {}

  /**
   * Sets, changes or takes away the budget. Comes last in its transaction: see `BudgetRepository.create`.
   * @param limitPicoUsd null: none any more
   * @throws ForbiddenError when an administrator set it
   */
  async set(
    ctx: RequestContext,
    projectId: string,
    limitPicoUsd: PicoUsd | null,
    tx: EntityManager,
  ): Promise<void> {
    const id = await this.find(ctx, projectId, tx);
    if (id !== undefined && limitPicoUsd === null) await this.service.removeIn(ctx, id, tx);
    else if (id !== undefined && limitPicoUsd !== null) {
      await this.service.updateIn(ctx, id, { limitPicoUsd }, tx);
    } else if (limitPicoUsd !== null) await this.add(ctx, projectId, limitPicoUsd, tx);
  }

  async add(ctx: RequestContext, projectId: string, limitPicoUsd: PicoUsd, tx: EntityManager): Promise<void> {
    const scope = { scope: 'project', scopeId: projectId, period: 'total', mode: 'hard' } as const;
    await this.service.add(await this.service.plan(ctx, { ...scope, limitPicoUsd }, tx), tx);
  }

  /** Of a project that is being deleted, and of its runs. */
  async forget(projectId: string, runIds: readonly string[], tx: EntityManager): Promise<void> {
    await this.budgets.removeOf('project', [projectId], tx);
    await this.budgets.removeOf('run', runIds, tx);
  }

  private async find(ctx: RequestContext, projectId: string, tx: EntityManager): Promise<string | undefined> {
    const query = { scope: 'project', scopeIds: [projectId], period: 'total', limit: 1 } as const;
    const [found] = await this.budgets.list(ctx, query, tx);
    return found?.id;
  }
}
