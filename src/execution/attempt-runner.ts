import { Injectable } from '@nestjs/common';
import { upperBoundCost } from '../catalog/index';
import { toApiId } from '../common/index';
import { AppError } from '../errors/index';
import type { AttemptIntent } from '../ledger/index';
import {
  type ChatCall,
  type ChatStream,
  type KeptThought,
  type OpenProvider,
  ProviderError,
  ProviderRegistry,
} from '../providers/index';
import type { PlannedModel } from '../selection/index';
import {
  affordableMaxTokens,
  boundCompletionTokens,
  boundPromptTokens,
  hardMaxTokens,
} from './attempt-bounds';
import { AttemptObserver } from './attempt-observer';
import type { ChatState } from './chat-state';
import { answerBytes, firstMessage, type AnswerMessage, withToolCallIds } from './answer';
import { abortError } from './execution.errors';
import type { Completion } from './completion';
import type { Attempts } from './round-runner';
import { type AttemptTrace, type SentAttempt, settledFailure, settledSuccess } from './settlement';
import { StreamRelay } from './stream-relay';
import { expectedBody, upstreamBody } from './upstream-body';

/** What one good attempt gave. `body` is absent for streams, whose text has been sent already. */
export interface AttemptAnswer extends AnswerMessage {
  readonly planned: PlannedModel;
  readonly body?: Completion['body'];
  readonly rawBody?: Buffer;
  /** The stream's last chunk, held back until the books are closed. */
  readonly relay?: StreamRelay;
}

/** One upstream attempt, from the clamp of its output to the line that books it. Never retries. */
@Injectable()
export class AttemptRunner implements Attempts<AttemptAnswer, ChatState> {
  constructor(
    private readonly providers: ProviderRegistry,
    private readonly observer: AttemptObserver,
  ) {}

  /** What the ledger writes down before the attempt is sent. */
  intent(state: ChatState, planned: PlannedModel, attempt: number): AttemptIntent {
    const { tokens } = state;
    const prompt = boundPromptTokens(planned, tokens);
    const completion = boundCompletionTokens(planned, tokens);
    return {
      attempt,
      provider: planned.model.provider,
      model: planned.model.id,
      priceVersion: planned.price?.version,
      boundPromptTokens: prompt,
      boundCompletionTokens: completion,
      boundCostPicoUsd: planned.price && upperBoundCost(planned.price, prompt, completion),
    };
  }

  recall(state: ChatState, planned: PlannedModel): Promise<void> | undefined {
    return state.hasToolCalls ? this.recallThoughts(state, planned) : undefined;
  }

  async run(state: ChatState, planned: PlannedModel, defaultMaxTokens: number): Promise<AttemptAnswer> {
    const { maxTokens, sent } = this.prepare(state, planned, defaultMaxTokens);
    const call: ChatCall = {
      model: planned.model,
      body: upstreamBody(state, planned, maxTokens),
      signal: state.ctx.signal,
      requestId: toApiId('req', state.ctx.requestId),
      idempotencyKey: state.ctx.stepKey,
      ownerId: state.ctx.principal.userId,
      recalled: state.recalled,
    };
    return state.sink ? await this.stream(state, sent, call) : await this.json(state, sent, call);
  }

  /** What cannot be called is sent no thoughts either; why, the attempt finds out itself. */
  private async recallThoughts(state: ChatState, planned: PlannedModel): Promise<void> {
    try {
      state.recalled = await this.thoughtsFor(state, planned);
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure;
      state.recalled = [];
    }
  }

  private async thoughtsFor(state: ChatState, planned: PlannedModel): Promise<readonly KeptThought[]> {
    const { model } = planned;
    const ownerId = state.ctx.principal.userId;
    const { adapter } = await this.providers.open(model.provider, { ownerId, useDirect: state.useDirect });
    return (await adapter.recall?.({ model, body: expectedBody(state, planned), ownerId })) ?? [];
  }

  private prepare(
    state: ChatState,
    planned: PlannedModel,
    defaultMaxTokens: number,
  ): { maxTokens: number | undefined; sent: SentAttempt } {
    const { tokens, hold } = state;
    if (!hold) throw new Error('An attempt needs an open hold');
    const maxTokens = hold.isHard ? this.clamp(state, planned, defaultMaxTokens) : undefined;
    const intent = {
      ...this.intent(state, planned, state.attempt),
      boundCompletionTokens: boundCompletionTokens(planned, tokens, maxTokens),
    };
    const sent: SentAttempt = {
      planned,
      intent,
      maxTokensSent: maxTokens ?? tokens.requestedMaxTokens,
      choices: tokens.choices,
      estimatedPromptTokens: tokens.estimatedPromptTokens,
      isHard: hold.isHard,
      heldPicoUsd: hold.heldPicoUsd,
      startedAt: new Date(),
      startedAtMs: performance.now(),
    };
    return { maxTokens, sent };
  }

  /** Under a hard budget every request has a limit, and it is one the budget can pay. Each change is a warning. */
  private clamp(state: ChatState, planned: PlannedModel, defaultMaxTokens: number): number {
    const { tokens, hold } = state;
    const wanted = hardMaxTokens(planned, tokens, defaultMaxTokens);
    const heldPicoUsd = hold?.heldPicoUsd ?? 0n;
    const limit = Math.max(1, affordableMaxTokens(planned, tokens, { maxTokens: wanted, heldPicoUsd }));
    state.isLoweredByBudget = limit < wanted;
    if (limit < wanted) state.warn(`max_tokens lowered from ${wanted} to ${limit}: the budget pays no more`);
    else if (tokens.requestedMaxTokens === undefined) {
      state.warn(`max_tokens set to ${limit}: a hard budget applies and the request named no limit`);
    }
    return limit;
  }

  private async json(state: ChatState, sent: SentAttempt, call: ChatCall): Promise<AttemptAnswer> {
    try {
      const { adapter } = await this.open(state, sent.planned);
      const result = await adapter.chat(call);
      const body = withToolCallIds(result.body);
      const trace: AttemptTrace = { endedAtMs: performance.now(), answerBytes: answerBytes(body) };
      this.observer.observe(state, settledSuccess(sent, result.report, trace));
      state.warn(...result.report.warnings);
      return {
        planned: sent.planned,
        body,
        rawBody: body === result.body ? result.rawBody : undefined,
        ...firstMessage(body),
      };
    } catch (failure) {
      const trace: AttemptTrace = { endedAtMs: performance.now(), answerBytes: 0 };
      this.observer.observe(state, settledFailure(sent, failure, trace));
      throw this.mapped(state, sent.planned, failure);
    }
  }

  private async stream(state: ChatState, sent: SentAttempt, call: ChatCall): Promise<AttemptAnswer> {
    const relay = new StreamRelay(state, sent.planned);
    let stream: ChatStream | undefined;
    try {
      const { adapter } = await this.open(state, sent.planned);
      stream = await adapter.chatStream(call);
      await relay.pump(stream.chunks);
      state.skippedLines += stream.malformedLines();
      const trace = { ...relay.trace, endedAtMs: performance.now() };
      this.observer.observe(state, settledSuccess(sent, stream.report(), trace));
      state.warn(...stream.report().warnings);
      return { planned: sent.planned, relay, ...relay.message() };
    } catch (failure) {
      const trace = { ...relay.trace, endedAtMs: performance.now() };
      this.observer.observe(state, settledFailure(sent, failure, trace, stream?.report()));
      throw this.mapped(state, sent.planned, failure);
    } finally {
      this.observer.malformedLines(state, sent.planned, stream?.malformedLines() ?? 0);
    }
  }

  private async open(state: ChatState, { model }: PlannedModel): Promise<OpenProvider> {
    const { ctx, useDirect } = state;
    state.execution = undefined;
    const opened = await this.providers.open(model.provider, { ownerId: ctx.principal.userId, useDirect });
    state.execution = opened;
    return opened;
  }

  /** Our own abort is reported by its reason; a model that is gone names the one to use instead. */
  private mapped(state: ChatState, { model }: PlannedModel, failure: unknown): unknown {
    if (state.ctx.signal.aborted) return abortError(state.ctx.signal);
    if (failure instanceof ProviderError && failure.fault === 'not_found' && model.successor) {
      failure.message += `; ${model.id} may be gone there: use ${model.successor}`;
    }
    return failure;
  }
}
