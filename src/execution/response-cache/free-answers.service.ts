import { Injectable } from '@nestjs/common';
import { bookedCost } from '../../catalog/index';
import type { JsonObject } from '../../common/index';
import { type AttemptIntent, type HoldAmounts, LedgerService, type SettledAttempt } from '../../ledger/index';
import type { PlannedModel } from '../../selection/index';
import type { AttemptState } from '../attempt-state';
import type { KeptAnswer } from './kept-answer';

const NOTHING: HoldAmounts = {
  worstPicoUsd: 0n,
  minimumPicoUsd: 0n,
  estimatePicoUsd: 0n,
  estimateTokens: 0,
};

/** The books of answers that cost nothing: admitted like any request, with nothing held, and one line that says what was saved. */
@Injectable()
export class FreeAnswers {
  constructor(private readonly ledger: LedgerService) {}

  /** Key, user and limits are checked and the request is counted; what costs nothing fits into every budget. @throws as admission */
  async admit(state: AttemptState, planned: PlannedModel, decision: JsonObject): Promise<void> {
    const { ctx, plan } = state;
    state.hold = await this.ledger.admit(ctx, {
      taskType: state.workType,
      amounts: NOTHING,
      intent: intentOf(planned),
      decision: { id: plan.decisionId, record: decision },
    });
    state.isAdmittedFree = true;
    state.rateLimit = state.hold.rateLimit;
    state.warn(...state.hold.warnings);
  }

  async book(state: AttemptState, planned: PlannedModel, answer: KeptAnswer): Promise<void> {
    await this.close(state, [freeLine(state, planned, answer)]);
  }

  /** Ends a request that nothing was sent and nothing was given for. */
  async release(state: AttemptState): Promise<void> {
    await this.close(state, []);
  }

  private async close(state: AttemptState, lines: readonly SettledAttempt[]): Promise<void> {
    const { hold } = state;
    if (!hold) return;
    state.hold = undefined;
    await this.ledger.settle(state.ctx, hold, lines);
  }
}

/** Should the process die before the line is written, the bound that is booked is nothing. */
function intentOf({ model, price }: PlannedModel): AttemptIntent {
  return {
    attempt: 1,
    provider: model.provider,
    model: model.id,
    priceVersion: price?.version,
    boundPromptTokens: 0,
    boundCompletionTokens: 0,
    boundCostPicoUsd: 0n,
  };
}

/** No token was taken and nothing was paid: the figures of the answer stand in it as saved. */
function freeLine(state: AttemptState, { model, price }: PlannedModel, answer: KeptAnswer): SettledAttempt {
  const { usage } = answer;
  return {
    attempt: 1,
    provider: model.provider,
    model: model.id,
    outcome: 'succeeded',
    usageSource: state.reuse?.status === 'shared' ? 'shared' : 'cached',
    usage: { promptTokens: 0, completionTokens: 0 },
    costPicoUsd: 0n,
    priceVersion: price?.version,
    saved: {
      picoUsd: price && bookedCost(price, usage),
      tokens: (usage.promptTokens ?? 0) + (usage.completionTokens ?? 0),
    },
    startedAt: state.startedAt,
    latencyMs: Date.now() - state.startedAt.getTime(),
    disputes: [],
  };
}
