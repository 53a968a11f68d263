/** Usage as REST shows it: API ids and exact decimals. */
import { formatUsd, type IdPrefix, toApiId } from '../common/index';
import type { UsageGroupDto, UsageLineDto, UsageSumsDto } from './dto/usage.response.dto';
import type { UsageGroup } from './usage-groups';
import type { StoredLine, UsageSums } from './usage.repository';

/** A plain object, as far as the compiler can tell: it is spread. */
export type Plain<T> = { readonly [Name in keyof T]: T[Name] };

/** Only where a comparison is asked for. */
export const COMPARED_COLUMNS = [
  'requestsCompared',
  'comparedUsd',
  'alwaysBestUsd',
  'alwaysCheapestUsd',
] as const satisfies readonly (keyof UsageSumsDto)[];
type ComparedColumn = (typeof COMPARED_COLUMNS)[number];

export function toSums(row: UsageSums): Plain<UsageSumsDto> {
  return {
    requests: Number(row.requests),
    attempts: Number(row.attempts),
    promptTokens: Number(row.prompt_tokens),
    cachedReadTokens: Number(row.cached_read_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    completionTokens: Number(row.completion_tokens),
    reasoningTokens: Number(row.reasoning_tokens),
    costUsd: formatUsd(BigInt(row.cost_pico_usd)),
    reused: Number(row.reused),
    savedTokens: Number(row.saved_tokens),
    savedUsd: formatUsd(BigInt(row.saved_pico_usd)),
    unpriced: Number(row.unpriced),
    disputed: Number(row.disputed),
    ...(row.compared_requests !== undefined && comparison(row)),
  };
}

function comparison(row: UsageSums): Required<Pick<UsageSumsDto, ComparedColumn>> {
  return {
    requestsCompared: Number(row.compared_requests),
    comparedUsd: formatUsd(BigInt(row.compared_pico ?? 0)),
    alwaysBestUsd: formatUsd(BigInt(row.best_pico ?? 0)),
    alwaysCheapestUsd: formatUsd(BigInt(row.cheapest_pico ?? 0)),
  };
}

export function toGroup(row: UsageSums, groupBy: readonly UsageGroup[]): UsageGroupDto {
  const keys = groupBy.map((group, index) => [group, groupKey(group, row.keys[index] ?? '')] as const);
  return { ...Object.fromEntries(keys), ...toSums(row) };
}

const GROUP_PREFIXES: Partial<Record<UsageGroup, IdPrefix>> = {
  key: 'key',
  user: 'usr',
  project: 'prj',
  task: 'tsk',
  session: 'ses',
};

function groupKey(group: UsageGroup, value: string): string | null {
  if (value === '') return null;
  const prefix = GROUP_PREFIXES[group];
  return prefix ? toApiId(prefix, value) : value;
}

export function toLine(row: StoredLine): UsageLineDto {
  return {
    requestId: toApiId('req', row.request_id),
    attempt: row.attempt,
    provider: row.provider,
    model: row.model,
    modelServed: row.model_served,
    outcome: row.outcome,
    usageSource: row.usage_source,
    promptTokens: toNumber(row.prompt_tokens),
    cachedReadTokens: toNumber(row.cached_read_tokens),
    cacheWriteTokens: toNumber(row.cache_write_tokens),
    completionTokens: toNumber(row.completion_tokens),
    reasoningTokens: toNumber(row.reasoning_tokens),
    costUsd: row.cost_pico_usd === null ? null : formatUsd(BigInt(row.cost_pico_usd)),
    savedUsd: row.saved_pico_usd === null ? null : formatUsd(BigInt(row.saved_pico_usd)),
    savedTokens: toNumber(row.saved_tokens),
    priceVersion: row.price_version,
    startedAt: row.started_at.toISOString(),
    taskType: row.task_type,
    latencyMs: row.latency_ms,
    firstTokenMs: row.first_token_ms,
    disputes: [...(row.disputes ?? [])],
    userId: toApiId('usr', row.user_id),
    keyId: idOrNull('key', row.key_id),
    projectId: idOrNull('prj', row.project_id),
    runId: idOrNull('run', row.run_id),
    taskId: idOrNull('tsk', row.task_id),
    sessionId: idOrNull('ses', row.session_id),
    agent: row.agent,
  };
}

function idOrNull(prefix: IdPrefix, uuid: string | null): string | null {
  return uuid === null ? null : toApiId(prefix, uuid);
}

function toNumber(value: string | null): number | null {
  return value === null ? null : Number(value);
}
