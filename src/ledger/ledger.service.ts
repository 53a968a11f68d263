import { Injectable } from '@nestjs/common';
import { type RequestContext, toApiId } from '../common/index';
import { ConflictError, ServiceUnavailableError, toServiceUnavailable } from '../errors/index';
import { DegradedLedger } from './degraded-ledger.service';
import { DisputeReporter } from './dispute.reporter';
import { decisionRow, ownerRow, requestRow, settlement } from './ledger-rows';
import { type Admission, type Counted, LedgerLane } from './ledger.lane';
import type { HoldAnswer } from './ledger.store';
import type { AdmitCommand, AttemptIntent, Hold, HoldAmounts, SettledAttempt } from './ledger.types';
import { OpenHolds } from './open-holds';
import type { RateLimitedCaller, RateLimitState } from './rate-limit-state';
import { limitError, refusalError, softBudgetWarnings } from './refusal';
import { isUniqueViolation } from './repeat-on-conflict';
import { Settler } from './settler.service';

/**
 * The door to the books. Every call is one group-committed round trip, exact across processes.
 * A request goes `admit` → any number of `advance` → `settle`; settle ends it whatever happened.
 */
@Injectable()
export class LedgerService {
  constructor(
    private readonly lane: LedgerLane,
    private readonly settler: Settler,
    private readonly openHolds: OpenHolds,
    private readonly disputes: DisputeReporter,
    private readonly degraded: DegradedLedger,
  ) {}

  /**
   * Reserves money, rate and a concurrency slot, and writes the decision and the first attempt's intent. With PostgreSQL
   * away the degraded float may pay, if one is configured: then no budget and no limit is asked. For a caller whom
   * PostgreSQL could not confirm nothing else pays.
   * @throws BudgetExceededError, RateLimitedError (requests, tokens, concurrency), UnauthenticatedError (key revoked or
   * expired, user gone), ForbiddenError (user disabled), ServiceUnavailableError (PostgreSQL away),
   * ConflictError (this request is open already).
   */
  async admit(ctx: RequestContext, command: AdmitCommand): Promise<Hold> {
    const { requestId } = ctx;
    if (this.openHolds.has(requestId)) throw alreadyOpen(requestId);
    const owner = ownerRow(ctx, command.taskType);
    this.openHolds.add(requestId);
    try {
      if (ctx.principal.isUnconfirmed) throw unconfirmed();
      const admission = await this.lane.admit({
        request: requestRow(owner, command.intent, command.amounts),
        decision: command.decision && decisionRow(owner, command.decision),
      });
      return toHold(ctx, command, admission);
    } catch (error) {
      const away = toServiceUnavailable(error);
      const granted = away && (await this.degraded.admit(owner, command));
      if (granted) return granted;
      this.openHolds.delete(requestId);
      throw isUniqueViolation(error, 'holds_pkey') ? alreadyOpen(requestId) : (away ?? error);
    }
  }

  /**
   * Books the finished attempts and sizes the hold for the next one, whose intent is written before it is sent.
   * @throws BudgetExceededError, ServiceUnavailableError; then the finished attempts are booked (or in the journal),
   * the hold is closed, and nothing more may be sent.
   */
  async advance(
    ctx: RequestContext,
    hold: Hold,
    finished: readonly SettledAttempt[],
    next: { readonly intent: AttemptIntent; readonly amounts: HoldAmounts },
  ): Promise<Hold> {
    this.disputes.report(ctx, finished);
    const { owner, lines } = settlement(ctx, hold.taskType, finished);
    let answer: HoldAnswer | undefined;
    try {
      answer = await this.lane.advance({ ...requestRow(owner, next.intent, next.amounts), lines });
    } catch (error) {
      await this.settler.settle({ owner, lines });
      this.degraded.settle(ctx.requestId, finished);
      const away = toServiceUnavailable(error);
      const granted = away && (await this.degraded.admit(owner, { taskType: hold.taskType, ...next }));
      if (granted) return granted;
      throw away ?? error;
    }
    this.degraded.settle(ctx.requestId, finished);
    if (answer?.refusal) this.openHolds.delete(ctx.requestId);
    return toHold(ctx, { taskType: hold.taskType, amounts: next.amounts }, { answer });
  }

  /**
   * Books what is finished and frees the hold and its slots. Idempotent by request id and attempt; with an empty list
   * nothing was sent. Never fails for a missing database: the lines then wait in a journal on disk and are replayed.
   */
  async settle(ctx: RequestContext, hold: Hold, finished: readonly SettledAttempt[]): Promise<void> {
    this.disputes.report(ctx, finished);
    await this.settler.settle(settlement(ctx, hold.taskType, finished));
    this.degraded.settle(ctx.requestId, finished);
  }

  /**
   * Counts one request that is not metered in the request windows of the installation, the user and the key, exactly
   * as admissions are counted. Returns the tightest window; undefined when none is limited.
   * @throws RequestLimitError; then it was not counted. ServiceUnavailableError (PostgreSQL away).
   */
  async countRequest(who: RateLimitedCaller): Promise<RateLimitState | undefined> {
    return (await this.count(who)).rateLimit;
  }

  /** The same for a caller without a name. Returns all request windows of the installation. @throws as countRequest */
  async countPublicRequest(): Promise<readonly RateLimitState[]> {
    return (await this.count({})).installation;
  }

  private async count(who: RateLimitedCaller): Promise<Counted> {
    const counted = await this.lane.count(who).catch((error: unknown) => {
      throw toServiceUnavailable(error) ?? error;
    });
    const { refusal, rateLimit } = counted;
    if (refusal) throw limitError(refusal, Date.now(), rateLimit, who.role === 'admin');
    return counted;
  }
}

/** PostgreSQL may be back by now: then the caller has to be confirmed by it, which the next try is. */
function unconfirmed(): ServiceUnavailableError {
  return new ServiceUnavailableError('The database was away when the credential was checked: try again');
}

function toHold(
  ctx: RequestContext,
  { taskType, amounts }: Pick<AdmitCommand, 'taskType' | 'amounts'>,
  { answer, rateLimit }: Admission,
): Hold {
  if (answer?.refusal) throw refusalError(ctx, answer.refusal, Date.now(), rateLimit);
  return Object.freeze({
    requestId: ctx.requestId,
    heldPicoUsd: answer ? BigInt(answer.held) : amounts.estimatePicoUsd,
    isHard: answer?.isHard ?? false,
    taskType,
    warnings: softBudgetWarnings(ctx, answer?.exceeded ?? []),
    rateLimit,
  });
}

function alreadyOpen(requestId: string): ConflictError {
  return new ConflictError(`The request ${toApiId('req', requestId)} is running already`);
}
