/**
 * Budgets and limits as people set them: who set them last, a word to every process when limits come or go, and their
 * end with the user or the key that they are set on.
 */
import { LEDGER_LOCK } from '../1790000003000-create-ledger/shared';

/** These had no manager before. */
export const REPLACED_BOUND_FUNCTIONS = ['ledger_create_budget', 'ledger_create_limit'];

export const BOUNDS = [
  ...['budgets', 'limits'].flatMap((table) => [
    `alter table ${table} add column managed_by text not null default 'admin'
      constraint ${table}_managed_by_check check (managed_by in ('admin', 'owner'))`,
    `comment on column ${table}.managed_by is 'Who last set it: the owner of a key may not change what an administrator set on it'`,
  ]),

  `drop function ${REPLACED_BOUND_FUNCTIONS.join(', ')}`,

  `create function ledger_create_budget(p_id uuid, p_scope text, p_scope_id uuid, p_period text, p_limit numeric,
    p_mode text, p_managed_by text, p_now timestamptz) returns void language plpgsql as $$
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
    insert into budgets (id, scope, scope_id, period, limit_pico, mode, managed_by, created_at)
    values (p_id, p_scope, p_scope_id, p_period, p_limit, p_mode, p_managed_by, v_now);
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

  // An explicit limit goes on from the windows of the default whose place it takes.
  `create function ledger_create_limit(p_id uuid, p_scope text, p_scope_id uuid, p_values bigint[], p_managed_by text)
  returns void language plpgsql as $$
  declare
    v_scope text := case p_scope when 'global' then 'true' else format('%I = %L', p_scope || '_id', p_scope_id) end;
    v_default limit_counters;
  begin
    perform pg_advisory_xact_lock(${LEDGER_LOCK});
    delete from limits l using limit_counters c
    where l.scope = p_scope and l.scope_id = p_scope_id and l.is_default and c.limit_id = l.id
    returning c.* into v_default;
    insert into limits (id, scope, scope_id, requests_per_minute, requests_per_hour, tokens_per_minute,
      tokens_per_hour, concurrency, managed_by)
    values (p_id, p_scope, p_scope_id, p_values[1], p_values[2], p_values[3], p_values[4], p_values[5], p_managed_by);
    execute format('with joined as (
        update holds set limit_ids = array_remove(limit_ids, $2) || $1 where %s returning 1)
      insert into limit_counters (limit_id, running) select $1, count(*) from joined', v_scope)
    using p_id, v_default.limit_id;
    if v_default.limit_id is not null then
      update limit_counters set minute_start = v_default.minute_start, minute_requests = v_default.minute_requests,
        minute_tokens = v_default.minute_tokens, hour_start = v_default.hour_start,
        hour_requests = v_default.hour_requests, hour_tokens = v_default.hour_tokens
      where limit_id = p_id;
    end if;
  end $$`,

  `create function limits_notify() returns trigger language plpgsql as $$
  begin
    perform pg_notify('lattice_limits', '');
    return null;
  end $$`,
  `create trigger limits_notify after insert or delete on limits
    for each statement execute function limits_notify()`,

  // The books stand still meanwhile: admissions lock the counters in an order that this one does not keep.
  `create function ledger_drop_bounds() returns trigger language plpgsql as $$
  begin
    if exists (select from budgets b where b.scope_id = old.id)
      or exists (select from limits l where l.scope_id = old.id) then
      perform pg_advisory_xact_lock(${LEDGER_LOCK});
      delete from budgets b where b.scope = tg_argv[0] and b.scope_id = old.id;
      delete from limits l where l.scope = tg_argv[0] and l.scope_id = old.id;
    end if;
    return null;
  end $$`,
  `create trigger users_drop_bounds after delete on users
    for each row execute function ledger_drop_bounds('user')`,
  `create trigger api_keys_drop_bounds after delete on api_keys
    for each row execute function ledger_drop_bounds('key')`,
];
