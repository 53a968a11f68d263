import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type ChatRequest, formatUsd, type RequestContext, toApiId } from '../common/index';
import { toAppError, ValidationError } from '../errors/index';
import { BudgetExceededError } from '../ledger/index';
import { decisionRecord } from '../selection/index';
import { withToolCalls } from './answer';
import { type AttemptAnswer, AttemptRunner } from './attempt-runner';
import { holdAmounts } from './attempt-bounds';
import { ChatState } from './chat-state';
import type { Completion, KeepAnswer, StopNote } from './completion';
import { completionMeta } from './completion-meta';
import { MeteredWork } from './metered-work';
import { PipelineHost } from './pipeline-host';
import { cachingOf } from './response-cache/caching-mode';
import { RequestPlanner } from './request-planner';
import { ReusableChat } from './response-cache/reusable-chat';
import { RoundRunner } from './round-runner';
import { latticeNote } from './stream-relay';
import type { StreamSink } from './stream-sink';
import { isServerCall, type RoundVerdict, ToolRounds } from './tool-rounds';
import { unpricedField } from './unpriced-fields';
import { openAiUsage } from './usage-sum';

/** How long the error event of a broken stream waits for its line to be booked. */
const BOOKING_PATIENCE_MS = 1000;

/**
 * The one metered door: profile, plan, admit, attempt, settle. Every inference of the product goes through `run`,
 * whoever the caller is; no other code calls a provider for tokens.
 */
@Injectable()
export class CompletionPipeline {
  constructor(
    private readonly planner: RequestPlanner,
    private readonly metered: MeteredWork,
    private readonly attempts: AttemptRunner,
    private readonly rounds: RoundRunner,
    private readonly tools: ToolRounds,
    private readonly host: PipelineHost,
  ) {}

  /**
   * Answers one chat request and books every attempt it took before it returns.
   * @param sink where a streamed answer goes; without it the answer comes back whole.
   * @param keep of durable work: stores the answer before it is booked, so that no booked step is ever bought again.
   * @throws AppError; when `sink.isOpen` by then, the stream has already been ended with an error event.
   */
  async run(
    ctx: RequestContext,
    request: ChatRequest,
    sink?: StreamSink,
    keep?: KeepAnswer,
  ): Promise<Completion> {
    this.metered.requireOpen();
    const state = await this.plan(ctx, request, sink);
    state.keep = keep;
    const caching = cachingOf(ctx.principal, request.options);
    return await this.metered.run(new ReusableChat(state, (own) => this.work(own)), caching);
  }

  /** Steps 3 to 5, for whoever got no answer from the response cache. */
  private async work(state: ChatState): Promise<Completion> {
    await this.admit(state);
    this.host.open.enterWork();
    try {
      const { answer, verdict } = await this.converse(state);
      await state.keep?.({
        body: answer.body ?? {},
        model: answer.planned.model.id,
        totals: state.totals,
        isLoweredByBudget: state.isLoweredByBudget,
      });
      await this.metered.settle(state);
      return await this.present(state, answer, verdict);
    } catch (failure) {
      await this.endFailed(state, failure);
      throw failure;
    } finally {
      this.host.open.leaveWork();
    }
  }

  /** Steps 1 and 2: what is asked, and who may answer it. */
  private async plan(ctx: RequestContext, request: ChatRequest, sink?: StreamSink): Promise<ChatState> {
    const serverTools = await this.tools.enabled(ctx, request.options);
    if (serverTools.length > 0 && (request.body.n ?? 1) > 1) {
      throw new ValidationError('Server-side tools work with n = 1 only', { param: 'n' });
    }
    const restored = await this.restored(ctx, request, serverTools.length > 0);
    return new ChatState(ctx, restored, await this.planner.plan(ctx, restored), { serverTools, sink });
  }

  /** Step 3: may it be paid? */
  private async admit(state: ChatState): Promise<void> {
    const { ctx, request, plan } = state;
    const [first] = plan.candidates;
    if (!first) throw new Error('A plan without candidates');
    await this.attempts.recall(state, first);
    await this.metered.hold(state, {
      amounts: holdAmounts(plan.candidates, state.tokens, this.host.config.vars.DEFAULT_MAX_OUTPUT_TOKENS),
      intent: this.attempts.intent(state, first, 1),
      decision: decisionRecord(plan, request),
    });
    await this.refuseUnpriced(state);
    this.metered.begin(state);
    if (plan.warnings.length > 0) {
      this.host.logger.event('deprecation', {
        requestId: toApiId('req', ctx.requestId),
        warnings: plan.warnings,
      });
    }
  }

  /** Fields that change the price in a way the price book does not know: refused where a hard budget must hold. */
  private async refuseUnpriced(state: ChatState): Promise<void> {
    const field = unpricedField(state.request.body);
    if (field === undefined) return;
    if (!state.hold?.isHard) {
      state.warn(`${field} changes the price; it is booked at the standard price`);
      return;
    }
    await this.metered.settle(state);
    throw new ValidationError(`${field} changes the price, so it cannot be used under a hard budget`, {
      param: field,
    });
  }

  private async restored(
    ctx: RequestContext,
    request: ChatRequest,
    hasServerTools: boolean,
  ): Promise<ChatRequest> {
    if (!hasServerTools) return request;
    const messages = await this.tools.restore(ctx, request.body.messages);
    if (messages === request.body.messages) return request;
    const body = { ...request.body, messages };
    return { ...request, body, bodyBytes: Buffer.byteLength(JSON.stringify(body)) };
  }

  /** Step 4: attempts and tool rounds until there is an answer for the client. */
  private async converse(state: ChatState): Promise<{ answer: AttemptAnswer; verdict: RoundVerdict }> {
    const failing = new Map<string, number>();
    let answer = await this.rounds.run(state, this.attempts);
    for (let round = 1; ; round++) {
      if (round > this.host.config.vars.MAX_FUNCTION_CALLS && callsServer(state, answer)) {
        return this.stopped(state, answer, 'max_function_calls');
      }
      const verdict = await this.tools.handle(state, answer, failing);
      if (verdict.next === 'answer') return { answer, verdict };
      if (verdict.next === 'stop') return this.stopped(state, answer, 'tool_failed');
      try {
        answer = await this.rounds.run(state, this.attempts);
      } catch (failure) {
        if (failure instanceof BudgetExceededError) return this.stopped(state, answer, 'budget');
        throw failure;
      }
    }
  }

  /** The loop ended early: the last answer is the client's as it is. */
  private stopped(
    state: ChatState,
    answer: AttemptAnswer,
    stop: StopNote,
  ): { answer: AttemptAnswer; verdict: RoundVerdict } {
    state.stop = stop;
    return { answer, verdict: { next: 'answer', clientCalls: answer.toolCalls } };
  }

  /** Step 5 after a failure. Books what was sent and frees what was held; a broken stream is told so even when the books do not answer. */
  private async endFailed(state: ChatState, failure: unknown): Promise<void> {
    const { sink } = state;
    if (!sink?.isOpen) return await this.metered.settle(state);
    const settling = this.metered.settle(state);
    await Promise.race([
      settling.catch(() => undefined),
      delay(BOOKING_PATIENCE_MS, undefined, { ref: false }),
    ]);
    sink.fail(toAppError(failure));
    await settling;
  }

  private async present(state: ChatState, answer: AttemptAnswer, verdict: RoundVerdict): Promise<Completion> {
    const { totals } = state;
    const meta = completionMeta(state, answer.planned);
    const clientCalls = verdict.next === 'answer' ? verdict.clientCalls : [];
    this.metered.completed(state, meta);
    if (answer.relay && state.sink) {
      const costUsd = totals.costPicoUsd === undefined ? null : formatUsd(totals.costPicoUsd);
      await answer.relay.close(
        clientCalls,
        latticeNote(state, answer.planned, costUsd),
        openAiUsage(totals.usage),
      );
      state.sink.end(totals);
      return { meta, totals };
    }
    const isUntouched = state.answers === 1 && clientCalls.length === answer.toolCalls.length;
    if (isUntouched) return { meta, totals, body: answer.body, rawBody: answer.rawBody };
    const usage = openAiUsage(totals.usage);
    return { meta, totals, body: { ...withToolCalls(answer.body ?? {}, clientCalls), usage } };
  }
}

function callsServer(state: ChatState, answer: AttemptAnswer): boolean {
  return state.serverTools.length > 0 && answer.toolCalls.some((call) => isServerCall(state, call));
}
