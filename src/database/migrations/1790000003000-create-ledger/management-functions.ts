import { LEDGER_LOCK } from './shared';

export const MANAGEMENT_FUNCTIONS = [
  `create function ledger_create_budget(p_id uuid, p_scope text, p_scope_id uuid, p_period text, p_limit numeric,
    p_mode text, p_now timestamptz) returns void language plpgsql as $$
  declare
    v_now timestamptz;
    v_start timestamptz;
    v_end timestamptz;
    v_scope text := case p_scope when 'global' then 'true' else format('%I = %L', p_scope || '_id', p_scope_id) end;
    v_spent numeric;
    v_period_id bigint;
  begin
    perform pg_advisory_xact_lock(${LEDGER_LOCK});
    -- The wait for the lock may have passed midnight, and what was admitted meanwhile must be counted.
    v_now := coalesce(p_now, clock_timestamp());
    v_start := ledger_period_start(p_period, v_now);
    v_end := ledger_period_end(p_period, v_start);
    insert into budgets (id, scope, scope_id, period, limit_pico, mode, created_at)
    values (p_id, p_scope, p_scope_id, p_period, p_limit, p_mode, v_now);
    execute format('select coalesce(sum(cost_pico_usd), 0) from usage_lines
      where %s and admitted_at >= $1 and admitted_at < $2', v_scope) into v_spent using v_start, v_end;
    insert into budget_periods (budget_id, period_start, spent_pico)
    values (p_id, v_start, v_spent) returning id into v_period_id;
    execute format('with joined as (
        update holds set budget_period_ids = budget_period_ids || $1
        where %s and admitted_at >= $2 and admitted_at < $3 returning held_pico)
      update budget_periods set held_pico = coalesce((select sum(held_pico) from joined), 0) where id = $1', v_scope)
    using v_period_id, v_start, v_end;
  end $$`,

  `create function ledger_create_limit(p_id uuid, p_scope text, p_scope_id uuid, p_values bigint[]) returns void
  language plpgsql as $$
  declare
    v_scope text := case p_scope when 'global' then 'true' else format('%I = %L', p_scope || '_id', p_scope_id) end;
  begin
    perform pg_advisory_xact_lock(${LEDGER_LOCK});
    insert into limits (id, scope, scope_id, requests_per_minute, requests_per_hour, tokens_per_minute,
      tokens_per_hour, concurrency)
    values (p_id, p_scope, p_scope_id, p_values[1], p_values[2], p_values[3], p_values[4], p_values[5]);
    execute format('with joined as (
        update holds set limit_ids = limit_ids || $1 where %s returning 1)
      insert into limit_counters (limit_id, running) select $1, count(*) from joined', v_scope) using p_id;
  end $$`,

  // Every counter that differs from what the lines and the open holds say.
  `create view ledger_differences as
  with spent as (
    select p.id, sum(l.cost_pico_usd) as amount
    from budget_periods p
    join budgets b on b.id = p.budget_id
    cross join lateral (
      select u.cost_pico_usd from usage_lines u where b.scope = 'global'
        and u.admitted_at >= p.period_start and u.admitted_at < ledger_period_end(b.period, p.period_start)
      union all
      select u.cost_pico_usd from usage_lines u where b.scope = 'user' and u.user_id = b.scope_id
        and u.admitted_at >= p.period_start and u.admitted_at < ledger_period_end(b.period, p.period_start)
      union all
      select u.cost_pico_usd from usage_lines u where b.scope = 'key' and u.key_id = b.scope_id
        and u.admitted_at >= p.period_start and u.admitted_at < ledger_period_end(b.period, p.period_start)
      union all
      select u.cost_pico_usd from usage_lines u where b.scope = 'project' and u.project_id = b.scope_id
        and u.admitted_at >= p.period_start and u.admitted_at < ledger_period_end(b.period, p.period_start)
      union all
      select u.cost_pico_usd from usage_lines u where b.scope = 'run' and u.run_id = b.scope_id
        and u.admitted_at >= p.period_start and u.admitted_at < ledger_period_end(b.period, p.period_start)
    ) l
    group by p.id
  ), held as (
    select id, sum(h.held_pico) as amount from holds h cross join lateral unnest(h.budget_period_ids) id group by id
  ), running as (
    select id, count(*) as amount from holds h cross join lateral unnest(h.limit_ids) id group by id
  )
  select 'spent' as counter, b.id, b.scope, b.scope_id, b.period, p.period_start,
    p.spent_pico as counted, coalesce(s.amount, 0) as actual
  from budget_periods p join budgets b on b.id = p.budget_id left join spent s on s.id = p.id
  where p.spent_pico <> coalesce(s.amount, 0)
  union all
  select 'held', b.id, b.scope, b.scope_id, b.period, p.period_start, p.held_pico, coalesce(h.amount, 0)
  from budget_periods p join budgets b on b.id = p.budget_id left join held h on h.id = p.id
  where p.held_pico <> coalesce(h.amount, 0)
  union all
  select 'running', l.id, l.scope, l.scope_id, null, null, c.running, coalesce(r.amount, 0)
  from limit_counters c join limits l on l.id = c.limit_id left join running r on r.id = c.limit_id
  where c.running <> coalesce(r.amount, 0)`,
];
