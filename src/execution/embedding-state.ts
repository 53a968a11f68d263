import type { DirectUse, EmbeddingRequest, RequestContext, TokenUsage, WorkType } from '../common/index';
import type { EmbeddingVector } from '../providers/index';
import type { EmbeddingPlan, PlannedModel } from '../selection/index';
import type { AttemptTokens } from './attempt-bounds';
import { AttemptState } from './attempt-state';
import type { CompletionTotals } from './completion';
import {
  addTokens,
  type Batch,
  batchLimits,
  type InputTokens,
  inputTokens,
  splitInputs,
} from './embedding-batches';
import { addUsage } from './usage-sum';

/** What one seller has delivered of a request. A batch that came is not bought again. */
export class SellerWork {
  readonly batches: readonly Batch[];
  readonly vectors: EmbeddingVector[];
  usage: TokenUsage = {};
  modelServed?: string;
  private readonly done = new Set<Batch>();

  constructor(
    readonly modelId: string,
    batches: readonly Batch[],
    inputs: number,
  ) {
    this.batches = batches;
    this.vectors = Array.from<EmbeddingVector>({ length: inputs });
  }

  /** Those that have to be sent still. */
  get open(): readonly Batch[] {
    return this.batches.filter((batch) => !this.done.has(batch));
  }

  get deliveries(): number {
    return this.done.size;
  }

  deliver(batch: Batch, vectors: readonly EmbeddingVector[], usage: TokenUsage): void {
    this.done.add(batch);
    this.usage = addUsage(this.usage, usage);
    for (const [index, vector] of vectors.entries()) this.vectors[batch.start + index] = vector;
  }
}

/** The state of one embedding request. An attempt at one seller is as many upstream requests as it has open batches. */
export class EmbeddingState extends AttemptState {
  readonly workType: WorkType = 'EMBEDDING';
  readonly promptChars: number;
  private readonly inputs: readonly InputTokens[];
  /** The batch that is about to be sent. */
  next?: Batch;
  private work?: SellerWork;

  constructor(
    ctx: RequestContext,
    readonly request: EmbeddingRequest,
    override readonly plan: EmbeddingPlan,
  ) {
    super(ctx, plan);
    this.inputs = request.inputs.map(inputTokens);
    this.promptChars = request.inputs.reduce((sum, input) => sum + input.length, 0);
  }

  /** The same request under another signal; this state is not used any more. */
  under(signal: AbortSignal): EmbeddingState {
    const other = new EmbeddingState({ ...this.ctx, signal }, this.request, this.plan);
    other.takeOver(this);
    return other;
  }

  get useDirect(): DirectUse | undefined {
    return this.request.useDirect;
  }

  /** The work of this seller; what another one delivered before is put aside, so that no answer mixes the two. */
  workOf({ model }: PlannedModel): SellerWork {
    if (this.work?.modelId === model.id) return this.work;
    const { inputs, dimensions } = this.request;
    const { embedding } = model;
    const limits = embedding ? batchLimits(embedding, dimensions) : { maxBatch: inputs.length };
    const batches = splitInputs(inputs, this.inputs, limits);
    this.work = new SellerWork(model.id, batches, inputs.length);
    return this.work;
  }

  /** Of all that the next seller has to be sent. */
  get tokens(): AttemptTokens {
    const [next] = this.remaining;
    const { bound, estimated } = next ? addTokens(this.workOf(next).open) : { bound: 0, estimated: 0 };
    return attemptTokens({ bound, estimated });
  }

  override get upstreamTokens(): AttemptTokens {
    const [seller] = this.remaining;
    const batch = this.next ?? (seller && this.workOf(seller).open[0]);
    return batch ? attemptTokens(batch.tokens) : this.tokens;
  }

  /** What answered; the cost counts every attempt. */
  override get totals(): CompletionTotals {
    return { ...super.totals, usage: this.work?.usage ?? {} };
  }
}

/** Vectors are no tokens: nothing is completed. */
export function attemptTokens({ bound, estimated }: InputTokens): AttemptTokens {
  return {
    boundPromptTokens: bound,
    estimatedPromptTokens: estimated,
    requestedMaxTokens: 0,
    choices: 1,
    imageCount: 0,
    hasFiles: false,
  };
}
