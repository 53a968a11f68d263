import { LINE_COLUMNS, OWNER_COLUMNS, prefixed, HOT, LEDGER_LOCK, PROCESS_LOST, GLOBAL } from './shared';

export const BOOK_FUNCTIONS = [
  `create function ledger_periods_at(p_scopes uuid[], p_at timestamptz) returns bigint[] language sql stable as $$
    select coalesce(array_agg(p.id), '{}') from budgets b
    join budget_periods p on p.budget_id = b.id and p.period_start = ledger_period_start(b.period, p_at)
    where b.scope_id = any(p_scopes)
  $$`,

  // Books lines whatever state the request is in: a line that stands is left alone, unless it is the bound that the
  // reaper wrote; the truth replaces that. A bound for an attempt that is not among the lines becomes nothing: it was
  // never sent. Money and tokens move by the difference; the tokens of an open hold are left to the caller.
  `create function ledger_book(p_owner json, p_lines json, p_now timestamptz) returns void language plpgsql ${HOT} as $$
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
        o.task_type, ${prefixed(LINE_COLUMNS, 'l')})
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
];
