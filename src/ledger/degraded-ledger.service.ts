import { Injectable } from '@nestjs/common';
import type { PicoUsd } from '../common/index';
import { DatabaseWatch } from '../database/index';
import { AppLogger } from '../observability/index';
import { DegradedFloat } from './degraded-float';
import { decisionRow, type LineRow, type OwnerRow } from './ledger-rows';
import type { AdmitCommand, AttemptIntent, Hold, SettledAttempt } from './ledger.types';
import { OpenHolds } from './open-holds';
import { SettlementJournal } from './settlement-journal';

const WARNING = 'The books cannot be reached: the call is paid from the degraded float and booked later';

/**
 * Admission while PostgreSQL is away: out of the degraded float, if the administrator's configuration gives one. The
 * intent is on the disk before anything is sent, so that a crash is booked at its bound here too.
 */
@Injectable()
export class DegradedLedger {
  constructor(
    private readonly watch: DatabaseWatch,
    private readonly float: DegradedFloat,
    private readonly journal: SettlementJournal,
    private readonly openHolds: OpenHolds,
    private readonly logger: AppLogger,
  ) {}

  /**
   * Undefined when the float does not pay for it: PostgreSQL is there, no float is configured, it is used up, the price
   * is unknown, or the disk does not take the intent.
   */
  async admit(
    owner: OwnerRow,
    { taskType, amounts, intent, decision }: AdmitCommand,
  ): Promise<Hold | undefined> {
    if (!this.float.isEnabled || intent.priceVersion === undefined) return undefined;
    if (!this.watch.isDown && (await this.watch.look())) return undefined;
    const requestId = owner.request_id;
    const held = this.float.take(requestId, amounts);
    if (held === undefined) return undefined;
    try {
      await this.journal.append({
        owner,
        intent: boundLine(requestId, intent, held),
        decision: decision && decisionRow(owner, decision),
      });
    } catch (error) {
      this.float.settle(requestId, 0n);
      this.logger.fatal(`Nothing can be paid from the degraded float: ${(error as Error).message}`);
      return undefined;
    }
    this.openHolds.add(requestId);
    return Object.freeze({ requestId, heldPicoUsd: held, isHard: true, taskType, warnings: [WARNING] });
  }

  /** Gives back what the finished attempts of a request did not need; nothing happens when the float pays none of them. */
  settle(requestId: string, finished: readonly SettledAttempt[]): void {
    let cost: PicoUsd | undefined = 0n;
    for (const { costPicoUsd } of finished)
      cost = cost === undefined || costPicoUsd === undefined ? undefined : cost + costPicoUsd;
    this.float.settle(requestId, cost);
  }

  /** The request is under way, or its settlement is not in the books yet. */
  isOpen(requestId: string): boolean {
    return this.float.holds(requestId) || this.openHolds.has(requestId);
  }

  /** The float is whole again, unless PostgreSQL is away. */
  restore(): void {
    if (!this.watch.isDown) this.float.restore();
  }
}

/** What is booked when the process dies before it settles; as the reaper would write it. */
function boundLine(requestId: string, intent: AttemptIntent, held: PicoUsd): LineRow {
  const bound = intent.boundCostPicoUsd ?? held;
  return {
    request_id: requestId,
    attempt: intent.attempt,
    provider: intent.provider,
    model: intent.model,
    outcome: 'crashed',
    usage_source: 'upper_bound',
    prompt_tokens: Math.ceil(intent.boundPromptTokens),
    completion_tokens: Math.ceil(intent.boundCompletionTokens),
    cost_pico_usd: String(bound < held ? bound : held),
    price_version: intent.priceVersion,
    error_code: 'PROCESS_LOST',
    started_at: new Date(),
  };
}
