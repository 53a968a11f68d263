import type {
  JsonObject,
  JsonValue,
  PicoUsd,
  ProviderId,
  TokenUsage,
  UsageSource,
  WorkType,
} from '../common/index';
import type { RateLimitState } from './rate-limit-state';

/** How one upstream attempt ended. */
export const OUTCOMES = ['succeeded', 'failed', 'timed_out', 'truncated', 'cancelled', 'crashed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Written before an attempt is sent, so that a crash can be settled at a labelled bound. */
export interface AttemptIntent {
  /** 1-based, unique within the request. */
  readonly attempt: number;
  readonly provider: ProviderId;
  readonly model: string;
  /** Undefined when the price is unknown and an operator allowed that. */
  readonly priceVersion?: number;
  readonly boundPromptTokens: number;
  readonly boundCompletionTokens: number;
  readonly boundCostPicoUsd?: PicoUsd;
}

/** What one attempt may cost, for budgets. `minimum` is the least that is worth sending (the prompt and a short answer). */
export interface HoldAmounts {
  /** Held when a hard budget is in scope, clamped to what is left but never below `minimumPicoUsd`. */
  readonly worstPicoUsd: PicoUsd;
  readonly minimumPicoUsd: PicoUsd;
  /** Held when no hard budget is in scope. */
  readonly estimatePicoUsd: PicoUsd;
  /** Counted against token limits at admission, corrected at settlement. */
  readonly estimateTokens: number;
}

export interface DecisionRow {
  /** UUID. */
  readonly id: string;
  readonly record: JsonObject;
}

export interface AdmitCommand {
  readonly taskType: WorkType;
  readonly amounts: HoldAmounts;
  readonly intent: AttemptIntent;
  readonly decision?: DecisionRow;
}

/** An open hold. A value: `advance` returns the next one. */
export interface Hold {
  readonly requestId: string;
  readonly heldPicoUsd: PicoUsd;
  /** A hard budget is in scope: the request must be clamped to what is held. */
  readonly isHard: boolean;
  readonly taskType: WorkType;
  /** Such as "soft budget of user exceeded". */
  readonly warnings: readonly string[];
  /** The tightest request window at admission; undefined when no limit counts requests. */
  readonly rateLimit?: RateLimitState;
}

/** One settled upstream attempt, as the pipeline hands it over. */
export interface SettledAttempt {
  readonly attempt: number;
  readonly provider: ProviderId;
  readonly model: string;
  readonly modelServed?: string;
  readonly upstreamRequestId?: string;
  readonly outcome: Outcome;
  readonly usageSource: UsageSource;
  readonly usage: TokenUsage;
  readonly rawUsage?: JsonValue;
  /** Undefined only where the price is unknown and an operator allowed that. */
  readonly costPicoUsd?: PicoUsd;
  readonly priceVersion?: number;
  /** What an answer that was given again would have cost and taken. */
  readonly saved?: { readonly picoUsd?: PicoUsd; readonly tokens: number };
  readonly startedAt: Date;
  readonly latencyMs: number;
  readonly firstTokenMs?: number;
  readonly errorCode?: string;
  /** Why books and provider disagree; empty when they agree. */
  readonly disputes: readonly string[];
}
