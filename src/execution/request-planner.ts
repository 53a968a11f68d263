import { Injectable } from '@nestjs/common';
import { AnalysisService, SemanticRouter } from '../analysis/index';
import type { ChatRequest, RequestContext } from '../common/index';
import { type ExecutionPlan, isRouted, SelectionService } from '../selection/index';

/** What is asked, and who may answer it. */
@Injectable()
export class RequestPlanner {
  constructor(
    private readonly analysis: AnalysisService,
    private readonly semantic: SemanticRouter,
    private readonly selection: SelectionService,
  ) {}

  /**
   * A model is asked for the kind of task only where the plan depends on it and where there is one at all.
   * @throws as `SelectionService.plan`
   */
  async plan(ctx: RequestContext, request: ChatRequest): Promise<ExecutionPlan> {
    const profile = this.analysis.profile(request);
    const plan = this.selection.plan(ctx, request, profile);
    if (!this.semantic.isUnsure(profile) || !isRouted(request.body.model)) return plan;
    const refined = await this.semantic.refine(ctx, request, profile);
    return refined === profile ? plan : this.selection.plan(ctx, request, refined);
  }
}
