/**
 * Thresholds of budgets (50, 80, 100 %), written in the transaction in which the money passes them. A period knows the
 * highest one that is passed and the amount at which the next one is. Each is written once per period and limit:
 * raising a limit arms those again that are not passed any more, lowering it passes others at once, and going back
 * and forth, or a spent amount that is corrected downwards, repeats none. Who moves limits up and down, or makes budgets
 * anew, passes them each time all the same: 30 a day and scope are written.
 */
const MOST_PER_DAY = 30;

export const THRESHOLD_TABLES = [
  `create table budget_thresholds (
    id bigint generated always as identity constraint budget_thresholds_pkey primary key,
    budget_id uuid not null,
    scope text not null,
    scope_id uuid not null,
    period text not null,
    period_start timestamptz not null,
    percent int not null,
    spent_pico numeric(38,0) not null,
    limit_pico numeric(38,0) not null,
    passed_at timestamptz not null,
    published_at timestamptz,
    constraint budget_thresholds_budget_id_period_start_percent_limit_pico_key
      unique (budget_id, period_start, percent, limit_pico)
  )`,
  `comment on table budget_thresholds is 'What is published as events; kept when its budget is removed'`,
  'create index budget_thresholds_unpublished_idx on budget_thresholds (id) where published_at is null',
  'create index budget_thresholds_scope_id_passed_at_idx on budget_thresholds (scope_id, passed_at)',
  `alter table budget_periods
    add column threshold_passed int not null default 0,
    add column next_threshold_pico numeric(38,0)`,
  `comment on column budget_periods.next_threshold_pico is 'The spent amount at which the next threshold is passed; null: all are'`,
];

export const THRESHOLD_FUNCTIONS = [
  // The smallest amount that is this part of a limit; with a limit of nothing, the first spent pico-USD passes all.
  `create function ledger_threshold(p_limit numeric, p_percent int) returns numeric language sql immutable as $$
    select greatest(1, div(p_limit * p_percent + 99, 100))
  $$`,

  `create function ledger_next_threshold(p_limit numeric, p_passed int) returns numeric language sql immutable as $$
    select ledger_threshold(p_limit, min(t.percent)) from (values (50), (80), (100)) t (percent)
    where t.percent > p_passed
    having min(t.percent) is not null
  $$`,

  `create function ledger_passed_threshold(p_limit numeric, p_spent numeric) returns int language sql immutable as $$
    select coalesce(max(t.percent), 0) from (values (50), (80), (100)) t (percent)
    where p_spent >= ledger_threshold(p_limit, t.percent)
  $$`,

  // Writes what these periods have passed and was not written yet. The caller holds their locks.
  `create function ledger_pass_thresholds(p_period_ids bigint[], p_now timestamptz) returns void language plpgsql as $$
  begin
    with passed as (
      select b.id, p.id as period_id, b.scope, b.scope_id, b.period, p.period_start, t.percent, p.spent_pico,
        b.limit_pico, row_number() over (partition by b.scope, b.scope_id order by p.id, t.percent) as place
      from budget_periods p join budgets b on b.id = p.budget_id cross join (values (50), (80), (100)) t (percent)
      where p.id = any(p_period_ids) and t.percent > p.threshold_passed
        and p.spent_pico >= ledger_threshold(b.limit_pico, t.percent)
        and not exists (select from budget_thresholds w where w.budget_id = b.id
          and w.period_start = p.period_start and w.percent = t.percent and w.limit_pico = b.limit_pico)
    )
    insert into budget_thresholds (budget_id, scope, scope_id, period, period_start, percent, spent_pico, limit_pico,
      passed_at)
    select n.id, n.scope, n.scope_id, n.period, n.period_start, n.percent, n.spent_pico, n.limit_pico, p_now
    from passed n
    where n.place + (select count(*) from budget_thresholds w where w.scope_id = n.scope_id and w.scope = n.scope
      and w.passed_at > p_now - interval '1 day') <= ${MOST_PER_DAY}
    order by n.period_id, n.percent
    on conflict do nothing;
    if found then
      perform pg_notify('lattice_thresholds', '');
    end if;
    update budget_periods p set threshold_passed = s.passed,
      next_threshold_pico = ledger_next_threshold(s.limit_pico, s.passed)
    from (
      select q.id, b.limit_pico,
        greatest(q.threshold_passed, ledger_passed_threshold(b.limit_pico, q.spent_pico)) as passed
      from budget_periods q join budgets b on b.id = q.budget_id where q.id = any(p_period_ids)
    ) s
    where p.id = s.id;
  end $$`,

  // The one writer of counters. The caller holds the locks. A threshold that is passed here is written here, too; where
  // none is, that costs one comparison.
  `create or replace function ledger_apply(p_moves ledger_move[], p_now timestamptz) returns void language plpgsql as $$
  declare
    v_minute timestamptz := date_trunc('minute', p_now, 'UTC');
    v_hour timestamptz := date_trunc('hour', p_now, 'UTC');
    v_has_limits boolean := false;
    v_move ledger_move;
    v_passing bigint[];
  begin
    with moved as (
      update budget_periods p set held_pico = p.held_pico + q.held, spent_pico = p.spent_pico + q.spent
      from (select id, sum(m.held) as held, sum(m.spent) as spent
            from unnest(p_moves) m, unnest(m.period_ids) id group by id) q
      where p.id = q.id
      returning p.id, p.spent_pico >= p.next_threshold_pico as is_passing
    )
    select array_agg(m.id) filter (where m.is_passing) into v_passing from moved m;
    if v_passing is not null then
      perform ledger_pass_thresholds(v_passing, p_now);
    end if;

    foreach v_move in array p_moves loop
      v_has_limits := v_move.limit_ids <> '{}';
      exit when v_has_limits;
    end loop;
    if not v_has_limits then
      return;
    end if;
    -- Another process may have opened a window already that this transaction's clock has not reached: then only what
    -- is asked now counts in it, and corrections of earlier requests belong to a window that has passed.
    update limit_counters c set
      running = c.running + q.slots,
      minute_start = greatest(c.minute_start, v_minute),
      minute_requests = case when c.minute_start >= v_minute then c.minute_requests else 0 end + q.requests,
      minute_tokens = greatest(0, case when c.minute_start >= v_minute then c.minute_tokens else 0 end
        + case when c.minute_start > v_minute then q.asked_tokens else q.minute_tokens end),
      hour_start = greatest(c.hour_start, v_hour),
      hour_requests = case when c.hour_start >= v_hour then c.hour_requests else 0 end + q.requests,
      hour_tokens = greatest(0, case when c.hour_start >= v_hour then c.hour_tokens else 0 end
        + case when c.hour_start > v_hour then q.asked_tokens else q.hour_tokens end)
    from (
      select id, sum(m.slots) as slots, sum(m.requests) as requests,
        coalesce(sum(m.tokens) filter (where m.counted_at = 'infinity'), 0) as asked_tokens,
        coalesce(sum(m.tokens) filter (where m.counted_at >= v_minute), 0) as minute_tokens,
        coalesce(sum(m.tokens) filter (where m.counted_at >= v_hour), 0) as hour_tokens
      from unnest(p_moves) m cross join lateral unnest(m.limit_ids) id
      group by id
    ) q
    where c.limit_id = q.id;
  end $$`,

  // A period begins with the limit that its budget has by then, also when that is being changed at this moment.
  `create function ledger_arm_thresholds() returns trigger language plpgsql as $$
  begin
    select ledger_next_threshold(b.limit_pico, 0) into new.next_threshold_pico
    from budgets b where b.id = new.budget_id for share;
    return new;
  end $$`,
  `create trigger budget_periods_arm_thresholds before insert on budget_periods
    for each row execute function ledger_arm_thresholds()`,

  `create function ledger_pass_first_thresholds() returns trigger language plpgsql as $$
  begin
    perform ledger_pass_thresholds(array[new.id], now());
    return null;
  end $$`,
  `comment on function ledger_pass_first_thresholds is 'A budget that is made later counts what was spent before'`,
  `create trigger budget_periods_pass_first_thresholds after insert on budget_periods
    for each row when (new.spent_pico > 0) execute function ledger_pass_first_thresholds()`,

  `create function ledger_rearm_thresholds() returns trigger language plpgsql as $$
  declare
    v_ids bigint[];
  begin
    -- Periods that have ended keep the thresholds they had.
    with armed as (
      update budget_periods p set
        threshold_passed = least(p.threshold_passed, ledger_passed_threshold(new.limit_pico, p.spent_pico)),
        next_threshold_pico = ledger_next_threshold(new.limit_pico,
          least(p.threshold_passed, ledger_passed_threshold(new.limit_pico, p.spent_pico)))
      where p.budget_id = new.id and ledger_period_end(new.period, p.period_start) > now()
      returning p.id, p.spent_pico >= p.next_threshold_pico as is_passing
    )
    select array_agg(a.id) filter (where a.is_passing) into v_ids from armed a;
    if v_ids is not null then
      perform ledger_pass_thresholds(v_ids, now());
    end if;
    return null;
  end $$`,
  `create trigger budgets_rearm_thresholds after update of limit_pico on budgets
    for each row when (old.limit_pico is distinct from new.limit_pico) execute function ledger_rearm_thresholds()`,

  // What was passed before there were thresholds is not told now.
  `update budget_periods p set
    threshold_passed = ledger_passed_threshold(b.limit_pico, p.spent_pico),
    next_threshold_pico = ledger_next_threshold(b.limit_pico, ledger_passed_threshold(b.limit_pico, p.spent_pico))
  from budgets b where b.id = p.budget_id`,
];
