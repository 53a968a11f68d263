import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readInTime } from './read-in-time';
import { COMPARISON_SUMS, comparisonSql } from './usage-comparison';
import type { UsageFilter } from './usage-filter';
import type { UsageGroup } from './usage-groups';

/** Sums over one group; counts as decimal text. */
export interface UsageSums {
  /** In the order of `groupBy`, '' for none; of no meaning in the sums over everything. */
  readonly keys: readonly string[];
  readonly requests: string;
  readonly attempts: string;
  readonly prompt_tokens: string;
  readonly cached_read_tokens: string;
  readonly cache_write_tokens: string;
  readonly completion_tokens: string;
  readonly reasoning_tokens: string;
  readonly cost_pico_usd: string;
  readonly reused: string;
  readonly saved_tokens: string;
  readonly saved_pico_usd: string;
  readonly unpriced: string;
  readonly disputed: string;
  /** Only where a comparison is asked for, like the three behind it. */
  readonly compared_requests?: string;
  readonly compared_pico?: string;
  readonly best_pico?: string;
  readonly cheapest_pico?: string;
}

/** A usage line as it stands in the table; bigints as decimal text. */
export interface StoredLine {
  readonly request_id: string;
  readonly attempt: number;
  readonly user_id: string;
  readonly key_id: string | null;
  readonly project_id: string | null;
  readonly run_id: string | null;
  readonly task_id: string | null;
  readonly session_id: string | null;
  readonly agent: string | null;
  readonly task_type: string;
  readonly provider: string;
  readonly model: string;
  readonly model_served: string | null;
  readonly outcome: string;
  readonly usage_source: string;
  readonly prompt_tokens: string | null;
  readonly cached_read_tokens: string | null;
  readonly cache_write_tokens: string | null;
  readonly completion_tokens: string | null;
  readonly reasoning_tokens: string | null;
  readonly cost_pico_usd: string | null;
  readonly saved_pico_usd: string | null;
  readonly saved_tokens: string | null;
  readonly price_version: number | null;
  readonly disputes: readonly string[] | null;
  readonly started_at: Date;
  readonly latency_ms: number | null;
  readonly first_token_ms: number | null;
  /** Where the line stands in the list, to the microsecond. */
  readonly position: string;
}

/** `position` of a line, its request and its attempt. */
export type LinePosition = readonly [position: string, requestId: string, attempt: number];

const GROUP_KEYS: Readonly<Record<UsageGroup, string>> = {
  day: `to_char(admitted_at at time zone 'UTC', 'YYYY-MM-DD')`,
  model: 'model',
  provider: 'provider',
  taskType: 'task_type',
  agent: `coalesce(agent, '')`,
  key: `coalesce(key_id::text, '')`,
  user: 'user_id::text',
  project: `coalesce(project_id::text, '')`,
  task: `coalesce(task_id::text, '')`,
  session: `coalesce(session_id::text, '')`,
};

const SUMS = `count(distinct request_id) as requests, 
  count(*) filter (where usage_source not in ('cached', 'shared')) as attempts,
  coalesce(sum(prompt_tokens), 0) as prompt_tokens,
  coalesce(sum(cached_read_tokens), 0) as cached_read_tokens,
  coalesce(sum(cache_write_tokens), 0) as cache_write_tokens,
  coalesce(sum(completion_tokens), 0) as completion_tokens,
  coalesce(sum(reasoning_tokens), 0) as reasoning_tokens,
  coalesce(sum(cost_pico_usd), 0) as cost_pico_usd,
  count(*) filter (where usage_source in ('cached', 'shared')) as reused,
  coalesce(sum(saved_tokens), 0) as saved_tokens, coalesce(sum(saved_pico_usd), 0) as saved_pico_usd,
  count(*) filter (where cost_pico_usd is null) as unpriced, count(disputes) as disputed`;

const LINE_COLUMNS = `request_id, attempt, user_id, key_id, project_id, run_id, task_id, session_id, agent, task_type,
  provider, model, model_served, outcome, usage_source, prompt_tokens, cached_read_tokens, cache_write_tokens,
  completion_tokens, reasoning_tokens, cost_pico_usd, saved_pico_usd, saved_tokens, price_version, disputes, started_at,
  latency_ms, first_token_ms`;

const POSITION = `to_char(admitted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const CONDITIONS: Readonly<Record<keyof UsageFilter, (parameter: string) => string>> = {
  from: (parameter) => `admitted_at >= ${parameter}`,
  to: (parameter) => `admitted_at < ${parameter}`,
  userId: (parameter) => `user_id = ${parameter}`,
  keyId: (parameter) => `key_id = ${parameter}`,
  projectId: (parameter) => `project_id = ${parameter}`,
  runId: (parameter) => `run_id = ${parameter}`,
  taskId: (parameter) => `task_id = ${parameter}`,
  sessionId: (parameter) => `session_id = ${parameter}`,
  requestId: (parameter) => `request_id = ${parameter}`,
  provider: (parameter) => `provider = ${parameter}`,
  model: (parameter) => `model = ${parameter}`,
  taskType: (parameter) => `task_type = ${parameter}`,
  agent: (parameter) => `agent = ${parameter}`,
  disputed: (parameter) => `(disputes is not null) = ${parameter}`,
};

interface SumsPage {
  readonly limit: number;
  /** Is it compared with what other models would have cost? */
  readonly isCompared?: boolean;
  readonly after?: readonly string[];
}

/** Reads usage lines. The filter says whose: see `usageFilter`. What takes too long is a ServiceUnavailableError. */
@Injectable()
export class UsageRepository {
  constructor(private readonly database: DataSource) {}

  /** Groups in ascending order of their keys, after the given keys. */
  async groups(
    groupBy: readonly UsageGroup[],
    filter: UsageFilter,
    page: SumsPage,
  ): Promise<readonly UsageSums[]> {
    return await this.sums(groupBy, filter, page, { hasTotal: false });
  }

  /** The same, with the sums over everything that the filter finds. */
  async groupsWithTotal(
    groupBy: readonly UsageGroup[],
    filter: UsageFilter,
    page: SumsPage,
  ): Promise<{ readonly total: UsageSums; readonly groups: readonly UsageSums[] }> {
    const [total, ...groups] = await this.sums(groupBy, filter, page, { hasTotal: true });
    return { total: total as UsageSums, groups };
  }

  /** Newest request first, after the given position. */
  async lines(
    filter: UsageFilter,
    page: { readonly limit: number; readonly after?: LinePosition },
  ): Promise<readonly StoredLine[]> {
    const { where, values } = conditions(filter);
    const n = values.length;
    const after = page.after
      ? `and (admitted_at, request_id, attempt) < ($${n + 2}::timestamptz, $${n + 3}::uuid, $${n + 4}::int)`
      : '';
    return await readInTime(
      this.database,
      `select ${LINE_COLUMNS}, ${POSITION} as position from usage_lines where ${where} ${after}
       order by admitted_at desc, request_id desc, attempt desc limit $${n + 1}`,
      [...values, page.limit, ...(page.after ?? [])],
    );
  }

  /** The total, when it is asked for, comes first. */
  private async sums(
    groupBy: readonly UsageGroup[],
    filter: UsageFilter,
    page: SumsPage,
    { hasTotal }: { readonly hasTotal: boolean },
  ): Promise<readonly UsageSums[]> {
    const keys = groupBy.map((group, index) => `${GROUP_KEYS[group]} collate "C" as key_${index}`);
    const names = keys.map((_, index) => `key_${index}`).join(', ');
    const { where, values } = conditions(filter);
    const comparison = page.isCompared ? comparisonSql(filter, values.length + 2) : undefined;
    const [after, limit] = [`$${values.length + 1}`, `$${values.length + 2}`];
    return await readInTime(
      this.database,
      `with lines as (
         select ${keys.join(', ')}, * from usage_lines where ${where}
       ), ${comparison ? `${comparison.queries}, ` : ''}grouped as (
         select array[${names}] as keys, grouping(key_0) as is_total, ${SUMS}${comparison ? `, ${COMPARISON_SUMS}` : ''}
         from ${comparison ? 'compared' : 'lines'} group by grouping sets ((${names})${hasTotal ? ', ()' : ''}))
       select * from grouped where is_total = 1 or ${after}::text[] is null or keys > ${after}::text[]
       order by is_total desc, keys limit ${limit}::int`,
      [...values, page.after ?? null, page.limit + (hasTotal ? 1 : 0), ...(comparison?.values ?? [])],
    );
  }
}

function conditions(filter: UsageFilter): { readonly where: string; readonly values: unknown[] } {
  const names = (Object.keys(CONDITIONS) as (keyof UsageFilter)[]).filter(
    (name) => filter[name] !== undefined,
  );
  const parts = names.map((name, index) => CONDITIONS[name](`$${index + 1}`));
  return { where: ['true', ...parts].join(' and '), values: names.map((name) => filter[name]) };
}
