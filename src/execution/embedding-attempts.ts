import { Injectable } from '@nestjs/common';
import { upperBoundCost } from '../catalog/index';
import { toApiId } from '../common/index';
import type { AttemptIntent } from '../ledger/index';
import {
  type EmbedCall,
  type EmbeddingVector,
  type EmbedResult,
  type ProviderAdapter,
  ProviderError,
  ProviderRegistry,
} from '../providers/index';
import type { PlannedModel } from '../selection/index';
import { AttemptObserver } from './attempt-observer';
import { type Batch, type InputTokens } from './embedding-batches';
import type { EmbeddingState, SellerWork } from './embedding-state';
import { abortError, WrongDimensionsError } from './execution.errors';
import { inTurns } from './in-turns';
import type { Attempts } from './round-runner';
import { type SentAttempt, settledFailure, settledSuccess } from './settlement';
import { type Passage, UpstreamGate } from './upstream-gate';
import { lengthOf } from './vector';

/** Upstream requests of one embedding request that run at once. */
const BATCHES_AT_ONCE = 4;

export interface EmbeddingAnswer {
  readonly planned: PlannedModel;
  /** In the order of the inputs. */
  readonly vectors: readonly EmbeddingVector[];
  readonly modelServed?: string;
}

/**
 * One attempt at one seller: its open batches as one upstream request each, every one with a number and a line of its
 * own. The intent in the books covers all of them, since any number may be under way when the process dies.
 */
@Injectable()
export class EmbeddingAttempts implements Attempts<EmbeddingAnswer, EmbeddingState> {
  constructor(
    private readonly providers: ProviderRegistry,
    private readonly observer: AttemptObserver,
    private readonly gate: UpstreamGate,
  ) {}

  intent(state: EmbeddingState, planned: PlannedModel, attempt: number): AttemptIntent {
    const { boundPromptTokens: bound, estimatedPromptTokens: estimated } = state.tokens;
    return intentOf(planned, attempt, { bound, estimated });
  }

  /** The first batch goes alone: what refuses it would refuse them all, and a breaker's probe is one request. */
  async run(
    state: EmbeddingState,
    planned: PlannedModel,
    _defaultMaxTokens: number,
    passage: Passage,
  ): Promise<EmbeddingAnswer> {
    const work = state.workOf(planned);
    const before = work.deliveries;
    const [first, ...rest] = work.open;
    try {
      if (first) await this.send(state, planned, first, passage);
      await inTurns(rest, BATCHES_AT_ONCE, async (batch) => {
        state.next = batch;
        const own = await this.gate.enter(state, planned);
        state.attempt += 1;
        await this.send(state, planned, batch, own);
      });
    } catch (failure) {
      state.next = undefined;
      // An attempt that got further has not failed as often as one that did not.
      if (work.deliveries > before) state.tries = Math.min(state.tries, 1);
      throw failure;
    }
    return { planned, vectors: work.vectors, modelServed: work.modelServed };
  }

  /** One upstream request under the number `state.attempt`. Leaves the passage in the same breath as it hands over its line. */
  private async send(
    state: EmbeddingState,
    planned: PlannedModel,
    batch: Batch,
    passage: Passage,
  ): Promise<void> {
    let sent: SentAttempt | undefined;
    try {
      sent = this.prepare(state, planned, batch);
      const adapter = await this.open(state, planned);
      const result = await adapter.embed(callOf(state, planned, batch));
      requireAll(result, batch, planned);
      const line = settledSuccess(sent, result.report, { endedAtMs: performance.now(), answerBytes: 0 });
      this.observer.observe(state, line);
      passage.leave(undefined);
      state.warn(...result.report.warnings);
      requireLength(state, planned, result.vectors);
      const work: SellerWork = state.workOf(planned);
      work.deliver(batch, result.vectors, line.usage);
      work.modelServed ??= result.report.modelServed;
    } catch (failure) {
      if (failure instanceof WrongDimensionsError) throw failure;
      const trace = { endedAtMs: performance.now(), answerBytes: 0 };
      if (sent) this.observer.observe(state, settledFailure(sent, failure, trace));
      const mapped = state.ctx.signal.aborted ? abortError(state.ctx.signal) : failure;
      passage.leave(mapped);
      throw mapped;
    }
  }

  private prepare({ hold, attempt }: EmbeddingState, planned: PlannedModel, { tokens }: Batch): SentAttempt {
    if (!hold) throw new Error('An attempt needs an open hold');
    const intent = intentOf(planned, attempt, tokens);
    return {
      planned,
      intent,
      maxTokensSent: 0,
      choices: 1,
      estimatedPromptTokens: tokens.estimated,
      isHard: hold.isHard,
      // The batch's share of it: together they never exceed what is held.
      heldPicoUsd: intent.boundCostPicoUsd ?? hold.heldPicoUsd,
      startedAt: new Date(),
      startedAtMs: performance.now(),
    };
  }

  private async open(
    state: EmbeddingState,
    { model }: PlannedModel,
  ): Promise<Required<Pick<ProviderAdapter, 'embed'>>> {
    const { ctx, useDirect } = state;
    const opened = await this.providers.open(model.provider, {
      ownerId: ctx.principal.userId,
      useDirect,
      kind: 'embedding',
    });
    state.execution = opened;
    const { adapter } = opened;
    if (adapter.embed) return adapter as Required<Pick<ProviderAdapter, 'embed'>>;
    throw new ProviderError(`${model.provider} makes no embeddings in this version`, {
      provider: model.provider,
      fault: 'not_found',
      mayBeBilled: false,
    });
  }
}

function intentOf({ model, price }: PlannedModel, attempt: number, { bound }: InputTokens): AttemptIntent {
  return {
    attempt,
    provider: model.provider,
    model: model.id,
    priceVersion: price?.version,
    boundPromptTokens: bound,
    boundCompletionTokens: 0,
    boundCostPicoUsd: price && upperBoundCost(price, bound, 0),
  };
}

function callOf({ ctx, request }: EmbeddingState, { model }: PlannedModel, { inputs }: Batch): EmbedCall {
  const { dimensions, encoding, inputType, user, extra } = request;
  const { allowedDimensions, minDimensions } = model.embedding ?? {};
  const isChoice = allowedDimensions !== undefined || minDimensions !== undefined;
  return {
    model,
    inputs,
    dimensions: isChoice ? dimensions : undefined,
    encoding,
    inputType,
    user,
    extra,
    signal: ctx.signal,
    requestId: toApiId('req', ctx.requestId),
  };
}

function requireAll({ vectors, report }: EmbedResult, { inputs }: Batch, { model }: PlannedModel): void {
  if (vectors.length === inputs.length) return;
  throw new ProviderError(
    `${model.provider} answered ${inputs.length} inputs with ${vectors.length} vectors`,
    {
      provider: model.provider,
      fault: 'malformed',
      mayBeBilled: true,
      usage: report.usage,
      upstreamRequestId: report.upstreamRequestId,
    },
  );
}

/** Vectors of another length than the one that was asked for would spoil an index without a word. */
function requireLength(
  { request }: EmbeddingState,
  { model }: PlannedModel,
  vectors: readonly EmbeddingVector[],
): void {
  const { dimensions } = request;
  if (dimensions === undefined) return;
  const other = vectors.find((vector) => lengthOf(vector) !== dimensions);
  if (other === undefined) return;
  throw new WrongDimensionsError(
    `${model.id} answered with vectors of ${lengthOf(other)} dimensions although ${dimensions} were asked for; leave dimensions out`,
    { param: 'dimensions' },
  );
}
