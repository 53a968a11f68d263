export const PERIOD_FUNCTIONS = [
  `create function ledger_period_start(p_period text, p_at timestamptz) returns timestamptz language sql stable as $$
    select case p_period
      when 'day' then date_trunc('day', p_at, 'UTC')
      when 'month' then date_trunc('month', p_at, 'UTC')
      else 'epoch'::timestamptz
    end
  $$`,
  `create function ledger_period_end(p_period text, p_start timestamptz) returns timestamptz language sql stable as $$
    select case p_period
      when 'day' then (p_start at time zone 'UTC' + interval '1 day') at time zone 'UTC'
      when 'month' then (p_start at time zone 'UTC' + interval '1 month') at time zone 'UTC'
      else 'infinity'::timestamptz
    end
  $$`,
  // Rollover needs no job: the first request of a day or month opens its period. Periods that ended before the budget
  // was made are never opened: nobody has counted in them.
  `create function ledger_open_periods(p_scopes uuid[], p_at timestamptz) returns void language sql as $$
    insert into budget_periods (budget_id, period_start)
    select b.id, ledger_period_start(b.period, p_at)
    from budgets b
    where b.scope_id = any(p_scopes)
      and b.created_at < ledger_period_end(b.period, ledger_period_start(b.period, p_at))
      and not exists (
        select from budget_periods p
        where p.budget_id = b.id and p.period_start = ledger_period_start(b.period, p_at))
    order by b.id
    on conflict do nothing
  $$`,
];
