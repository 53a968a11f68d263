import { GLOBAL } from './shared';

export const ADMIT_FUNCTIONS = [
  `create function ledger_resolve(p_requests json, p_now timestamptz) returns ledger_request[]
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
          coalesce(b.period_ids, '{}'), coalesce(l.limit_ids, '{}')
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

  `create function ledger_ask(r ledger_request) returns ledger_move language sql immutable as $$
    select row(r.request_id, r.held, 0, r.tokens, 1, 1, 'infinity', r.period_ids, r.limit_ids)::ledger_move
  $$`,

  `create function ledger_hold(p_process uuid, p_requests ledger_request[], p_now timestamptz) returns void
  language plpgsql as $$
  begin
    insert into holds (request_id, process_id, admitted_at, user_id, key_id, project_id, run_id, task_id, session_id,
      stage_id, task_type, held_pico, is_hard, tokens_held, budget_period_ids, limit_ids, intent_attempt, intent_at,
      intent_provider, intent_model, intent_price_version, bound_prompt_tokens, bound_completion_tokens,
      bound_cost_pico_usd)
    select r.request_id, p_process, p_now, r.user_id, r.key_id, r.project_id, r.run_id, r.task_id, r.session_id,
      r.stage_id, r.task_type, r.held, r.is_hard, r.tokens, r.period_ids, r.limit_ids, r.attempt, p_now,
      r.provider, r.model, r.price_version, r.bound_prompt, r.bound_completion, r.bound_cost
    from unnest(p_requests) r where r.refusal is null;
  end $$`,

  // Why a request does not fit, by the limit with the longest wait. A window that has passed counts as empty.
  `create function ledger_limit_refusal(p_request ledger_request, p_now timestamptz) returns text
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
      ('concurrency', c.concurrency, c.running + 1, null)
    ) v (kind, value, wanted, resets_at)
    where v.wanted > v.value
    order by v.resets_at desc nulls last
    limit 1
  $$`,

  // What the tightest hard budget has left for one request that already holds p_own; null without a hard budget.
  `create function ledger_remaining(p_period_ids bigint[], p_own bigint) returns numeric language sql stable as $$
    select min(b.limit_pico - p.spent_pico - p.held_pico) + p_own
    from budget_periods p join budgets b on b.id = p.budget_id
    where p.id = any(p_period_ids) and b.mode = 'hard'
  $$`,

  `create function ledger_budget_refusal(p_period_ids bigint[], p_own bigint, p_minimum bigint) returns text
  language sql stable as $$
    select json_build_object('kind', 'budget', 'budgetId', b.id, 'scope', b.scope, 'period', b.period,
      'limitPicoUsd', b.limit_pico::text, 'spentPicoUsd', p.spent_pico::text,
      'heldPicoUsd', (p.held_pico - p_own)::text,
      'resetsAt', nullif(ledger_period_end(b.period, p.period_start), 'infinity'))::text
    from budget_periods p join budgets b on b.id = p.budget_id
    where p.id = any(p_period_ids) and b.mode = 'hard'
      and b.limit_pico - p.spent_pico - p.held_pico + p_own < p_minimum
    order by ledger_period_end(b.period, p.period_start) desc, b.id
    limit 1
  $$`,

  `create function ledger_exceeded(p_period_ids bigint[], p_exceeded bigint[]) returns json language sql stable as $$
    select json_agg(json_build_object('scope', b.scope, 'period', b.period) order by b.scope, b.period)
    from budget_periods p join budgets b on b.id = p.budget_id
    where p.id = any(p_period_ids) and p.id = any(p_exceeded)
  $$`,

  // Judges one request by itself against counters that are locked already.
  `create function ledger_judge(p_request ledger_request, p_now timestamptz) returns ledger_request
  language plpgsql as $$
  declare
    v_remaining numeric;
  begin
    p_request.refusal := ledger_limit_refusal(p_request, p_now);
    -- What costs nothing fits into every budget, also into one that is overspent.
    if p_request.refusal is not null or not p_request.is_hard or p_request.worst = 0 then
      return p_request;
    end if;
    v_remaining := ledger_remaining(p_request.period_ids, 0);
    if v_remaining < p_request.minimum then
      p_request.refusal := ledger_budget_refusal(p_request.period_ids, 0, p_request.minimum);
    else
      p_request.held := greatest(p_request.minimum, least(p_request.worst, v_remaining));
    end if;
    return p_request;
  end $$`,
];
