import { Injectable } from '@nestjs/common';
import type { EmbeddingRequest, RequestContext } from '../common/index';
import { OpenRequests } from '../observability/index';
import { embeddingDecision, EmbeddingSelection } from '../selection/index';
import { holdAmounts } from './attempt-bounds';
import { completionMeta } from './completion-meta';
import type { Embedding } from './embedding';
import { type EmbeddingAnswer, EmbeddingAttempts } from './embedding-attempts';
import { EmbeddingState } from './embedding-state';
import { longInputs } from './long-inputs';
import { MeteredWork } from './metered-work';
import { cachingOf } from './response-cache/caching-mode';
import { ReusableEmbedding } from './response-cache/reusable-embedding';
import { RoundRunner } from './round-runner';

/** The metered door for vectors: plan, admit, attempt, settle, on the same books and the same retry loop as chats. */
@Injectable()
export class EmbeddingPipeline {
  constructor(
    private readonly selection: EmbeddingSelection,
    private readonly metered: MeteredWork,
    private readonly attempts: EmbeddingAttempts,
    private readonly rounds: RoundRunner,
    private readonly open: OpenRequests,
  ) {}

  /** Answers one request and books every attempt it took before it returns. @throws AppError */
  async run(ctx: RequestContext, request: EmbeddingRequest): Promise<Embedding> {
    this.metered.requireOpen();
    const state = new EmbeddingState(ctx, request, this.selection.plan(ctx, request));
    const work = new ReusableEmbedding(state, (own) => this.work(own));
    return await this.metered.run(work, cachingOf(ctx.principal, request));
  }

  /** For whoever got no vectors from the response cache. */
  private async work(state: EmbeddingState): Promise<Embedding> {
    await this.admit(state);
    this.open.enterWork();
    try {
      return this.present(state, await this.carryOut(state));
    } finally {
      this.open.leaveWork();
    }
  }

  private async carryOut(state: EmbeddingState): Promise<EmbeddingAnswer> {
    try {
      return await this.rounds.run(state, this.attempts);
    } finally {
      await this.metered.settle(state);
    }
  }

  private async admit(state: EmbeddingState): Promise<void> {
    const { request, plan, tokens } = state;
    const [first] = plan.candidates;
    if (!first) throw new Error('A plan without candidates');
    await this.metered.hold(state, {
      amounts: holdAmounts(plan.candidates, tokens, 0),
      intent: this.attempts.intent(state, first, 1),
      decision: embeddingDecision(plan, request),
    });
    this.metered.begin(state);
  }

  private present(state: EmbeddingState, { planned, vectors, modelServed }: EmbeddingAnswer): Embedding {
    const { request, totals } = state;
    state.warn(...longInputs(request.inputs, planned.model));
    const meta = completionMeta(state, planned);
    this.metered.completed(state, meta);
    return {
      meta,
      totals,
      vectors,
      encoding: request.encoding,
      modelServed: modelServed ?? planned.model.id,
    };
  }
}
