/** Turns the end of an attempt into the usage line that is booked. Pure, but for the clock of the caller. */
import { cost as tokenCost, type PriceVersion, upperBoundCost } from '../catalog/index';
import type { PicoUsd, TokenUsage, UsageSource } from '../common/index';
import { type AttemptIntent, type Outcome, reconcileUsage, type SettledAttempt } from '../ledger/index';
import { type AttemptReport, ProviderError } from '../providers/index';
import type { PlannedModel } from '../selection/index';

/** What was known when the attempt was sent. */
export interface SentAttempt {
  readonly planned: PlannedModel;
  readonly intent: AttemptIntent;
  /** Per choice; undefined when no limit went upstream. */
  readonly maxTokensSent?: number;
  readonly choices: number;
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
  const isKnown = report.usage.promptTokens !== undefined && report.usage.completionTokens !== undefined;
  const claimed = isKnown ? report.usage : estimate(sent, report.usage, trace);
  const checked = reconcileUsage({
    usage: claimed,
    rawUsage: report.rawUsage,
    maxTokensSent: sent.maxTokensSent === undefined ? undefined : sent.maxTokensSent * sent.choices,
    isHard: sent.isHard,
    heldPicoUsd: sent.heldPicoUsd,
    answerBytes: trace.answerBytes,
    cost: (usage) => costOf(sent.planned.price, usage),
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
 * An attempt that failed or was cut. Not billable: zero. Else the provider's own figures when they had come, else the
 * bound that the intent names.
 */
export function settledFailure(
  sent: SentAttempt,
  failure: unknown,
  trace: AttemptTrace,
  known?: AttemptReport,
): SettledAttempt {
  const error = failure instanceof ProviderError ? failure : undefined;
  const told = error?.usage ?? known?.usage;
  const { usage, source, cost } = failedUsage(sent, error?.mayBeBilled ?? true, told);
  return {
    ...base(sent, trace),
    modelServed: known?.modelServed,
    upstreamRequestId: error?.upstreamRequestId ?? known?.upstreamRequestId,
    outcome: outcomeOf(error),
    usageSource: source,
    usage,
    rawUsage: known?.rawUsage,
    costPicoUsd: cost,
    errorCode: error?.code ?? 'INTERNAL',
    disputes: [],
  };
}

function failedUsage(
  sent: SentAttempt,
  mayBeBilled: boolean,
  told: TokenUsage | undefined,
): { usage: TokenUsage; source: UsageSource; cost: PicoUsd | undefined } {
  const { price } = sent.planned;
  if (told?.promptTokens !== undefined && told.completionTokens !== undefined) {
    return { usage: told, source: 'provider', cost: costOf(price, told) };
  }
  if (!mayBeBilled) {
    const none = { promptTokens: 0, completionTokens: 0 };
    return { usage: none, source: 'provider', cost: costOf(price, none) };
  }
  const { boundPromptTokens, boundCompletionTokens } = sent.intent;
  return {
    usage: { promptTokens: boundPromptTokens, completionTokens: boundCompletionTokens },
    source: 'upper_bound',
    cost: price && upperBoundCost(price, boundPromptTokens, boundCompletionTokens),
  };
}

function estimate(sent: SentAttempt, told: TokenUsage, trace: AttemptTrace): TokenUsage {
  return {
    ...told,
    promptTokens: told.promptTokens ?? Math.ceil(sent.intent.boundPromptTokens / ESTIMATED_BYTES_PER_TOKEN),
    completionTokens: told.completionTokens ?? Math.ceil(trace.answerBytes / ESTIMATED_BYTES_PER_TOKEN),
  };
}

/** Inconsistent figures were corrected before; what still cannot be priced is priced without its cache details. */
function costOf(price: PriceVersion | undefined, usage: TokenUsage): PicoUsd | undefined {
  return price && tokenCost(price, usage);
}

function outcomeOf(error: ProviderError | undefined): Outcome {
  switch (error?.fault) {
    case 'aborted':
      return 'cancelled';
    case 'timeout':
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
    case undefined:
      return 'failed';
  }
}
