/** What requests would have cost at other models: an estimate, made of what they cost and what their decisions expected. */
import { firstIdAt } from '../common/index';
import type { UsageFilter } from './usage-filter';

/** A decision is made before its request is admitted, by another clock. */
const DECIDED_WITHIN_MS = 3_600_000;
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The tables behind the sums of a comparison. */
export interface ComparisonSql {
  /** Named queries behind `lines`; the last is `compared`: the lines, with what they are compared with. */
  readonly queries: string;
  readonly values: readonly unknown[];
}

/** Of the sums over `compared`. */
export const COMPARISON_SUMS = `count(distinct request_id) filter (where best_pico is not null) as compared_requests,
  coalesce(sum(cost_pico_usd) filter (where best_pico is not null), 0) as compared_pico,
  coalesce(sum(best_pico), 0) as best_pico, coalesce(sum(cheapest_pico), 0) as cheapest_pico`;

/**
 * Compared are answers of routed chat requests whose decision knows what the model that answered, the one of the best
 * expected quality and the cheapest were expected to cost. What a line cost, times what the other model was expected to
 * cost, by what the one that answered was; where that one is free, what the other was expected to cost, once per request.
 * @param offset how many parameters come before
 */
export function comparisonSql({ from, to, userId }: UsageFilter, offset: number): ComparisonSql {
  const parameter = (index: number): string => `$${offset + index}`;
  return {
    values: [
      firstIdAt(from === undefined ? 0 : Date.parse(from) - DECIDED_WITHIN_MS),
      to === undefined ? LAST_ID : firstIdAt(Date.parse(to) + DECIDED_WITHIN_MS),
      userId ?? null,
    ],
    queries: `decided as (
      select request_id as decided_request, record from decisions
      where id between ${parameter(1)}::uuid and ${parameter(2)}::uuid
        and (${parameter(3)}::uuid is null or user_id = ${parameter(3)})
    ), expected as (
      select l.request_id, l.attempt, l.cost_pico_usd as cost,
        (r.alternatives #>> '{best,costPico}')::numeric as best,
        (r.alternatives #>> '{cheapest,costPico}')::numeric as cheapest,
        (select (c ->> 'costPico')::numeric from json_array_elements(r.candidates) c
          where c ->> 'model' = l.model limit 1) as answered
      from lines l join decided d on d.decided_request = l.request_id
        cross join lateral json_to_record(d.record) r (alternatives json, candidates json)
      where l.outcome = 'succeeded' and l.usage_source not in ('cached', 'shared') and l.cost_pico_usd is not null
    ), numbered as (
      select *, row_number() over (partition by request_id order by attempt) as place from expected
      where best is not null and cheapest is not null and answered is not null
    ), weighed as (
      select request_id, attempt, ${estimate('best')} as best_pico, ${estimate('cheapest')} as cheapest_pico
      from numbered
    ), compared as (
      select lines.*, best_pico, cheapest_pico from lines left join weighed using (request_id, attempt)
    )`,
  };
}

/** Whole pico-USD. */
function estimate(other: 'best' | 'cheapest'): string {
  return `case when answered > 0 then round(cost * ${other} / answered)
        when place = 1 then ${other} else 0 end`;
}
