/** Which agent worked, from the request to its lines: the ledger's functions that carry the owner of a request. */
import {
  GLOBAL,
  HOT,
  LEDGER_LOCK,
  LINE_COLUMNS,
  OWNER_COLUMNS as OWNER_COLUMNS_BEFORE,
  prefixed,
  PROCESS_LOST,
  REAPER_LOCK,
} from '../1790000003000-create-ledger/shared';

const OWNER_COLUMNS = `${OWNER_COLUMNS_BEFORE}, agent`;

export const AGENT_COLUMNS = [
  'alter table holds add column agent text',
  'alter table usage_lines add column agent text',
  'alter type ledger_request add attribute agent text',
];

/** What usage can be asked for besides. */
export const USAGE_INDEXES = [
  'create index usage_lines_task_id_admitted_at_idx on usage_lines (task_id, admitted_at) where task_id is not null',
  'create index usage_lines_session_id_admitted_at_idx on usage_lines (session_id, admitted_at) where session_id is not null',
];

export const OWNER_FUNCTIONS = [
  `create or replace function ledger_resolve(p_requests json, p_now timestamptz) returns ledger_request[]
  language plpgsql as $$
  declare
    v_day timestamptz := ledger_period_start('day', p_now);
    v_month timestamptz := ledger_period_start('month', p_now);
    v_day_end timestamptz := ledger_period_end('day', v_day);
    v_month_end timestamptz := ledger_period_end('month', v_month);
    v_requests ledger_request[];
    v_missing boolean;
  begin
    loop
      select array_agg(row(
          r.request_id, r.user_id, r.key_id, r.project_id, r.run_id, r.task_id, r.session_id, r.stage_id, r.task_type,
          r.worst, r.minimum, r.estimate, r.tokens,
          r.attempt, r.provider, r.model, r.price_version, r.bound_prompt, r.bound_completion, r.bound_cost,
          case
            when u.id is null then '{"kind":"inactive","reason":"user_unknown"}'
            when u.disabled_at is not null then '{"kind":"inactive","reason":"user_disabled"}'
            when r.key_id is null then null
            when k.id is null then '{"kind":"inactive","reason":"key_unknown"}'
            when k.revoked_at is not null then '{"kind":"inactive","reason":"key_revoked"}'
            when k.expires_at <= p_now then '{"kind":"inactive","reason":"key_expired"}'
          end,
          coalesce(b.is_hard, false), case when b.is_hard then r.worst else r.estimate end,
          coalesce(b.period_ids, '{}'), coalesce(l.limit_ids, '{}'), r.agent
        )::ledger_request), bool_or(b.is_missing)
      into v_requests, v_missing
      from json_populate_recordset(null::ledger_request, p_requests) r
      left join users u on u.id = r.user_id
      left join api_keys k on k.id = r.key_id and k.user_id = r.user_id
      left join lateral (
        select array_agg(p.id) as period_ids, bool_or(b.mode = 'hard') as is_hard, bool_or(p.id is null) as is_missing
        from budgets b
        left join budget_periods p on p.budget_id = b.id
          and p.period_start = case b.period when 'day' then v_day when 'month' then v_month else 'epoch' end
        where b.scope_id in (${GLOBAL}, r.user_id, r.key_id, r.project_id, r.run_id)
          and b.created_at < case b.period when 'day' then v_day_end when 'month' then v_month_end else 'infinity' end
      ) b on true
      left join lateral (
        select array_agg(l.id) as limit_ids from limits l where l.scope_id in (${GLOBAL}, r.user_id, r.key_id)
      ) l on true;
      exit when v_missing is not true;
      perform ledger_open_periods(array(
        select distinct s from unnest(v_requests) r,
          unnest(array[${GLOBAL}, r.user_id, r.key_id, r.project_id, r.run_id]) s where s is not null), p_now);
    end loop;
    return v_requests;
  end $$`,

  `create or replace function ledger_hold(p_process uuid, p_requests ledger_request[], p_now timestamptz) returns void
  language plpgsql as $$
  begin
    insert into holds (request_id, process_id, admitted_at, user_id, key_id, project_id, run_id, task_id, session_id,
      stage_id, task_type, held_pico, is_hard, tokens_held, budget_period_ids, limit_ids, intent_attempt, intent_at,
      intent_provider, intent_model, intent_price_version, bound_prompt_tokens, bound_completion_tokens,
      bound_cost_pico_usd, agent)
    select r.request_id, p_process, p_now, r.user_id, r.key_id, r.project_id, r.run_id, r.task_id, r.session_id,
      r.stage_id, r.task_type, r.held, r.is_hard, r.tokens, r.period_ids, r.limit_ids, r.attempt, p_now,
      r.provider, r.model, r.price_version, r.bound_prompt, r.bound_completion, r.bound_cost, r.agent
    from unnest(p_requests) r where r.refusal is null;
  end $$`,

  // Closes holds and books their lines. p_late: the requests that need ledger_book, because they have no open hold (the
  // reaper may have booked an attempt that was never sent) or one of their lines stands already.
  `create or replace function ledger_close(p_request_ids uuid[], p_lines json, out p_moves ledger_move[], out p_late uuid[])
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

  // Books lines whatever state the request is in: a line that stands is left alone, unless it is the bound that the
  // reaper wrote; the truth replaces that. A bound for an attempt that is not among the lines becomes nothing: it was
  // never sent. Money and tokens move by the difference; the tokens of an open hold are left to the caller.
  `create or replace function ledger_book(p_owner json, p_lines json, p_now timestamptz) returns void language plpgsql ${HOT} as $$
  declare
    o ledger_request := json_populate_record(null::ledger_request, p_owner);
    v_scopes uuid[] := array_remove(array[${GLOBAL}, o.user_id, o.key_id, o.project_id, o.run_id], null);
    v_hold holds;
    v_at timestamptz;
    v_limit_ids uuid[];
    v_moves ledger_move[] := '{}';
    v_old usage_lines;
    l ledger_line;
  begin
    perform pg_advisory_xact_lock_shared(${LEDGER_LOCK});
    select * into v_hold from holds h where h.request_id = o.request_id for update;
    v_at := coalesce(v_hold.admitted_at,
      (select min(u.admitted_at) from usage_lines u where u.request_id = o.request_id),
      (select min(g.started_at) from json_populate_recordset(null::ledger_line, p_lines) g));
    if v_at is null then
      return;
    end if;
    v_limit_ids := coalesce(v_hold.limit_ids, array(
      select i.id from limits i where i.scope_id = any(v_scopes) and i.created_at <= v_at));
    perform ledger_open_periods(v_scopes, v_at);
    for l in select * from json_populate_recordset(null::ledger_line, p_lines) g order by g.attempt loop
      insert into usage_lines (${OWNER_COLUMNS}, ${LINE_COLUMNS})
      values (o.request_id, v_at, o.user_id, o.key_id, o.project_id, o.run_id, o.task_id, o.session_id, o.stage_id,
        o.task_type, o.agent, ${prefixed(LINE_COLUMNS, 'l')})
      on conflict do nothing;
      if found then
        v_moves := v_moves || row(o.request_id, 0, coalesce(l.cost_pico_usd, 0),
          coalesce(l.prompt_tokens, 0) + coalesce(l.completion_tokens, 0), 0, 0,
          case when l.attempt = v_hold.intent_attempt then v_hold.intent_at else l.started_at end,
          ledger_periods_at(v_scopes, v_at), v_limit_ids)::ledger_move;
        continue;
      end if;
      select * into v_old from usage_lines u
      where u.request_id = o.request_id and u.attempt = l.attempt for update;
      -- A bound that was taken back as never sent is replaced too: the lines of one request may come in any order.
      continue when v_old.error_code is distinct from ${PROCESS_LOST} or v_old.outcome not in ('crashed', 'cancelled');
      update usage_lines u set (${LINE_COLUMNS}) = row(${prefixed(LINE_COLUMNS, 'l')})
      where u.request_id = o.request_id and u.attempt = l.attempt;
      v_moves := v_moves || row(o.request_id, 0, coalesce(l.cost_pico_usd, 0) - coalesce(v_old.cost_pico_usd, 0),
        coalesce(l.prompt_tokens, 0) + coalesce(l.completion_tokens, 0)
          - coalesce(v_old.prompt_tokens, 0) - coalesce(v_old.completion_tokens, 0), 0, 0, v_old.started_at,
        ledger_periods_at(v_scopes, v_old.admitted_at), v_limit_ids)::ledger_move;
    end loop;

    for v_old in
      select * from usage_lines u
      where u.request_id = o.request_id and u.outcome = 'crashed' and u.error_code = ${PROCESS_LOST}
        and not exists (select from json_populate_recordset(null::ledger_line, p_lines) g where g.attempt = u.attempt)
      order by u.attempt for update
    loop
      update usage_lines u set outcome = 'cancelled', prompt_tokens = 0, completion_tokens = 0, cost_pico_usd = 0
      where u.request_id = v_old.request_id and u.attempt = v_old.attempt;
      v_moves := v_moves || row(o.request_id, 0, -coalesce(v_old.cost_pico_usd, 0),
        -coalesce(v_old.prompt_tokens, 0) - coalesce(v_old.completion_tokens, 0), 0, 0, v_old.started_at,
        ledger_periods_at(v_scopes, v_old.admitted_at), v_limit_ids)::ledger_move;
    end loop;
    if cardinality(v_moves) > 0 then
      perform ledger_lock(v_moves);
      perform ledger_apply(v_moves, coalesce(p_now, now()));
    end if;
  end $$`,

  // Settles holds at the bound of their intent: the given ones, else all whose process has no live lease. The process
  // that asks is alive; and while PostgreSQL has been up for less than a lease, the others may not have renewed theirs.
  `create or replace function ledger_reap(p_request_ids uuid[], p_process uuid, p_lease interval, p_now timestamptz)
  returns bigint language plpgsql as $$
  declare
    v_now timestamptz := coalesce(p_now, now());
    v_moves ledger_move[];
  begin
    if p_request_ids is null
      and (pg_postmaster_start_time() > now() - p_lease or not pg_try_advisory_xact_lock(${REAPER_LOCK})) then
      return 0;
    end if;
    perform pg_advisory_xact_lock_shared(${LEDGER_LOCK});
    with dead as (
      select h.request_id from holds h
      where case when p_request_ids is null
        then h.process_id is distinct from p_process
          and not exists (select from processes p where p.id = h.process_id and p.lease_expires_at > v_now)
        else h.request_id = any(p_request_ids) end
      order by h.request_id for update skip locked
    ), gone as (
      delete from holds h using dead d where h.request_id = d.request_id returning h.*
    ), booked as (
      insert into usage_lines (${OWNER_COLUMNS}, attempt, provider, model, outcome, usage_source, prompt_tokens,
        completion_tokens, cost_pico_usd, price_version, error_code, started_at)
      select ${prefixed(OWNER_COLUMNS, 'h')}, h.intent_attempt, h.intent_provider, h.intent_model, 'crashed',
        'upper_bound', h.bound_prompt_tokens, h.bound_completion_tokens,
        case when h.is_hard and h.bound_cost_pico_usd > h.held_pico then h.held_pico else h.bound_cost_pico_usd end,
        h.intent_price_version, case when p_request_ids is null then ${PROCESS_LOST} else 'NOT_BOOKABLE' end, h.intent_at
      from gone h
      -- The same attempt may have been taken back as never sent, and then have been sent after all.
      on conflict (request_id, attempt) do update set outcome = excluded.outcome, provider = excluded.provider,
        model = excluded.model, prompt_tokens = excluded.prompt_tokens, completion_tokens = excluded.completion_tokens,
        cost_pico_usd = excluded.cost_pico_usd, price_version = excluded.price_version,
        error_code = excluded.error_code, started_at = excluded.started_at
      where usage_lines.outcome = 'cancelled' and usage_lines.error_code = ${PROCESS_LOST}
      returning request_id, cost_pico_usd, prompt_tokens + completion_tokens as tokens
    )
    select array_agg(row(g.request_id, -g.held_pico, coalesce(b.cost_pico_usd, 0),
      coalesce(b.tokens, 0) - g.tokens_held, -1, 0, g.intent_at, g.budget_period_ids, g.limit_ids)::ledger_move)
    into v_moves from gone g left join booked b on b.request_id = g.request_id;
    if v_moves is not null then
      perform ledger_lock(v_moves);
      perform ledger_apply(v_moves, v_now);
    end if;
    delete from processes p where p.lease_expires_at <= v_now
      and not exists (select from holds h where h.process_id = p.id);
    return coalesce(cardinality(v_moves), 0);
  end $$`,
];
