import { Injectable } from '@nestjs/common';
import { toServiceUnavailable } from '../database/index';
import { BatchLane } from './batch-lane';
import type { AdvanceRow, Settlement } from './ledger-rows';
import { type AdmissionRow, type HoldAnswer, LedgerStore } from './ledger.store';
import { ProcessIdentity } from './process-identity';

type Turn = { readonly settle: Settlement } | { readonly admit: AdmissionRow };

interface TurnResult {
  readonly isLate: boolean;
  readonly answer?: HoldAnswer;
}

const isWorthSplitting = (error: unknown): boolean => toServiceUnavailable(error) === undefined;

/**
 * Group commit of the ledger. Admissions and settlements share one lane, so that under load one transaction carries
 * both: half the commits and half the round trips of two lanes.
 */
@Injectable()
export class LedgerLane {
  private readonly turns = new BatchLane<Turn, TurnResult>({
    run: (batch) => this.runTurn(batch),
    isWorthSplitting,
  });
  private readonly advances = new BatchLane<AdvanceRow, HoldAnswer | undefined>({
    run: (batch) => this.runAdvances(batch),
    isWorthSplitting,
  });
  /** One after the other: a long journal must not take the connections that admission needs. */
  private readonly lateBookings = new BatchLane<Settlement, void>({
    run: (batch) => this.bookEach(batch),
    isWorthSplitting: () => false,
    maxBatch: 1,
  });

  constructor(
    private readonly store: LedgerStore,
    private readonly identity: ProcessIdentity,
  ) {}

  /** Undefined when there is nothing to say: the request holds its estimate. */
  async admit(row: AdmissionRow): Promise<HoldAnswer | undefined> {
    return (await this.turns.add({ admit: row })).answer;
  }

  async settle(settlement: Settlement): Promise<void> {
    const { isLate } = await this.turns.add({ settle: settlement });
    if (isLate) await this.lateBookings.add(settlement);
  }

  async advance(row: AdvanceRow): Promise<HoldAnswer | undefined> {
    return await this.advances.add(row);
  }

  private async runTurn(batch: readonly Turn[]): Promise<readonly TurnResult[]> {
    const settlements = batch.flatMap((turn) => ('settle' in turn ? [turn.settle] : []));
    const admissions = batch.flatMap((turn) => ('admit' in turn ? [turn.admit] : []));
    const answer = await this.store.turn(this.identity.id, settlements, admissions);
    const late = new Set(answer?.late);
    const admitted = byRequest(answer?.admitted ?? []);
    return batch.map((turn) =>
      'settle' in turn
        ? { isLate: late.has(turn.settle.owner.request_id) }
        : { isLate: false, answer: admitted.get(turn.admit.request.request_id) },
    );
  }

  private async bookEach(batch: readonly Settlement[]): Promise<readonly void[]> {
    for (const { owner, lines } of batch) await this.store.book(owner, lines);
    return [];
  }

  private async runAdvances(batch: readonly AdvanceRow[]): Promise<readonly (HoldAnswer | undefined)[]> {
    const answers = byRequest(await this.store.advance(this.identity.id, batch));
    return batch.map((row) => answers.get(row.request_id));
  }
}

function byRequest(answers: readonly HoldAnswer[]): ReadonlyMap<string, HoldAnswer> {
  return new Map(answers.map((answer) => [answer.requestId, answer]));
}
