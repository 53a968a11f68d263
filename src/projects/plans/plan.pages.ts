/** Plans as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors, noSuch, ownedId } from '../../auth/index';
import type { PageQueryDto, RequestContext } from '../../common/index';
import { PLAN, PROJECT } from '../project';
import { PlanDto, type PlanPageDto, PlanSummaryDto } from './dto/plan.response.dto';
import { PlansRepository } from './plan.repository';

@Injectable()
export class PlanPages {
  constructor(
    private readonly plans: PlansRepository,
    private readonly cursors: Cursors,
  ) {}

  async list(ctx: RequestContext, projectId: string, { limit, cursor }: PageQueryDto): Promise<PlanPageDto> {
    const list = `plans/${projectId}`;
    const beforeVersion = this.cursors.decode<number>(ctx, list, cursor);
    const query = { limit: limit + 1, beforeVersion };
    const rows = await this.plans.list(ctx, ownedId(PROJECT, projectId), query);
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ version }) => version });
    return { data: page.items.map((plan) => PlanSummaryDto.summary(plan)), nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<PlanDto> {
    const plan = await this.plans.find(ctx, ownedId(PLAN, id));
    if (!plan) throw noSuch(PLAN);
    return PlanDto.of(plan);
  }
}
