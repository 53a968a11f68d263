import { Injectable } from '@nestjs/common';
import { type EmbeddingRequest, type RequestContext, toApiId } from '../common/index';
import { ServiceUnavailableError } from '../errors/index';
import { LedgerService } from '../ledger/index';
import { embeddingDecision, EmbeddingSelection } from '../selection/index';
import { holdAmounts } from './attempt-bounds';
import { completionMeta } from './completion-meta';
import type { Embedding } from './embedding';
import { type EmbeddingAnswer, EmbeddingAttempts } from './embedding-attempts';
import { EmbeddingState } from './embedding-state';
import { longInputs } from './long-inputs';
import { PipelineHost } from './pipeline-host';
import { cachingOf } from './response-cache/caching-mode';
import { ResponseReuse } from './response-cache/response-reuse.service';
import { ReusableEmbedding } from './response-cache/reusable-embedding';
import { RoundRunner } from './round-runner';
import { encodeVector } from './vector';

/** The metered door for vectors: plan, admit, attempt, settle, on the same books and the same retry loop as chats. */
@Injectable()
export class EmbeddingPipeline {
  constructor(
    private readonly selection: EmbeddingSelection,
    private readonly ledger: LedgerService,
    private readonly attempts: EmbeddingAttempts,
    private readonly rounds: RoundRunner,
    private readonly reuse: ResponseReuse,
    private readonly host: PipelineHost,
  ) {}

  /** Answers one request and books every attempt it took before it returns. @throws AppError */
  async run(ctx: RequestContext, request: EmbeddingRequest): Promise<Embedding> {
    if (this.host.open.isDraining)
      throw new ServiceUnavailableError('The service is shutting down: send the request again');
    const state = new EmbeddingState(ctx, request, this.selection.plan(ctx, request));
    const caching = cachingOf(ctx.principal, request);
    if (caching === undefined) return await this.work(state);
    return await this.reuse.run(new ReusableEmbedding(state, (own) => this.work(own)), caching);
  }

  /** For whoever got no vectors from the response cache. */
  private async work(state: EmbeddingState): Promise<Embedding> {
    await this.admit(state);
    this.host.open.enterWork();
    try {
      return this.present(state, await this.carryOut(state));
    } finally {
      this.host.open.leaveWork();
    }
  }

  private async carryOut(state: EmbeddingState): Promise<EmbeddingAnswer> {
    try {
      return await this.rounds.run(state, this.attempts);
    } finally {
      await this.settle(state);
    }
  }

  private async admit(state: EmbeddingState): Promise<void> {
    const { ctx, request, plan } = state;
    const [first] = plan.candidates;
    if (!first) throw new Error('A plan without candidates');
    state.hold ??= await this.ledger.admit(ctx, {
      taskType: state.workType,
      amounts: holdAmounts(plan.candidates, state.tokens, 0),
      intent: this.attempts.intent(state, first, 1),
      decision: { id: plan.decisionId, record: embeddingDecision(plan, request) },
    });
    state.rateLimit = state.hold.rateLimit;
    state.warn(...state.hold.warnings);
    state.markAdmitted();
    this.host.logger.event('selection', {
      requestId: toApiId('req', ctx.requestId),
      traceId: ctx.traceId,
      taskType: state.workType,
      strategy: plan.strategy,
      model: first.model.id,
      candidates: plan.candidates.length,
    });
  }

  /** Also after a failure: what was sent is booked, what was held is freed. */
  private async settle(state: EmbeddingState): Promise<void> {
    const { hold } = state;
    if (!hold) return;
    state.hold = undefined;
    await this.ledger.settle(state.ctx, hold, state.takePending());
  }

  private present(state: EmbeddingState, { planned, vectors, modelServed }: EmbeddingAnswer): Embedding {
    const { request, totals } = state;
    state.warn(...longInputs(request.inputs, planned.model));
    const meta = completionMeta(state, planned);
    this.host.logger.event('completion', {
      requestId: toApiId('req', meta.requestId),
      traceId: state.ctx.traceId,
      model: meta.model,
      attempts: totals.attempts,
      costPicoUsd: totals.costPicoUsd?.toString(),
    });
    return {
      meta,
      totals,
      vectors: vectors.map((vector) => encodeVector(vector, request.encoding)),
      modelServed: modelServed ?? planned.model.upstreamId,
    };
  }
}
