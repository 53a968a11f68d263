import { OWNER_COLUMNS, prefixed, LEDGER_LOCK, REAPER_LOCK, PROCESS_LOST } from './shared';

export const REAPER_FUNCTIONS = [
  // Settles holds at the bound of their intent: the given ones, else all whose process has no live lease. The process
  // that asks is alive; and while PostgreSQL has been up for less than a lease, the others may not have renewed theirs.
  `create function ledger_reap(p_request_ids uuid[], p_process uuid, p_lease interval, p_now timestamptz)
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
