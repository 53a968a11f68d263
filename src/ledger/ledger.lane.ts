import { Injectable } from '@nestjs/common';
import { toServiceUnavailable } from '../errors/index';
import { Metrics } from '../observability/index';
import { BatchLane } from './batch-lane';
import type { AdvanceRow, Settlement } from './ledger-rows';
import { type AdmissionRow, type HoldAnswer, LedgerStore } from './ledger.store';
import { ProcessIdentity } from './process-identity';
import {
  byScope,
  installationWindows,
  type RateLimitedCaller,
  type RateLimitState,
  tightestWindow,
} from './rate-limit-state';
import type { LimitRefusal } from './refusal';

type Turn = { readonly settle: Settlement } | { readonly admit: AdmissionRow };

interface TurnResult {
  readonly isLate: boolean;
  readonly admission: Admission;
}

export interface Admission {
  /** Undefined when there is nothing to say: the request holds its estimate. */
  readonly answer?: HoldAnswer;
  readonly rateLimit?: RateLimitState;
}

export interface Counted {
  readonly refusal?: LimitRefusal;
  readonly rateLimit?: RateLimitState;
  /** The request windows of the installation. */
  readonly installation: readonly RateLimitState[];
}

const NOTHING_TO_SAY: Admission = {};
const MS_PER_SECOND = 1000;

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
  /** Apart from the admissions: reading a list never waits for a large batch of paid work. */
  private readonly counts = new BatchLane<RateLimitedCaller, Counted>({
    run: (batch) => this.runCounts(batch),
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
    private readonly metrics: Metrics,
  ) {}

  async admit(row: AdmissionRow): Promise<Admission> {
    const start = performance.now();
    const { admission } = await this.turns.add({ admit: row });
    this.metrics.admit.observe((performance.now() - start) / MS_PER_SECOND);
    return admission;
  }

  async settle(settlement: Settlement): Promise<void> {
    const start = performance.now();
    const { isLate } = await this.turns.add({ settle: settlement });
    if (isLate) await this.lateBookings.add(settlement);
    this.metrics.settle.observe((performance.now() - start) / MS_PER_SECOND);
  }

  /** Counts one request that is not metered. */
  async count(caller: RateLimitedCaller): Promise<Counted> {
    return await this.counts.add(caller);
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
    const windows = byScope(answer?.windows);
    return batch.map((turn) => {
      if ('settle' in turn)
        return { isLate: late.has(turn.settle.owner.request_id), admission: NOTHING_TO_SAY };
      const { request_id: id, user_id: userId, key_id: keyId } = turn.admit.request;
      const rateLimit = tightestWindow(windows, { userId, keyId });
      return { isLate: false, admission: { answer: admitted.get(id), rateLimit } };
    });
  }

  private async runCounts(batch: readonly RateLimitedCaller[]): Promise<readonly Counted[]> {
    const answer = await this.store.count(batch);
    const refusals = new Map(answer?.refusals?.map(({ place, refusal }) => [place, refusal]));
    const windows = byScope(answer?.windows);
    const installation = installationWindows(windows);
    return batch.map((caller, place) => ({
      refusal: refusals.get(place),
      installation,
      rateLimit: tightestWindow(windows, caller),
    }));
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
