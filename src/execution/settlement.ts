/** Turns the end of an attempt into the usage line that is booked. Pure, but for the clock of the caller. */
import { bookedCost, type PriceVersion, upperBoundCost } from '../catalog/index';
import type { PicoUsd, TokenUsage } from '../common/index';
import { AppError } from '../errors/index';
import {
  type AttemptIntent,
  type Outcome,
  type ReconciledUsage,
  reconcileUsage,
  type SettledAttempt,
} from '../ledger/index';
import { type AttemptReport, ProviderError } from '../providers/index';
import type { PlannedModel } from '../selection/index';

/** What was known when the attempt was sent. */
export interface SentAttempt {
  readonly planned: PlannedModel;
  readonly intent: AttemptIntent;
  /** Per choice; undefined when no limit went upstream. */
  readonly maxTokensSent?: number;
  readonly choices: number;
  readonly estimatedPromptTokens: number;
  readonly isHard: boolean;
  readonly heldPicoUsd: PicoUsd;
  readonly startedAt: Date;
  readonly startedAtMs: number;
}

/** How long it took and what came. */
export interface AttemptTrace {
  readonly endedAtMs: number;
  readonly firstTokenAtMs?: number;
  /** UTF-8 bytes of answer text and tool arguments that arrived. */
  readonly answerBytes: number;
}

const ESTIMATED_BYTES_PER_TOKEN = 4;
/** On the average of a whole answer; prose has 4 to 5, code fewer. */
const MAX_BYTES_PER_TOKEN = 8;

function base(sent: SentAttempt, trace: AttemptTrace) {
  return {
    attempt: sent.intent.attempt,
    provider: sent.intent.provider,
    model: sent.intent.model,
    priceVersion: sent.intent.priceVersion,
    startedAt: sent.startedAt,
    latencyMs: Math.round(trace.endedAtMs - sent.startedAtMs),
    firstTokenMs:
      trace.firstTokenAtMs === undefined ? undefined : Math.round(trace.firstTokenAtMs - sent.startedAtMs),
  };
}

/** An answer that came whole. Without figures from the provider they are estimated from its text, and labelled so. */
export function settledSuccess(
  sent: SentAttempt,
  report: AttemptReport,
  trace: AttemptTrace,
): SettledAttempt {
  const isKnown = hasFigures(report.usage);
  const checked = checkedUsage(sent, trace, {
    usage: isKnown ? report.usage : estimate(sent, report.usage, trace),
    rawUsage: report.rawUsage,
  });
  return {
    ...base(sent, trace),
    modelServed: report.modelServed,
    upstreamRequestId: report.upstreamRequestId,
    outcome: 'succeeded',
    usageSource: isKnown ? 'provider' : 'estimated',
    usage: checked.usage,
    rawUsage: report.rawUsage,
    costPicoUsd: costOf(sent.planned.price, checked.usage),
    disputes: checked.disputes,
  };
}

/**
 * An attempt that failed or was cut. Not billable: zero. The provider's own figures when the answer had reached its
 * finish; figures that came earlier are running ones, so then the bound that the intent names. Never throws.
 */
export function settledFailure(
  sent: SentAttempt,
  failure: unknown,
  trace: AttemptTrace,
  known?: AttemptReport,
): SettledAttempt {
  const error = failure instanceof ProviderError ? failure : undefined;
  // A failure of our own kind that is no ProviderError was raised before anything was sent.
  const mayBeBilled = error ? error.mayBeBilled : !(failure instanceof AppError);
  return {
    ...base(sent, trace),
    modelServed: known?.modelServed,
    upstreamRequestId: error?.upstreamRequestId ?? known?.upstreamRequestId,
    outcome: outcomeOf(error),
    rawUsage: known?.rawUsage,
    errorCode: failure instanceof AppError ? failure.code : 'INTERNAL',
    ...failedFigures(sent, trace, { mayBeBilled, told: error?.usage, known }),
  };
}

type Figures = Pick<SettledAttempt, 'usage' | 'usageSource' | 'costPicoUsd' | 'disputes'>;

interface FailureFacts {
  readonly mayBeBilled: boolean;
  /** What the failure itself brought. */
  readonly told?: TokenUsage;
  readonly known?: AttemptReport;
}

function failedFigures(sent: SentAttempt, trace: AttemptTrace, facts: FailureFacts): Figures {
  const { price } = sent.planned;
  const { mayBeBilled, told, known } = facts;
  if (!mayBeBilled) {
    return { usage: NOTHING, usageSource: 'provider', costPicoUsd: costOf(price, NOTHING), disputes: [] };
  }
  if (known && known.finishReason !== 'unknown' && hasFigures(known.usage)) {
    const { usage, disputes } = checkedUsage(sent, trace, known);
    return { usage, usageSource: 'provider', costPicoUsd: costOf(price, usage), disputes };
  }
  const { boundPromptTokens, boundCompletionTokens } = sent.intent;
  const promptTokens = told?.promptTokens ?? known?.usage.promptTokens ?? boundPromptTokens;
  const overrun = overrunTokens(trace.answerBytes, boundCompletionTokens);
  const completionTokens = Math.max(boundCompletionTokens, told?.completionTokens ?? 0, overrun);
  return {
    usage: { promptTokens, completionTokens },
    usageSource: 'upper_bound',
    costPicoUsd: price && upperBoundCost(price, promptTokens, completionTokens),
    disputes:
      overrun > 0
        ? [
            `an answer of ${trace.answerBytes} bytes exceeds the ${boundCompletionTokens} tokens that were allowed`,
          ]
        : [],
  };
}

/**
 * A provider that goes on beyond the limit it was sent breaks the bound: no text has that many bytes a token. Then one
 * token per byte is what bounds the answer that arrived; else 0.
 */
function overrunTokens(answerBytes: number, boundCompletionTokens: number): number {
  return answerBytes > boundCompletionTokens * MAX_BYTES_PER_TOKEN ? answerBytes : 0;
}

const NOTHING: TokenUsage = { promptTokens: 0, completionTokens: 0 };

function hasFigures(usage: TokenUsage): boolean {
  return usage.promptTokens !== undefined && usage.completionTokens !== undefined;
}

function checkedUsage(
  sent: SentAttempt,
  trace: AttemptTrace,
  claim: Pick<AttemptReport, 'usage' | 'rawUsage'>,
): ReconciledUsage {
  return reconcileUsage({
    usage: claim.usage,
    rawUsage: claim.rawUsage,
    maxTokensSent: sent.maxTokensSent === undefined ? undefined : sent.maxTokensSent * sent.choices,
    isHard: sent.isHard,
    heldPicoUsd: sent.heldPicoUsd,
    answerBytes: trace.answerBytes,
    cost: (usage) => costOf(sent.planned.price, usage),
  });
}

function estimate(sent: SentAttempt, told: TokenUsage, trace: AttemptTrace): TokenUsage {
  return {
    ...told,
    promptTokens: told.promptTokens ?? sent.estimatedPromptTokens,
    completionTokens: told.completionTokens ?? Math.ceil(trace.answerBytes / ESTIMATED_BYTES_PER_TOKEN),
  };
}

function costOf(price: PriceVersion | undefined, usage: TokenUsage): PicoUsd | undefined {
  return price && bookedCost(price, usage);
}

function outcomeOf(error: ProviderError | undefined): Outcome {
  switch (error?.fault) {
    case 'aborted':
      return 'cancelled';
    case 'timeout':
    case 'overdue':
      return 'timed_out';
    case 'cut':
      return 'truncated';
    case 'connect':
    case 'rejected':
    case 'not_found':
    case 'rate_limited':
    case 'overloaded':
    case 'invalid_request':
    case 'context_length':
    case 'content_filter':
    case 'malformed':
    case 'too_large':
    case undefined:
      return 'failed';
  }
}
