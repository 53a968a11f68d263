import { HOT, LEDGER_LOCK } from './shared';

export const ADVANCE_FUNCTIONS = [
  `create function ledger_advance_one(p_command json, p_now timestamptz) returns json language plpgsql as $$
  declare
    r ledger_request := json_populate_record(null::ledger_request, p_command);
    h holds;
    v_remaining numeric;
    v_refusal text;
  begin
    perform ledger_book(p_command, p_command -> 'lines', p_now);
    select * into strict h from holds where request_id = r.request_id;
    v_remaining := ledger_remaining(h.budget_period_ids, h.held_pico);
    if r.worst > 0 and v_remaining < r.minimum then
      v_refusal := ledger_budget_refusal(h.budget_period_ids, h.held_pico, r.minimum);
      delete from holds where request_id = r.request_id;
      perform ledger_apply(array[row(h.request_id, -h.held_pico, 0, -h.tokens_held, -1, 0, h.intent_at,
        h.budget_period_ids, h.limit_ids)::ledger_move], p_now);
      return json_build_object('requestId', r.request_id, 'refusal', v_refusal::json);
    end if;

    r.is_hard := v_remaining is not null;
    r.held := case when r.is_hard then greatest(r.minimum, least(r.worst, v_remaining)) else r.estimate end;
    perform ledger_apply(array[
      row(h.request_id, r.held - h.held_pico, 0, -h.tokens_held, 0, 0, h.intent_at,
        h.budget_period_ids, h.limit_ids)::ledger_move,
      row(h.request_id, 0, 0, r.tokens, 0, 0, 'infinity', '{}', h.limit_ids)::ledger_move], p_now);
    update holds set held_pico = r.held, is_hard = r.is_hard, tokens_held = r.tokens, intent_attempt = r.attempt,
      intent_at = p_now, intent_provider = r.provider, intent_model = r.model, intent_price_version = r.price_version,
      bound_prompt_tokens = r.bound_prompt, bound_completion_tokens = r.bound_completion,
      bound_cost_pico_usd = r.bound_cost
    where request_id = r.request_id;
    return json_build_object('requestId', r.request_id, 'held', r.held::text, 'isHard', r.is_hard, 'exceeded',
      ledger_exceeded(h.budget_period_ids, array(
        select p.id from budget_periods p join budgets b on b.id = p.budget_id
        where p.id = any(h.budget_period_ids) and b.mode = 'soft' and p.spent_pico + p.held_pico > b.limit_pico)));
  end $$`,

  // Books the finished attempts of requests that go on, and re-sizes their holds for the next attempt.
  `create function ledger_advance(p_process uuid, p_commands json, p_now timestamptz) returns json
  language plpgsql ${HOT} as $$
  declare
    v_now timestamptz := coalesce(p_now, now());
    v_ids uuid[] := array(select (c ->> 'request_id')::uuid from json_array_elements(p_commands) c);
    v_lost json;
    v_reopened ledger_request[] := '{}';
  begin
    perform pg_advisory_xact_lock_shared(${LEDGER_LOCK});
    perform 1 from holds where request_id = any(v_ids) order by request_id for update;

    -- A hold that the reaper took while its process seemed dead is opened again, empty; it is sized below.
    select json_agg(c) into v_lost from json_array_elements(p_commands) c
    where not exists (select from holds h where h.request_id = (c ->> 'request_id')::uuid);
    if v_lost is not null then
      v_reopened := ledger_resolve(v_lost, v_now);
      for i in 1 .. cardinality(v_reopened) loop
        v_reopened[i].refusal := null;
        v_reopened[i].held := 0;
        v_reopened[i].tokens := 0;
      end loop;
    end if;

    perform ledger_lock(array(select ledger_ask(r) from unnest(v_reopened) r) || array(
      select row(h.request_id, 0, 0, 0, 0, 0, v_now, h.budget_period_ids, h.limit_ids)::ledger_move
      from holds h where h.request_id = any(v_ids)));
    if v_lost is not null then
      perform ledger_hold(p_process, v_reopened, v_now);
      perform ledger_apply(array(select ledger_ask(r) from unnest(v_reopened) r), v_now);
    end if;
    return (select json_agg(ledger_advance_one(c, v_now)) from json_array_elements(p_commands) c);
  end $$`,
];
