/** The JSON rows that the ledger's functions in PostgreSQL read. Names are those of the types `ledger_request` and `ledger_line`. */
import type { PicoUsd, RequestContext, TokenUsage, WorkType } from '../common/index';
import type { AttemptIntent, DecisionRow, HoldAmounts, SettledAttempt } from './ledger.types';

/** Whose request it is and what it belongs to. */
export interface OwnerRow {
  readonly request_id: string;
  readonly user_id: string;
  readonly key_id?: string;
  readonly project_id?: string;
  readonly run_id?: string;
  readonly task_id?: string;
  readonly session_id?: string;
  readonly stage_id?: string;
  readonly task_type: string;
  readonly agent?: string;
}

export interface RequestRow extends OwnerRow {
  readonly worst: string;
  readonly minimum: string;
  readonly estimate: string;
  readonly tokens: number;
  readonly attempt: number;
  readonly provider: string;
  readonly model: string;
  readonly price_version?: number;
  readonly bound_prompt: number;
  readonly bound_completion: number;
  readonly bound_cost?: string;
}

export interface LineRow {
  readonly request_id: string;
  readonly attempt: number;
  readonly outcome: string;
  readonly [column: string]: unknown;
}

export interface DecisionRecordRow {
  readonly id: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly key_id?: string;
  readonly record: unknown;
}

/** Lines of one request on their way into the books; also the form in which they wait in the journal. */
export interface Settlement {
  readonly owner: OwnerRow;
  readonly lines: readonly LineRow[];
}

export interface AdvanceRow extends RequestRow {
  readonly lines: readonly LineRow[];
}

export function ownerRow(ctx: RequestContext, taskType: WorkType): OwnerRow {
  const { principal, work } = ctx;
  return {
    request_id: ctx.requestId,
    user_id: principal.userId,
    key_id: principal.keyId,
    project_id: work?.projectId,
    run_id: work?.runId,
    task_id: work?.taskId,
    session_id: work?.sessionId,
    stage_id: work?.stageId,
    task_type: taskType,
    agent: work?.agent,
  };
}

export function requestRow(owner: OwnerRow, intent: AttemptIntent, amounts: HoldAmounts): RequestRow {
  return {
    ...owner,
    worst: String(amounts.worstPicoUsd),
    minimum: String(amounts.minimumPicoUsd),
    estimate: String(amounts.estimatePicoUsd),
    tokens: wholeNumber(amounts.estimateTokens) ?? 0,
    attempt: intent.attempt,
    provider: intent.provider,
    model: intent.model,
    price_version: intent.priceVersion,
    bound_prompt: wholeNumber(intent.boundPromptTokens) ?? 0,
    bound_completion: wholeNumber(intent.boundCompletionTokens) ?? 0,
    bound_cost: amountText(intent.boundCostPicoUsd),
  };
}

export function settlement(
  ctx: RequestContext,
  taskType: WorkType,
  finished: readonly SettledAttempt[],
): Settlement {
  return {
    owner: ownerRow(ctx, taskType),
    lines: finished.map((attempt) => lineRow(ctx.requestId, attempt)),
  };
}

export function lineRow(requestId: string, attempt: SettledAttempt): LineRow {
  return {
    request_id: requestId,
    attempt: attempt.attempt,
    provider: attempt.provider,
    model: attempt.model,
    model_served: attempt.modelServed,
    upstream_request_id: attempt.upstreamRequestId,
    outcome: attempt.outcome,
    usage_source: attempt.usageSource,
    ...usageColumns(attempt.usage),
    raw_usage: attempt.rawUsage,
    cost_pico_usd: amountText(attempt.costPicoUsd),
    price_version: attempt.priceVersion,
    saved_pico_usd: amountText(attempt.saved?.picoUsd),
    saved_tokens: wholeNumber(attempt.saved?.tokens),
    error_code: attempt.errorCode,
    disputes: attempt.disputes.length > 0 ? attempt.disputes : undefined,
    started_at: attempt.startedAt,
    latency_ms: wholeNumber(attempt.latencyMs),
    first_token_ms: wholeNumber(attempt.firstTokenMs),
  };
}

export function decisionRow(owner: OwnerRow, decision: DecisionRow): DecisionRecordRow {
  return {
    id: decision.id,
    request_id: owner.request_id,
    user_id: owner.user_id,
    key_id: owner.key_id,
    record: decision.record,
  };
}

function usageColumns(usage: TokenUsage): Record<string, number | undefined> {
  return {
    prompt_tokens: wholeNumber(usage.promptTokens),
    cached_read_tokens: wholeNumber(usage.cachedReadTokens),
    cache_write_tokens: wholeNumber(usage.cacheWriteTokens),
    cache_write_one_hour_tokens: wholeNumber(usage.cacheWriteOneHourTokens),
    completion_tokens: wholeNumber(usage.completionTokens),
    reasoning_tokens: wholeNumber(usage.reasoningTokens),
  };
}

/** What is no count of anything is unknown. */
function wholeNumber(value: number | undefined): number | undefined {
  if (value === undefined || !(value >= 0)) return undefined;
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

function amountText(amount: PicoUsd | undefined): string | undefined {
  return amount === undefined ? undefined : String(amount);
}
