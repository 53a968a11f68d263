import { Injectable } from '@nestjs/common';
import { type RetryPolicy, toApiId } from '../common/index';
import { AppConfig } from '../config/index';
import { AppError, type FailureClass } from '../errors/index';
import { type AttemptIntent, LedgerService } from '../ledger/index';
import { AppLogger } from '../observability/index';
import { ProviderError } from '../providers/index';
import type { PlannedModel } from '../selection/index';
import { holdAmounts } from './attempt-bounds';
import { type AttemptState, MAX_ATTEMPTS_PER_ROUND } from './attempt-state';
import { abortError, AllProvidersFailedError } from './execution.errors';
import { roundFailure } from './round-failure';
import { GIVE_UP, retryDelayMs, type Verdict, withRetry } from './retry.policy';
import { type Passage, UpstreamGate } from './upstream-gate';

const MAX_DELAY_MS = 60_000;
/** Another seller now is better than this one later. */
const MAX_DELAY_WITH_FALLBACK_MS = 5_000;
const TRIES_WITH_FALLBACK = 2;
const TRIES_ON_LAST = 4;

/** How one kind of work (chat, embeddings) makes a single upstream attempt and bounds what it may cost. */
export interface Attempts<Answer, State extends AttemptState> {
  /** What the ledger writes down before the attempt is sent. */
  intent(state: State, planned: PlannedModel, attempt: number): AttemptIntent;
  /**
   * Reads what the next attempt sends beside the request, so that its tokens are known before money is held for them.
   * Absent, or undefined at once, where there is nothing to read.
   */
  recall?(state: State, planned: PlannedModel): Promise<void> | undefined;
  /**
   * One attempt; hands its line to the state, whatever its end. Never retries. What takes several upstream requests
   * counts each as an attempt (`state.attempt` is the first one's number), leaves `passage` after the first, and asks
   * the gate again for every other.
   */
  run(state: State, planned: PlannedModel, defaultMaxTokens: number, passage: Passage): Promise<Answer>;
}

/** One round of the conversation: attempts over models and retries until one answers. */
@Injectable()
export class RoundRunner {
  constructor(
    private readonly gate: UpstreamGate,
    private readonly ledger: LedgerService,
    private readonly logger: AppLogger,
    private readonly config: AppConfig,
  ) {}

  /** @throws the failure that ended the round, as the caller shall see it. */
  async run<Answer, State extends AttemptState>(
    state: State,
    attempts: Attempts<Answer, State>,
  ): Promise<Answer> {
    state.startRound();
    try {
      return await withRetry(
        () => this.attempt(state, attempts),
        (failure) => this.decide(state, failure),
        state.ctx.signal,
      );
    } catch (failure) {
      if (state.ctx.signal.aborted) throw abortError(state.ctx.signal);
      throw isExhausted(state, failure) ? roundFailure(state.failures) : failure;
    }
  }

  private async attempt<Answer, State extends AttemptState>(
    state: State,
    attempts: Attempts<Answer, State>,
  ): Promise<Answer> {
    const [planned] = state.remaining;
    if (!planned) throw new AllProvidersFailedError('No model is left to try');
    if (state.ctx.signal.aborted) throw abortError(state.ctx.signal);
    state.hasSent = false;
    try {
      return await this.pass(state, planned, attempts);
    } catch (failure) {
      throw this.gate.failureOf(state, planned, failure);
    }
  }

  /** A model that the gate refuses costs no attempt: nothing was sent, so no line is written. */
  private async pass<Answer, State extends AttemptState>(
    state: State,
    planned: PlannedModel,
    attempts: Attempts<Answer, State>,
  ): Promise<Answer> {
    const entering = this.gate.enter(state, planned);
    const passage = leftOnce(entering instanceof Promise ? await entering : entering);
    let failure: unknown;
    try {
      if (!isAdmitted(state, planned)) await this.advance(state, planned, attempts);
      state.attempt = Math.max(1, state.attempt);
      state.attemptsThisRound += 1;
      state.tries += 1;
      return await attempts.run(state, planned, this.config.vars.DEFAULT_MAX_OUTPUT_TOKENS, passage);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      passage.leave(failure);
    }
  }

  /** Books what ended, tops the hold up for what comes and writes its intent down, before it is sent. */
  private async advance<State extends AttemptState>(
    state: State,
    planned: PlannedModel,
    attempts: Attempts<unknown, State>,
  ): Promise<void> {
    await attempts.recall?.(state, planned);
    const { hold } = state;
    if (!hold) throw new Error('No open hold to advance');
    const number = state.attempt + 1;
    const finished = state.takePending();
    // Whatever happens in there, the hold is this call's: refused, it is closed.
    state.hold = undefined;
    state.hold = await this.ledger.advance(state.ctx, hold, finished, {
      intent: attempts.intent(state, planned, number),
      amounts: holdAmounts(state.remaining, state.tokens, this.config.vars.DEFAULT_MAX_OUTPUT_TOKENS),
    });
    state.attempt = number;
  }

  private decide(state: AttemptState, failure: unknown): Verdict {
    const [planned] = state.remaining;
    const failureClass = this.failureClass(state, failure);
    if (!planned || !(failure instanceof AppError)) return GIVE_UP;
    note(state, planned.model.id, failure);
    if (failureClass === 'final') return GIVE_UP;
    if (failureClass === 'retry') {
      const delayMs = this.retryDelay(state, failure);
      if (delayMs !== undefined) {
        this.tell('retry', state, failure, { delayMs });
        return { again: true, delayMs };
      }
    }
    if (!state.exclude(planned)) return GIVE_UP;
    this.tell('failover', state, failure, { to: state.remaining[0]?.model.id });
    return { again: true, delayMs: 0 };
  }

  /** What was shown to the client cannot be taken back, so then every failure is final. */
  private failureClass(state: AttemptState, failure: unknown): FailureClass {
    if (!(failure instanceof AppError) || state.hasSent || state.ctx.signal.aborted) return 'final';
    if (state.hold === undefined || state.attemptsThisRound >= MAX_ATTEMPTS_PER_ROUND) return 'final';
    return failure.failure;
  }

  private retryDelay(state: AttemptState, failure: AppError): number | undefined {
    const policy = this.policy(state);
    if (state.tries >= policy.maxTries) return undefined;
    const timeLeftMs = state.ctx.deadlineAt === undefined ? Infinity : state.ctx.deadlineAt - Date.now();
    return retryDelayMs(policy, state.tries, { retryAfterMs: failure.retryAfterMs, timeLeftMs });
  }

  /**
   * One retry, soon, on a model that has a fallback behind it; three on the last or only one. A route may ask otherwise.
   */
  private policy({ ctx, hasFallback }: AttemptState): RetryPolicy {
    if (ctx.retry) return ctx.retry;
    return {
      maxTries: hasFallback ? TRIES_WITH_FALLBACK : TRIES_ON_LAST,
      baseDelayMs: this.config.vars.RETRY_BASE_DELAY_MS,
      maxDelayMs: hasFallback ? MAX_DELAY_WITH_FALLBACK_MS : MAX_DELAY_MS,
    };
  }

  private tell(event: 'retry' | 'failover', state: AttemptState, failure: AppError, more: object): void {
    this.logger.event(event, {
      requestId: toApiId('req', state.ctx.requestId),
      traceId: state.ctx.traceId,
      model: state.failures.at(-1)?.model,
      attempt: state.attempt,
      code: failure.code,
      upstreamStatus: failure instanceof ProviderError ? failure.upstreamStatus : undefined,
      ...more,
    });
  }
}

/** That a candidate which failed may not be called again says less than its failure. */
function note({ failures }: AttemptState, model: string, error: AppError): void {
  const isRefusal = !(error instanceof ProviderError);
  if (isRefusal && failures.at(-1)?.model === model) return;
  failures.push({ model, error });
}

/** Only the first leaving counts. */
function leftOnce(passage: Passage): Passage {
  let hasLeft = false;
  return {
    leave(failure) {
      if (!hasLeft) passage.leave(failure);
      hasLeft = true;
    },
  };
}

/** Admission wrote down the first attempt at the plan's first candidate, which may have been refused since. */
function isAdmitted(state: AttemptState, planned: PlannedModel): boolean {
  return state.attempt === 0 && !state.isAdmittedFree && planned === state.plan.candidates[0];
}

/** Candidates ran out, as against an answer that broke off, or a failure that the request itself caused. */
function isExhausted({ hasSent }: AttemptState, failure: unknown): failure is AppError {
  return !hasSent && failure instanceof AppError && failure.failure !== 'final';
}
