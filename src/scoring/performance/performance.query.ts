/**
 * What the ledger says of recent attempts, by model. Of each slice of the last day at most the newest lines are read, so
 * the cost is bounded however much is booked, the newest hours weigh more, and a model that is used seldom is still seen.
 * Failures are forgotten by halves: a model that failed comes back. Left out are answers that were given again, our own
 * aborts, and providers that owners call with credentials of their own: those accounts say nothing of everybody's.
 */
import { PROVIDER_FAILURES } from './provider-failures';

const SLICES = ['0 min', '5 min', '15 min', '1 hour', '3 hours', '8 hours', '24 hours'];
const LINES_PER_SLICE = 2000;
const HALF_LIFE_SECONDS = 2 * 3600;
/** Attempts that count as if they had gone well. */
const PRIOR_ATTEMPTS = 10;
/** Shorter answers tell the speed of nothing. */
const MIN_TIMED_TOKENS = 16;

const slices = SLICES.slice(1).map((until, index) => `(interval '${SLICES[index]}', interval '${until}')`);
const failures = PROVIDER_FAILURES.map((code) => `'${code}'`).join(', ');

export const MEASURE = `
  with line as materialized (
    select of_slice.* from (values ${slices.join(', ')}) as slice (newest, oldest)
    cross join lateral (
      select user_id, provider, model, task_type, outcome, usage_source, error_code, admitted_at,
        completion_tokens, latency_ms, first_token_ms
      from usage_lines
      where admitted_at > now() - slice.oldest and admitted_at <= now() - slice.newest
      order by admitted_at desc limit ${LINES_PER_SLICE}
    ) as of_slice
  ), attempt as (
    select model, outcome = 'succeeded' as is_success, first_token_ms,
      power(0.5, extract(epoch from now() - admitted_at)::float / ${HALF_LIFE_SECONDS}) as weight,
      outcome = 'succeeded' and completion_tokens >= ${MIN_TIMED_TOKENS} and latency_ms > 0 as is_timed,
      completion_tokens * 1000.0 / greatest(latency_ms - coalesce(first_token_ms, 0), 1) as rate
    from line
    where (outcome = 'succeeded' or error_code in (${failures})) and outcome <> 'cancelled'
      and usage_source not in ('cached', 'shared') and task_type <> 'EMBEDDING' and provider <> 'sandbox'
      and not exists (
        select from provider_credentials own
        where own.user_id = line.user_id and own.provider = line.provider and own.is_active)
  )
  select model, count(*)::int as attempts,
    coalesce(sum(weight) filter (where not is_success), 0) / (sum(weight) + ${PRIOR_ATTEMPTS}) as "failureShare",
    count(*) filter (where is_timed and first_token_ms is not null)::int as streams,
    percentile_cont(0.5) within group (order by first_token_ms)
      filter (where is_timed and first_token_ms is not null) as "firstTokenMs",
    percentile_cont(0.5) within group (order by rate::float)
      filter (where is_timed and first_token_ms is not null) as "streamTokensPerSecond",
    count(*) filter (where is_timed and first_token_ms is null)::int as answers,
    percentile_cont(0.5) within group (order by rate::float)
      filter (where is_timed and first_token_ms is null) as "answerTokensPerSecond"
  from attempt group by model`;
