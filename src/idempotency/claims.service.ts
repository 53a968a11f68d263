import { Injectable } from '@nestjs/common';
import { newId } from '../common/index';
import type { AppError } from '../errors/index';
import { AnswerBells, type Bell } from './answer-bells.service';
import {
  AnsweredElsewhereError,
  IdempotencyInProgressError,
  IdempotencyKeyReusedError,
  waitEndedError,
} from './idempotency.errors';
import { IdempotencyKeysRepository, topicOf } from './idempotency-keys.repository';
import { IdempotencyOptions } from './idempotency.options';
import type { KeyedRequest } from './keyed-request';
import { type Claim, RunningClaims } from './running-claims.service';
import type { StoredAnswer } from './stored-answer';
import { WaitingDuplicates } from './waiting-duplicates';

/** Either the request is the caller's to carry out, or somebody else's answer is there. */
export type Turn = { readonly claim: Claim } | { readonly answer: StoredAnswer };

/** Called before an answer is read to be given again. */
type BeforeReplay = () => Promise<void>;

const RETRY_AFTER_MS = 5000;

/** Decides who carries out the request behind a key; everybody else waits for the answer. */
@Injectable()
export class Claims {
  private readonly waiting = new WaitingDuplicates();

  constructor(
    private readonly keys: IdempotencyKeysRepository,
    private readonly running: RunningClaims,
    private readonly bells: AnswerBells,
    private readonly options: IdempotencyOptions,
  ) {}

  /**
   * Waits while another request with this key runs; takes its place when it ends without an answer or its process died.
   * @throws IdempotencyKeyReusedError, IdempotencyInProgressError (waited long enough), RateLimitedError (too many
   * wait), AnsweredElsewhereError, ServiceUnavailableError (shutdown), WaitCancelledError, and what `beforeReplay` does.
   */
  async take(request: KeyedRequest, signal: AbortSignal, beforeReplay?: BeforeReplay): Promise<Turn> {
    const waitUntil = performance.now() + this.options.waitMs;
    let bell: Bell | undefined;
    try {
      for (;;) {
        const turn = await this.tryTake(request, bell === undefined, beforeReplay);
        if (signal.aborted) throw await this.giveUp(turn, signal);
        if (turn) return turn;
        const leftMs = waitUntil - performance.now();
        if (leftMs <= 0) throw new IdempotencyInProgressError(RETRY_AFTER_MS);
        // Looked once more after the bell is there, so that no ring falls in between.
        if (!bell) bell = this.listen(request);
        else await bell.wait(Math.min(leftMs, this.options.pollMs), signal);
      }
    } finally {
      bell?.stop();
    }
  }

  private listen(request: KeyedRequest): Bell {
    this.waiting.enter(request.owner, this.options.maxWaiters);
    const bell = this.bells.listen(topicOf(request));
    return {
      wait: (limitMs, signal) => bell.wait(limitMs, signal),
      stop: () => {
        bell.stop();
        this.waiting.leave(request.owner);
      },
    };
  }

  private async giveUp(turn: Turn | undefined, signal: AbortSignal): Promise<AppError> {
    if (turn && 'claim' in turn) await this.running.end(turn.claim, undefined);
    return waitEndedError(signal);
  }

  /**
   * Undefined: another one runs. Only the first try claims before it looks: a claim writes the row even when it is
   * refused, and every waiter tries each second.
   */
  private async tryTake(
    request: KeyedRequest,
    isFirst: boolean,
    beforeReplay?: BeforeReplay,
  ): Promise<Turn | undefined> {
    let mayClaim = isFirst;
    for (;;) {
      const claim = mayClaim ? await this.claim(request) : undefined;
      if (claim) return { claim };
      const state = await this.keys.look(request);
      switch (state?.is) {
        case 'answered': {
          await beforeReplay?.();
          const answer = await this.keys.answerOf(request, state.claimId);
          if (answer) return { answer };
          mayClaim = true;
          break;
        }
        case 'reused':
          throw new IdempotencyKeyReusedError();
        case 'running':
          if (!state.isLeased && !mayClaim) mayClaim = true;
          else if (isFirst || state.isAwaited || (await this.keys.await(state.claimId))) return undefined;
          break;
        case 'elsewhere':
          throw new AnsweredElsewhereError(RETRY_AFTER_MS);
        case undefined:
          mayClaim = true;
          break;
      }
    }
  }

  /** Undefined: it is somebody else's. */
  private async claim(request: KeyedRequest): Promise<Claim | undefined> {
    const claim = { id: newId(), request };
    if (!(await this.keys.claim(request, claim.id))) return undefined;
    this.running.add(claim);
    return claim;
  }
}
