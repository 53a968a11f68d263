import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { firstIdAt, type RequestContext, toApiId } from '../../common/index';
import { ServiceUnavailableError } from '../../errors/index';
import type { Experiment, Stickiness } from './experiment';

/** What is measured of each request. Times in milliseconds, cost in pico-USD, `error` is 0 or 1, `feedback` 0..1. */
export const MEASURES = ['cost', 'latency', 'firstToken', 'error', 'feedback'] as const;
export type MeasureName = (typeof MEASURES)[number];

/** The requests of one arm that have a value; of none, the means are null. */
export interface MeasureRow {
  readonly count: number;
  readonly mean: number | null;
  /** Sum of (value - mean)². */
  readonly residualSquares: number | null;
  /** Callers who have a value. */
  readonly callers: number;
  /** Sum over them of (sum of the caller's values - mean × number of them)². */
  readonly callerResidualSquares: number | null;
}

/** One arm that was given to somebody. Sums as decimal text. */
export interface ArmRow {
  readonly arm: string;
  readonly requests: number;
  readonly callers: number;
  readonly open: number;
  readonly reused: number;
  readonly cancelled: number;
  readonly unpriced: number;
  readonly succeeded: number;
  readonly fellBack: number;
  readonly costPicoUsd: string;
  readonly promptTokens: string;
  readonly completionTokens: string;
  readonly measures: Readonly<Record<MeasureName, MeasureRow>>;
  /** The median and the 95th percentile; null of no value. */
  readonly latencyPercentiles: readonly [number, number] | null;
  readonly firstTokenPercentiles: readonly [number, number] | null;
}

export interface ResultsPeriod {
  /** Included. */
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
}

const LIMIT_MS = 15_000;
const STATEMENT_TIMEOUT = '57014';

const KEY_OR_USER = 'coalesce(d.key_id, d.user_id)';
const CALLER: Readonly<Record<Stickiness, string>> = {
  key: KEY_OR_USER,
  user: 'd.user_id',
  request: KEY_OR_USER,
};

/** The same for every measure, as columns of a select. */
function each(columns: (name: MeasureName) => string): string {
  return MEASURES.map(columns).join(', ');
}

/**
 * Decisions are found by their time, which their ids begin with, and then by the experiment in their record. Its text is
 * looked through first, because most records are of no experiment and reading them as JSON takes twice as long; it is
 * read as JSON once.
 */
function takenSql(stickyBy: Stickiness): string {
  return `with taken as materialized (
    select d.request_id, r.experiment->>'arm' as arm, ${CALLER[stickyBy]} as caller, r.candidates->0->>'model' as chosen
    from decisions d cross join lateral (
      select * from json_to_record(d.record) known (experiment json, candidates json)
      where d.record::text like '%' || $3 || '%') r
    where d.id >= $1 and d.id < $2 and r.experiment->>'id' = $3`;
}

/** Of the lines of a request, those of the last attempt say how it ended. */
const BOOKED = `), booked as (
    select t.request_id, sum(l.cost_pico_usd) as cost, count(*) filter (where l.cost_pico_usd is null) as unpriced,
      sum(l.prompt_tokens) as prompt_tokens, sum(l.completion_tokens) as completion_tokens,
      bool_or(l.usage_source in ('cached', 'shared')) as is_reused,
      (array_agg(l.outcome order by l.attempt desc))[1] as outcome,
      (array_agg(l.model order by l.attempt desc))[1] as model,
      extract(epoch from max(l.started_at + l.latency_ms * interval '1 ms') - min(l.started_at)) * 1000 as latency,
      extract(epoch from min(l.started_at + l.first_token_ms * interval '1 ms') - min(l.started_at)) * 1000 as first_token
    from taken t join usage_lines l using (request_id) group by t.request_id
  ), opinions as (
    select o.request_id, avg(o.score) as score
    from taken t join routing_outcomes o on o.request_id = t.request_id and o.source = 'feedback' group by o.request_id
  `;

/** A request without a hold and without a line failed before anybody was called. */
const ENDED = `), ended as (
    select t.*, b.cost, b.unpriced, b.prompt_tokens, b.completion_tokens, b.model, b.latency, b.first_token, o.score,
      coalesce(b.is_reused, false) as is_reused, h.request_id is not null as is_open,
      case when b.outcome is not null then b.outcome when h.request_id is null then 'failed' end as outcome
    from taken t left join booked b using (request_id) left join opinions o using (request_id)
      left join holds h using (request_id)
  ), measured as materialized (
    select e.*, outcome = 'succeeded' and not is_reused as is_success,
      case when is_measured and coalesce(unpriced, 0) = 0 then coalesce(cost, 0)::float8 end as "cost_value",
      case when is_measured and outcome = 'succeeded' then latency::float8 end as "latency_value",
      case when is_measured and outcome = 'succeeded' then first_token::float8 end as "firstToken_value",
      case when is_measured and outcome <> 'cancelled' then (outcome <> 'succeeded')::int::float8 end as "error_value",
      case when is_measured then score end as "feedback_value"
    from ended e cross join lateral (select not is_open and not is_reused as is_measured) m
  `;

const ARMS = `), arms as materialized (
    select arm, count(*)::int as requests, count(*) filter (where is_open)::int as open,
      count(*) filter (where is_reused)::int as reused, count(*) filter (where outcome = 'cancelled')::int as cancelled,
      count(*) filter (where unpriced > 0)::int as unpriced, count(*) filter (where is_success)::int as succeeded,
      count(*) filter (where is_success and model <> chosen)::int as "fellBack",
      coalesce(sum(cost), 0)::text as "costPicoUsd", coalesce(sum(prompt_tokens), 0)::text as "promptTokens",
      coalesce(sum(completion_tokens), 0)::text as "completionTokens",
      ${each((name) => `count("${name}_value")::int as "${name}_count", avg("${name}_value") as "${name}_mean"`)},
      ${each((name) => `var_pop("${name}_value") * count("${name}_value") as "${name}_residuals"`)},
      percentile_cont(array[0.5, 0.95]) within group (order by "latency_value") as "latencyPercentiles",
      percentile_cont(array[0.5, 0.95]) within group (order by "firstToken_value") as "firstTokenPercentiles"
    from measured group by arm
  ), callers as (
    select arm, caller, ${each((name) => `count("${name}_value") as "${name}_n", sum("${name}_value") as "${name}_sum"`)}
    from measured group by arm, caller
  ), spread as (
    select c.arm, count(*)::int as callers,
      ${each((name) => `count(*) filter (where "${name}_n" > 0)::int as "${name}_callers"`)},
      ${each((name) => `sum(("${name}_sum" - "${name}_mean" * "${name}_n") ^ 2) as "${name}_spread"`)}
    from callers c join arms a using (arm) group by c.arm
  )
  select arm, requests, callers, open, reused, cancelled, unpriced, succeeded, "fellBack", "costPicoUsd", "promptTokens",
    "completionTokens", "latencyPercentiles", "firstTokenPercentiles", json_build_object(${each(
      (name) => `'${name}', json_build_object('count', "${name}_count", 'mean', "${name}_mean",
        'residualSquares', "${name}_residuals", 'callers', "${name}_callers",
        'callerResidualSquares', "${name}_spread")`,
    )}) as measures
  from arms join spread using (arm)`;

@Injectable()
export class ExperimentResultsRepository {
  constructor(private readonly database: DataSource) {}

  /** One statement, so that all of it is of one moment. @throws ServiceUnavailableError when it takes too long */
  async arms(
    { principal }: RequestContext,
    { id, stickyBy }: Experiment,
    period: ResultsPeriod,
  ): Promise<readonly ArmRow[]> {
    if (principal.role !== 'admin') return [];
    const values = [firstIdAt(period.from.getTime()), firstIdAt(period.to.getTime()), toApiId('exp', id)];
    try {
      return await this.database.transaction(async (manager) => {
        await manager.query(`set local statement_timeout = ${LIMIT_MS}`);
        return await manager.query<ArmRow[]>(takenSql(stickyBy) + BOOKED + ENDED + ARMS, values);
      });
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== STATEMENT_TIMEOUT) throw cause;
      throw new ServiceUnavailableError(
        `These are more requests than can be read in ${LIMIT_MS / 1000} s: ask for a shorter period (from, to)`,
        { cause },
      );
    }
  }
}
