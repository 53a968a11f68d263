export const TYPES = [
  `create type ledger_request as (
    request_id uuid, user_id uuid, key_id uuid, project_id uuid, run_id uuid, task_id uuid, session_id uuid,
    stage_id uuid, task_type text,
    worst bigint, minimum bigint, estimate bigint, tokens bigint,
    attempt int, provider text, model text, price_version int,
    bound_prompt bigint, bound_completion bigint, bound_cost bigint,
    refusal text, is_hard boolean, held bigint, period_ids bigint[], limit_ids uuid[]
  )`,
  `comment on type ledger_request is 'One request on its way through ledger_admit: what was asked, then what was found and decided'`,
  `create type ledger_line as (
    request_id uuid, attempt int, provider text, model text, model_served text, upstream_request_id text,
    outcome text, usage_source text, prompt_tokens bigint, cached_read_tokens bigint, cache_write_tokens bigint,
    cache_write_one_hour_tokens bigint, completion_tokens bigint, reasoning_tokens bigint, raw_usage json,
    cost_pico_usd bigint, price_version int, error_code text, disputes text[],
    started_at timestamptz, latency_ms int, first_token_ms int
  )`,
  `comment on type ledger_line is 'One finished attempt as the application sends it'`,
  `create type ledger_move as (
    request_id uuid, held bigint, spent bigint, tokens bigint, slots int, requests int, counted_at timestamptz,
    period_ids bigint[], limit_ids uuid[]
  )`,
  `comment on type ledger_move is 'What one request changes in the counters it stands in; tokens belong to the windows that counted_at lies in, infinity means the current ones'`,
];
