import { Injectable } from '@nestjs/common';
import { type CachingMode, type JsonObject, toApiId } from '../common/index';
import { ServiceUnavailableError } from '../errors/index';
import { type AdmitCommand, LedgerService } from '../ledger/index';
import type { AttemptState } from './attempt-state';
import type { CompletionMeta } from './completion';
import { PipelineHost } from './pipeline-host';
import { ResponseReuse } from './response-cache/response-reuse.service';
import type { ReusableWork } from './response-cache/reusable-work';

/** What every kind of metered work has in common: its way into the books and out of them, and what the log is told. */
@Injectable()
export class MeteredWork {
  constructor(
    private readonly ledger: LedgerService,
    private readonly reuse: ResponseReuse,
    private readonly host: PipelineHost,
  ) {}

  /** @throws ServiceUnavailableError while the service is shutting down */
  requireOpen(): void {
    if (this.host.open.isDraining)
      throw new ServiceUnavailableError('The service is shutting down: send the request again');
  }

  /** Does the work, unless another's answer may be given in its place. */
  run<Result>(work: ReusableWork<Result>, caching: CachingMode | undefined): Promise<Result> {
    return caching === undefined ? work.alone() : this.reuse.run(work, caching);
  }

  /**
   * Waits for the books to admit it. Who waited for another's answer in vain is admitted already; what it costs is held
   * later.
   */
  async hold(
    state: AttemptState,
    { decision, ...command }: Pick<AdmitCommand, 'amounts' | 'intent'> & { readonly decision: JsonObject },
  ): Promise<void> {
    const { ctx, plan, workType } = state;
    state.hold ??= await this.ledger.admit(ctx, {
      ...command,
      taskType: workType,
      decision: { id: plan.decisionId, record: decision },
    });
    state.rateLimit = state.hold.rateLimit;
  }

  /** From here on it counts as admitted, and what the caller is warned of is about the answer. */
  begin(state: AttemptState): void {
    const { ctx, hold, plan, workType } = state;
    state.warn(...(hold?.warnings ?? []));
    state.markAdmitted();
    this.host.logger.event('selection', {
      requestId: toApiId('req', ctx.requestId),
      traceId: ctx.traceId,
      taskType: workType,
      strategy: plan.strategy,
      model: plan.candidates[0]?.model.id,
      candidates: plan.candidates.length,
    });
  }

  /** Also after a failure: what was sent is booked, what was held is freed. */
  async settle(state: AttemptState): Promise<void> {
    const { hold } = state;
    if (!hold) return;
    state.hold = undefined;
    await this.ledger.settle(state.ctx, hold, state.takePending());
  }

  /** Tells the log how it ended. */
  completed({ ctx, totals }: AttemptState, { model }: CompletionMeta): void {
    this.host.logger.event('completion', {
      requestId: toApiId('req', ctx.requestId),
      traceId: ctx.traceId,
      model,
      attempts: totals.attempts,
      costPicoUsd: totals.costPicoUsd?.toString(),
      stop: totals.stop,
    });
  }
}
