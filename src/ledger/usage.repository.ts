import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RequestContext } from '../common/index';
import type { UsageGroup } from './usage-groups';

export interface UsageFilter {
  /** UUID; only administrators see others than themselves. */
  readonly userId?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface LineFilter extends UsageFilter {
  readonly requestId?: string;
  readonly model?: string;
  readonly provider?: string;
  readonly disputed?: boolean;
}

/** Sums over one group; counts as decimal text, keys in the order of `groupBy`, '' for none. */
export interface UsageSums {
  readonly keys: readonly string[];
  readonly requests: string;
  readonly attempts: string;
  readonly prompt_tokens: string;
  readonly cached_read_tokens: string;
  readonly cache_write_tokens: string;
  readonly completion_tokens: string;
  readonly reasoning_tokens: string;
  readonly cost_pico_usd: string;
  readonly unpriced: string;
  readonly disputed: string;
}

/** A usage line as it stands in the table; bigints as decimal text. */
export interface StoredLine {
  readonly request_id: string;
  readonly attempt: number;
  readonly key_id: string | null;
  readonly project_id: string | null;
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
  readonly price_version: number | null;
  readonly disputes: readonly string[] | null;
  readonly started_at: Date;
  readonly latency_ms: number | null;
  readonly first_token_ms: number | null;
  /** Where the line stands in the list, to the microsecond. */
  readonly position: string;
}

export interface LinePosition {
  readonly position: string;
  readonly requestId: string;
  readonly attempt: number;
}

const GROUP_KEYS: Readonly<Record<UsageGroup, string>> = {
  day: `to_char(admitted_at at time zone 'UTC', 'YYYY-MM-DD')`,
  model: 'model',
  key: `coalesce(key_id::text, '')`,
  project: `coalesce(project_id::text, '')`,
  provider: 'provider',
  taskType: 'task_type',
};

const LINE_COLUMNS = `request_id, attempt, key_id, project_id, task_type, provider, model, model_served, outcome,
  usage_source, prompt_tokens, cached_read_tokens, cache_write_tokens, completion_tokens, reasoning_tokens,
  cost_pico_usd, price_version, disputes, started_at, latency_ms, first_token_ms`;

const POSITION = `to_char(admitted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** Reads usage lines. Everyone sees their own; administrators see all. */
@Injectable()
export class UsageRepository {
  constructor(private readonly database: DataSource) {}

  /** Groups in ascending order of their keys, after the given keys. */
  async sums(
    ctx: RequestContext,
    groupBy: readonly UsageGroup[],
    filter: UsageFilter,
    page: { readonly limit: number; readonly after?: readonly string[] },
  ): Promise<readonly UsageSums[]> {
    const keys = groupBy.map((group) => GROUP_KEYS[group]).join(', ');
    return await this.database.query(
      `with grouped as (
         select array[${keys}] collate "C" as keys,
           count(distinct request_id) as requests, count(*) as attempts,
           coalesce(sum(prompt_tokens), 0) as prompt_tokens,
           coalesce(sum(cached_read_tokens), 0) as cached_read_tokens,
           coalesce(sum(cache_write_tokens), 0) as cache_write_tokens,
           coalesce(sum(completion_tokens), 0) as completion_tokens,
           coalesce(sum(reasoning_tokens), 0) as reasoning_tokens,
           coalesce(sum(cost_pico_usd), 0) as cost_pico_usd,
           count(*) filter (where cost_pico_usd is null) as unpriced, count(disputes) as disputed
         from usage_lines
         where ($1::uuid is null or user_id = $1)
           and ($2::timestamptz is null or admitted_at >= $2) and ($3::timestamptz is null or admitted_at < $3)
         group by 1)
       select * from grouped where ($4::text[] is null or keys > $4::text[]) order by keys limit $5`,
      [visibleUser(ctx, filter), filter.from ?? null, filter.to ?? null, page.after ?? null, page.limit],
    );
  }

  /** Newest request first, after the given position. */
  async lines(
    ctx: RequestContext,
    filter: LineFilter,
    page: { readonly limit: number; readonly after?: LinePosition },
  ): Promise<readonly StoredLine[]> {
    const { after } = page;
    return await this.database.query(
      `select ${LINE_COLUMNS}, ${POSITION} as position from usage_lines
       where ($1::uuid is null or user_id = $1)
         and ($2::timestamptz is null or admitted_at >= $2) and ($3::timestamptz is null or admitted_at < $3)
         and ($4::uuid is null or request_id = $4) and ($5::text is null or model = $5)
         and ($6::text is null or provider = $6) and ($7::boolean is null or (disputes is not null) = $7)
         and ($8::timestamptz is null or (admitted_at, request_id, attempt) < ($8, $9::uuid, $10::int))
       order by admitted_at desc, request_id desc, attempt desc limit $11`,
      [
        visibleUser(ctx, filter),
        filter.from ?? null,
        filter.to ?? null,
        filter.requestId ?? null,
        filter.model ?? null,
        filter.provider ?? null,
        filter.disputed ?? null,
        after?.position ?? null,
        after?.requestId ?? null,
        after?.attempt ?? null,
        page.limit,
      ],
    );
  }
}

function visibleUser({ principal }: RequestContext, { userId }: UsageFilter): string | null {
  return principal.role === 'admin' ? (userId ?? null) : principal.userId;
}
