/** How long a second counts from its start; see the migration. */
export const COUNTED = `interval '62 seconds'`;

export const ROOM_FUNCTIONS = [
  `create function capacity_count(p_scope text, p_second timestamptz, p_requests integer, p_tokens bigint) returns void
  language sql as $$
    insert into capacity_windows as w (scope, second, requests, tokens)
    values (p_scope, p_second, p_requests, p_tokens)
    on conflict on constraint capacity_windows_pkey do update
    set requests = w.requests + excluded.requests, tokens = w.tokens + excluded.tokens
  $$`,

  // Which limit of a scope has no room for one more request of so many tokens, and how many milliseconds until it has
  // as far as time alone decides; no row: there is room. The longest wait first; one for an end is not known.
  `create function capacity_refusal(p_scope text, p_limits json, p_now timestamptz)
  returns table (kind text, wait_ms integer) language sql stable as $$
    with asked as (
      select * from json_to_record(p_limits) as l (requests bigint, tokens bigint, concurrency bigint, need bigint)
    ), counted as (
      select second, requests_total, tokens_total,
        sum(requests) over (order by second) as requests_so_far, sum(tokens) over (order by second) as tokens_so_far
      from (
        select second, requests, tokens, sum(requests) over () as requests_total, sum(tokens) over () as tokens_total
        from capacity_windows where scope = p_scope and second > p_now - ${COUNTED}
      ) w
    ), refusals as (
      select 'requests_per_minute' as kind, min(c.second) + ${COUNTED} as until
      from counted c cross join asked a
      where c.requests_total + 1 > a.requests and c.requests_so_far >= c.requests_total + 1 - a.requests
      union all
      select 'tokens_per_minute', min(c.second) + ${COUNTED}
      from counted c cross join asked a
      where c.tokens_total + a.need > a.tokens and c.tokens_so_far >= c.tokens_total + a.need - a.tokens
      union all
      select 'concurrency', 'infinity' from asked a
      where a.concurrency <= (select count(*) from capacity_leases l where l.scope = p_scope)
    )
    select r.kind, case when r.until < 'infinity' then ceil(extract(epoch from r.until - p_now) * 1000)::integer end
    from refusals r where r.until is not null
    order by nullif(r.until, 'infinity') desc nulls last
    limit 1
  $$`,

  // What is under way and what still counts; for those who look.
  `create function capacity_usage(p_scopes text[], p_now timestamptz) returns json language sql stable as $$
    select coalesce(json_object_agg(s.scope, json_build_object(
      'running', (
        select count(*) from capacity_leases l join capacity_processes p on p.id = l.process_id
        where l.scope = s.scope and p.expires_at > coalesce(p_now, now())),
      'requests', coalesce(w.requests, 0), 'tokens', coalesce(w.tokens, 0))), '{}')
    from unnest(p_scopes) s (scope) left join lateral (
      select sum(w.requests) as requests, sum(w.tokens) as tokens from capacity_windows w
      where w.scope = s.scope and w.second > coalesce(p_now, now()) - ${COUNTED}
    ) w on true
  $$`,
];
