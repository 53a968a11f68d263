/** What is left of request windows, told with every admission, and requests that are counted without being admitted. */
import { GLOBAL, HOT, LEDGER_LOCK } from '../1790000003000-create-ledger/shared';

export const WINDOW_FUNCTIONS = [
  // The request windows of these limits; null when none of them counts requests.
  `create function ledger_windows(p_limit_ids uuid[], p_now timestamptz) returns json language plpgsql stable as $$
  declare
    v_minute timestamptz := date_trunc('minute', p_now, 'UTC');
    v_hour timestamptz := date_trunc('hour', p_now, 'UTC');
  begin
    return (
      select json_agg(json_build_object('scopeId', l.scope_id,
        'perMinute', l.requests_per_minute,
        'minuteRequests', case when c.minute_start >= v_minute then c.minute_requests else 0 end,
        'minuteEnd', greatest(c.minute_start, v_minute) + interval '1 minute',
        'perHour', l.requests_per_hour,
        'hourRequests', case when c.hour_start >= v_hour then c.hour_requests else 0 end,
        'hourEnd', greatest(c.hour_start, v_hour) + interval '1 hour'))
      from limits l join limit_counters c on c.limit_id = l.id
      where l.id = any(p_limit_ids) and (l.requests_per_minute is not null or l.requests_per_hour is not null));
  end $$`,

  // Why a request does not fit, by the limit with the longest wait. A window that has passed counts as empty. A request
  // without a number of tokens (null) is only counted: no tokens and no slot are asked for.
  `create or replace function ledger_limit_refusal(p_request ledger_request, p_now timestamptz) returns text
  language sql stable as $$
    with window_now as (
      select date_trunc('minute', p_now, 'UTC') as minute_start, date_trunc('hour', p_now, 'UTC') as hour_start
    ), counted as (
      select l.id, l.scope, l.requests_per_minute, l.requests_per_hour, l.tokens_per_minute, l.tokens_per_hour,
        l.concurrency, c.running,
        case when c.minute_start >= w.minute_start then c.minute_requests else 0 end as minute_requests,
        case when c.minute_start >= w.minute_start then c.minute_tokens else 0 end as minute_tokens,
        case when c.hour_start >= w.hour_start then c.hour_requests else 0 end as hour_requests,
        case when c.hour_start >= w.hour_start then c.hour_tokens else 0 end as hour_tokens,
        greatest(c.minute_start, w.minute_start) + interval '1 minute' as minute_end,
        greatest(c.hour_start, w.hour_start) + interval '1 hour' as hour_end
      from limits l
      join limit_counters c on c.limit_id = l.id
      cross join window_now w
      where l.id = any(p_request.limit_ids)
    )
    select json_build_object('kind', 'limit', 'limit', v.kind, 'scope', c.scope, 'value', v.value,
      'isTooLarge', v.kind like 'tokens%' and p_request.tokens > v.value, 'resetsAt', v.resets_at)::text
    from counted c cross join lateral (values
      ('requests_per_hour', c.requests_per_hour, c.hour_requests + 1, c.hour_end),
      ('tokens_per_hour', c.tokens_per_hour, c.hour_tokens + p_request.tokens, c.hour_end),
      ('requests_per_minute', c.requests_per_minute, c.minute_requests + 1, c.minute_end),
      ('tokens_per_minute', c.tokens_per_minute, c.minute_tokens + p_request.tokens, c.minute_end),
      ('concurrency', c.concurrency, case when p_request.tokens is not null then c.running + 1 end, null)
    ) v (kind, value, wanted, resets_at)
    where v.wanted > v.value
    order by v.resets_at desc nulls last
    limit 1
  $$`,

  // One turn of the books: settlements first, then admissions, in one transaction. Returns what the caller cannot
  // know, or null when there is nothing: late settlements; refusals, hard holds and exceeded soft budgets; the request
  // windows that the admissions stand in, as they are after them, but for those of the installation: no caller is told.
  `create or replace function ledger_turn(p_request_ids uuid[], p_lines json, p_process uuid, p_requests json, p_decisions json,
    p_now timestamptz)
  returns json language plpgsql ${HOT} as $$
  declare
    v_now timestamptz := coalesce(p_now, now());
    v_minute timestamptz := date_trunc('minute', v_now, 'UTC');
    v_hour timestamptz := date_trunc('hour', v_now, 'UTC');
    v_moves ledger_move[];
    v_asked ledger_move[];
    v_late uuid[];
    v_requests ledger_request[];
    v_has_periods boolean;
    v_has_limits boolean;
    v_full_periods bigint[];
    v_soft_periods bigint[];
    v_full_limits uuid[];
    v_clear ledger_request[] := '{}';
    v_suspects int[] := '{}';
    v_refused uuid[];
    v_answers json;
    v_windows json;
  begin
    perform pg_advisory_xact_lock_shared(${LEDGER_LOCK});
    if p_request_ids is not null then
      select c.p_moves, c.p_late into v_moves, v_late from ledger_close(p_request_ids, p_lines) c;
    end if;
    if p_requests is not null then
      v_requests := ledger_resolve(p_requests, v_now);
      v_asked := array(select ledger_ask(r) from unnest(v_requests) r where r.refusal is null);
    end if;

    select bool_or(m.period_ids <> '{}'), bool_or(m.limit_ids <> '{}') into v_has_periods, v_has_limits
    from unnest(v_moves || v_asked) m;

    if v_has_periods then
      with wanted as materialized (
        select id, sum(m.held + m.spent) as amount, sum(m.requests) as requests
        from unnest(v_moves || v_asked) m, unnest(m.period_ids) id group by id
      ), locked as materialized (
        select p.id, b.mode, b.limit_pico - p.spent_pico - p.held_pico as remaining
        from budget_periods p join budgets b on b.id = p.budget_id
        where p.id = any(array(select w.id from wanted w)) order by p.id for update of p
      )
      -- From the locked side and without a filter on the rows: every one must be locked, also where nothing is asked.
      select array_agg(l.id) filter (where l.mode = 'hard' and w.requests > 0 and l.remaining < w.amount),
        array_agg(l.id) filter (where l.mode = 'soft' and w.requests > 0 and l.remaining < w.amount)
      into v_full_periods, v_soft_periods
      from locked l left join wanted w on w.id = l.id;
    end if;

    if v_has_limits then
      -- Tokens given back are left out here, so that this errs to the slow side only.
      with wanted as materialized (
        select id, sum(m.requests) as requests, sum(greatest(m.tokens, 0)) as tokens, sum(m.slots) as slots
        from unnest(v_moves || v_asked) m, unnest(m.limit_ids) id group by id
      ), locked as materialized (
        select l.id, l.scope_id, l.requests_per_minute, l.requests_per_hour, l.tokens_per_minute, l.tokens_per_hour,
          l.concurrency, c.running, greatest(c.minute_start, v_minute) as minute_start,
          greatest(c.hour_start, v_hour) as hour_start,
          case when c.minute_start >= v_minute then c.minute_requests else 0 end as minute_requests,
          case when c.minute_start >= v_minute then c.minute_tokens else 0 end as minute_tokens,
          case when c.hour_start >= v_hour then c.hour_requests else 0 end as hour_requests,
          case when c.hour_start >= v_hour then c.hour_tokens else 0 end as hour_tokens
        from limit_counters c join limits l on l.id = c.limit_id
        where c.limit_id = any(array(select w.id from wanted w)) order by c.limit_id for update of c
      )
      select array_agg(l.id) filter (where w.requests > 0 and (
        l.running + w.slots > l.concurrency
        or l.minute_requests + w.requests > l.requests_per_minute
        or l.minute_tokens + w.tokens > l.tokens_per_minute
        or l.hour_requests + w.requests > l.requests_per_hour
        or l.hour_tokens + w.tokens > l.tokens_per_hour)),
        json_agg(json_build_object('scopeId', l.scope_id,
          'perMinute', l.requests_per_minute, 'minuteRequests', l.minute_requests + w.requests,
          'minuteEnd', l.minute_start + interval '1 minute',
          'perHour', l.requests_per_hour, 'hourRequests', l.hour_requests + w.requests,
          'hourEnd', l.hour_start + interval '1 hour'))
          filter (where w.requests > 0 and l.scope_id <> ${GLOBAL}
            and (l.requests_per_minute is not null or l.requests_per_hour is not null))
      into v_full_limits, v_windows
      from locked l left join wanted w on w.id = l.id;
    end if;

    if v_full_periods is null and v_full_limits is null then
      if v_requests is not null then
        perform ledger_hold(p_process, v_requests, v_now);
      end if;
      if v_has_periods or v_has_limits then
        perform ledger_apply(v_moves || v_asked, v_now);
      end if;
    else
      -- Whoever touches no full counter fits whatever happens to the others; the rest are taken one after the other.
      for i in 1 .. cardinality(v_requests) loop
        if v_requests[i].refusal is null and (coalesce(v_requests[i].period_ids && v_full_periods, false)
            or coalesce(v_requests[i].limit_ids && v_full_limits, false)) then
          v_suspects := v_suspects || i;
        else
          v_clear := v_clear || v_requests[i];
        end if;
      end loop;
      perform ledger_hold(p_process, v_clear, v_now);
      perform ledger_apply(
        v_moves || array(select ledger_ask(r) from unnest(v_clear) r where r.refusal is null), v_now);
      for i in 1 .. cardinality(v_suspects) loop
        v_requests[v_suspects[i]] := ledger_judge(v_requests[v_suspects[i]], v_now);
        continue when v_requests[v_suspects[i]].refusal is not null;
        perform ledger_hold(p_process, v_requests[v_suspects[i]:v_suspects[i]], v_now);
        perform ledger_apply(array[ledger_ask(v_requests[v_suspects[i]])], v_now);
      end loop;
      if v_windows is not null then
        v_windows := ledger_windows(array(
          select l.id from unnest(v_asked) m join limits l on l.id = any(m.limit_ids)
          where l.scope_id <> ${GLOBAL}), v_now);
      end if;
    end if;

    if v_requests is not null then
      select array_agg(r.request_id) filter (where r.refusal is not null),
        json_agg(json_build_object('requestId', r.request_id, 'refusal', r.refusal::json, 'held', r.held::text,
          'isHard', r.is_hard, 'exceeded',
          case when v_soft_periods is not null then ledger_exceeded(r.period_ids, v_soft_periods) end))
        filter (where r.refusal is not null or r.is_hard or r.period_ids && v_soft_periods)
      into v_refused, v_answers from unnest(v_requests) r;
      insert into decisions (id, request_id, user_id, key_id, created_at, record)
      select d.id, d.request_id, d.user_id, d.key_id, v_now, d.record
      from json_to_recordset(p_decisions) d (id uuid, request_id uuid, user_id uuid, key_id uuid, record json)
      where v_refused is null or d.request_id <> all(v_refused);
    end if;
    if v_late is null and v_answers is null and v_windows is null then
      return null;
    end if;
    return json_build_object('late', v_late, 'admitted', v_answers, 'windows', v_windows);
  end $$`,

  // Counts requests that are not metered, in the request windows of everybody, the user and the key: no tokens, no slot,
  // no hold. Returns null where nothing is limited, else who was refused (by place in the list) and the windows.
  `create function ledger_count(p_callers json, p_now timestamptz) returns json language plpgsql ${HOT} as $$
  declare
    v_now timestamptz := coalesce(p_now, now());
    v_minute timestamptz := date_trunc('minute', v_now, 'UTC');
    v_hour timestamptz := date_trunc('hour', v_now, 'UTC');
    v_moves ledger_move[];
    v_limit_ids uuid[];
    v_full uuid[];
    v_request ledger_request;
    v_refusal text;
    v_refusals json[];
  begin
    perform pg_advisory_xact_lock_shared(${LEDGER_LOCK});
    v_moves := array(
      select row(null, 0, 0, 0, 0, 1, 'infinity', '{}',
        array(select l.id from limits l where l.scope_id in (${GLOBAL}, c.user_id, c.key_id)))::ledger_move
      from rows from (json_to_recordset(p_callers) as (user_id uuid, key_id uuid))
        with ordinality as c (user_id, key_id, place)
      order by c.place);
    v_limit_ids := array(select distinct id from unnest(v_moves) m, unnest(m.limit_ids) id);
    if v_limit_ids = '{}' then
      return null;
    end if;

    perform ledger_lock(v_moves);
    select array_agg(l.id) into v_full
    from (select id, sum(m.requests) as requests from unnest(v_moves) m, unnest(m.limit_ids) id group by id) w
    join limits l on l.id = w.id join limit_counters c on c.limit_id = w.id
    where case when c.minute_start >= v_minute then c.minute_requests else 0 end + w.requests > l.requests_per_minute
      or case when c.hour_start >= v_hour then c.hour_requests else 0 end + w.requests > l.requests_per_hour;
    if v_full is null then
      perform ledger_apply(v_moves, v_now);
    else
      for i in 1 .. cardinality(v_moves) loop
        if v_moves[i].limit_ids && v_full then
          v_request.limit_ids := v_moves[i].limit_ids;
          v_refusal := ledger_limit_refusal(v_request, v_now);
          if v_refusal is not null then
            v_refusals := v_refusals || json_build_object('place', i - 1, 'refusal', v_refusal::json);
            continue;
          end if;
        end if;
        perform ledger_apply(v_moves[i:i], v_now);
      end loop;
    end if;
    return json_build_object('refusals', array_to_json(v_refusals), 'windows', ledger_windows(v_limit_ids, v_now));
  end $$`,
];
