import { LINE_COLUMNS, OWNER_COLUMNS, prefixed, HOT, LEDGER_LOCK } from './shared';

export const TURN_FUNCTIONS = [
  // Closes holds and books their lines. p_late: the requests that need ledger_book, because they have no open hold (the
  // reaper may have booked an attempt that was never sent) or one of their lines stands already.
  `create function ledger_close(p_request_ids uuid[], p_lines json, out p_moves ledger_move[], out p_late uuid[])
  language plpgsql as $$
  declare
    v_closed uuid[];
    v_booked bigint[];
    v_lines bigint;
  begin
    with gone as (
      delete from holds h where h.request_id = any(p_request_ids) returning h.*
    ), booked as (
      insert into usage_lines (${OWNER_COLUMNS}, ${LINE_COLUMNS})
      select ${prefixed(OWNER_COLUMNS, 'h')}, ${prefixed(LINE_COLUMNS, 'l')}
      from json_populate_recordset(null::ledger_line, p_lines) l join gone h on h.request_id = l.request_id
      on conflict do nothing
      returning request_id, cost_pico_usd, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) as tokens
    ), sums as (
      select b.request_id, count(*) as lines, sum(b.cost_pico_usd)::bigint as cost, sum(b.tokens)::bigint as tokens
      from booked b group by b.request_id
    )
    select array_agg(row(g.request_id, -g.held_pico, coalesce(s.cost, 0), coalesce(s.tokens, 0) - g.tokens_held, -1, 0,
        g.intent_at, g.budget_period_ids, g.limit_ids)::ledger_move),
      array_agg(g.request_id), array_agg(coalesce(s.lines, 0)), coalesce(sum(s.lines), 0)
    into p_moves, v_closed, v_booked, v_lines
    from gone g left join sums s on s.request_id = g.request_id;

    if cardinality(v_closed) is distinct from cardinality(p_request_ids) or v_lines <> json_array_length(p_lines) then
      p_late := array(
        select asked.request_id
        from (select distinct id as request_id from unnest(p_request_ids) id) asked
        left join (select l.request_id, count(*) as lines from json_populate_recordset(null::ledger_line, p_lines) l
                   group by l.request_id) given on given.request_id = asked.request_id
        left join unnest(v_closed, v_booked) c (request_id, lines) on c.request_id = asked.request_id
        where c.lines is distinct from coalesce(given.lines, 0));
    end if;
  end $$`,

  // One turn of the books: settlements first, then admissions, in one transaction. Returns what the caller cannot
  // know, or null when there is nothing: late settlements; refusals, hard holds and exceeded soft budgets.
  `create function ledger_turn(p_request_ids uuid[], p_lines json, p_process uuid, p_requests json, p_decisions json,
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
        select l.id, l.requests_per_minute, l.requests_per_hour, l.tokens_per_minute, l.tokens_per_hour,
          l.concurrency, c.running,
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
        or l.hour_tokens + w.tokens > l.tokens_per_hour))
      into v_full_limits
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
    if v_late is null and v_answers is null then
      return null;
    end if;
    return json_build_object('late', v_late, 'admitted', v_answers);
  end $$`,
];
