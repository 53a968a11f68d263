import type { DirectUse, PicoUsd, RequestContext, TokenUsage, WorkType } from '../common/index';
import type { Hold, RateLimitState, SettledAttempt } from '../ledger/index';
import type { OpenProvider } from '../providers/index';
import type { AttemptPlan, PlannedModel } from '../selection/index';
import type { AttemptTokens } from './attempt-bounds';
import type { CompletionTotals, ReuseNote } from './completion';
import type { AnswerFacts } from './response-cache/kept-answer';
import type { CandidateFailure } from './round-failure';
import { addUsage } from './usage-sum';

const MAX_FALLBACKS = 5;
export const MAX_ATTEMPTS_PER_ROUND = 12;

/**
 * All that changes between the attempts of one request, whatever kind of work it is. The `run` of its pipeline owns it;
 * nothing else does.
 */
export abstract class AttemptState {
  readonly startedAt = new Date();
  /** Undefined before admission and after the hold was closed. */
  hold?: Hold;
  /** Nothing is held for the first attempt yet: this one waited for the answer to another. */
  isAdmittedFree = false;
  /** As admission found it. */
  rateLimit?: RateLimitState;
  /** Number of the last attempt that was started; 0 before the first. */
  attempt = 0;
  attemptsThisRound = 0;
  /** Tries of the current candidate in this round. */
  tries = 0;
  /** Attempts that ended and are not booked yet. */
  pending: SettledAttempt[] = [];
  /** The current attempt has shown text to the client: no other may take its place. */
  hasSent = false;
  /** By which way the last attempt was made; undefined before the first. */
  execution?: Pick<OpenProvider, 'executionMode' | 'fallbackReason'>;
  /** Attempts that answered; their usage is what the client is shown, while the cost counts every attempt. */
  answers = 0;
  /** Upstream lines that were broken and are missing in the answer. */
  skippedLines = 0;
  /** What the response cache did; undefined when nobody asked for it. */
  reuse?: ReuseNote;
  private isDisputed = false;
  /** How many warnings are the request's own, not its answer's. */
  private ownWarnings = 0;
  readonly warnings: string[];
  readonly failures: CandidateFailure[] = [];
  private readonly excluded = new Set<string>();
  private costPicoUsd: PicoUsd | undefined = 0n;
  private usage: TokenUsage = {};

  constructor(
    readonly ctx: RequestContext,
    readonly plan: AttemptPlan,
    warnings: readonly string[] = [],
  ) {
    this.warnings = [...warnings, ...plan.warnings];
  }

  /** What the next attempt may take. */
  abstract get tokens(): AttemptTokens;

  /** The part of it in the next upstream request; read it before anything is awaited. */
  get upstreamTokens(): AttemptTokens {
    return this.tokens;
  }

  abstract get workType(): WorkType;

  /** False: by a script or not at all. */
  abstract get useDirect(): DirectUse | undefined;

  /** UTF-16 units of what was asked, for the log. */
  abstract get promptChars(): number;

  get remaining(): readonly PlannedModel[] {
    return this.plan.candidates.filter((planned) => !this.excluded.has(planned.model.id));
  }

  get hasFallback(): boolean {
    return this.remaining.length > 1 && this.excluded.size < MAX_FALLBACKS;
  }

  /** Puts a failed candidate aside. @returns false when none is left. */
  exclude(planned: PlannedModel): boolean {
    const hadFallback = this.hasFallback;
    this.excluded.add(planned.model.id);
    this.tries = 0;
    return hadFallback;
  }

  /** Adds what the caller should know, once each. */
  warn(...warnings: readonly string[]): void {
    for (const warning of warnings) if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  /** From here on, warnings are about the answer. */
  markAdmitted(): void {
    this.ownWarnings = this.warnings.length;
  }

  /** Takes the place of another state of the same request before its first attempt. */
  protected takeOver(from: AttemptState): void {
    this.hold = from.hold;
    from.hold = undefined;
    this.isAdmittedFree = from.isAdmittedFree;
    this.rateLimit = from.rateLimit;
    this.reuse = from.reuse;
    this.warn(...from.warnings);
  }

  /** What is known of the answer that the model gave; undefined when something about it is wrong. */
  factsOf(modelId: string): AnswerFacts | undefined {
    if (this.skippedLines > 0 || this.isDisputed) return undefined;
    return { modelId, usage: this.totals.usage, warnings: this.warnings.slice(this.ownWarnings) };
  }

  startRound(): void {
    this.attemptsThisRound = 0;
    this.tries = 0;
  }

  /** Notes the end of an attempt; it is booked with the next ledger call. */
  finish(attempt: SettledAttempt): void {
    this.pending.push(attempt);
    this.isDisputed ||= attempt.disputes.length > 0;
    if (attempt.outcome === 'succeeded') {
      this.answers += 1;
      this.usage = addUsage(this.usage, attempt.usage);
    }
    this.costPicoUsd =
      this.costPicoUsd === undefined || attempt.costPicoUsd === undefined
        ? undefined
        : this.costPicoUsd + attempt.costPicoUsd;
  }

  takePending(): SettledAttempt[] {
    const taken = this.pending;
    this.pending = [];
    return taken;
  }

  get totals(): CompletionTotals {
    return { costPicoUsd: this.costPicoUsd, attempts: this.attempt, usage: this.usage };
  }
}
