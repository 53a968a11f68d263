export const COUNTER_FUNCTIONS = [
  // The one writer of counters. The caller holds the locks.
  `create function ledger_apply(p_moves ledger_move[], p_now timestamptz) returns void language plpgsql as $$
  declare
    v_minute timestamptz := date_trunc('minute', p_now, 'UTC');
    v_hour timestamptz := date_trunc('hour', p_now, 'UTC');
    v_has_limits boolean := false;
    v_move ledger_move;
  begin
    update budget_periods p set held_pico = p.held_pico + q.held, spent_pico = p.spent_pico + q.spent
    from (select id, sum(m.held) as held, sum(m.spent) as spent
          from unnest(p_moves) m, unnest(m.period_ids) id group by id) q
    where p.id = q.id;

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

  `create function ledger_lock(p_moves ledger_move[]) returns void language plpgsql as $$
  begin
    perform 1 from budget_periods p
    where p.id = any(array(select unnest(m.period_ids) from unnest(p_moves) m)) order by p.id for update;
    perform 1 from limit_counters c
    where c.limit_id = any(array(select unnest(m.limit_ids) from unnest(p_moves) m)) order by c.limit_id for update;
  end $$`,
];
