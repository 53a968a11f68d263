import type { PlannedModel } from '../selection/index';
import type { AttemptState } from './attempt-state';
import type { CompletionMeta } from './completion';

export function completionMeta(state: AttemptState, planned: PlannedModel): CompletionMeta {
  return {
    requestId: state.ctx.requestId,
    decisionId: state.plan.decisionId,
    model: planned.model.id,
    provider: planned.model.provider,
    taskType: state.workType,
    warnings: state.warnings,
    isSandbox: planned.model.provider === 'sandbox',
    executionMode: state.execution?.executionMode,
    fallbackReason: state.execution?.fallbackReason,
    reuse: state.reuse,
    rateLimit: state.rateLimit,
  };
}
