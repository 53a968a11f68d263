export const TABLES = [
  `create table processes (
    id uuid not null constraint processes_pkey primary key,
    started_at timestamptz not null default now(),
    lease_expires_at timestamptz not null
  )`,

  `create table budgets (
    id uuid not null constraint budgets_pkey primary key,
    scope text not null,
    scope_id uuid not null,
    period text not null,
    limit_pico numeric(38,0) not null,
    mode text not null,
    created_at timestamptz not null default now(),
    constraint budgets_scope_id_period_key unique (scope_id, scope, period),
    constraint budgets_scope_check check (scope in ('global', 'user', 'project', 'key', 'run')),
    constraint budgets_global_check check ((scope = 'global') = (scope_id = '00000000-0000-0000-0000-000000000000')),
    constraint budgets_period_check check (period in ('day', 'month', 'total')),
    constraint budgets_mode_check check (mode in ('hard', 'soft')),
    constraint budgets_limit_pico_check check (limit_pico >= 0)
  )`,
  `comment on column budgets.scope_id is 'The nil UUID for the global scope'`,

  `create table budget_periods (
    id bigint generated always as identity constraint budget_periods_pkey primary key,
    budget_id uuid not null constraint budget_periods_budget_id_fkey references budgets (id) on delete cascade,
    period_start timestamptz not null,
    spent_pico numeric(38,0) not null default 0,
    held_pico numeric(38,0) not null default 0,
    constraint budget_periods_budget_id_period_start_key unique (budget_id, period_start),
    constraint budget_periods_spent_pico_check check (spent_pico >= 0),
    constraint budget_periods_held_pico_check check (held_pico >= 0)
  ) with (fillfactor = 50)`,
  `comment on table budget_periods is 'Counters: spent = sum of the usage lines admitted in the period, held = sum of the open holds in it'`,

  `create table limits (
    id uuid not null constraint limits_pkey primary key,
    scope text not null,
    scope_id uuid not null,
    requests_per_minute bigint,
    requests_per_hour bigint,
    tokens_per_minute bigint,
    tokens_per_hour bigint,
    concurrency bigint,
    created_at timestamptz not null default now(),
    constraint limits_scope_id_key unique (scope_id, scope),
    constraint limits_scope_check check (scope in ('global', 'user', 'key')),
    constraint limits_global_check check ((scope = 'global') = (scope_id = '00000000-0000-0000-0000-000000000000')),
    constraint limits_values_check check (
      least(requests_per_minute, requests_per_hour, tokens_per_minute, tokens_per_hour, concurrency) >= 0
    )
  )`,

  `create table limit_counters (
    limit_id uuid not null constraint limit_counters_pkey primary key
      constraint limit_counters_limit_id_fkey references limits (id) on delete cascade,
    minute_start timestamptz not null default '-infinity',
    minute_requests bigint not null default 0,
    minute_tokens bigint not null default 0,
    hour_start timestamptz not null default '-infinity',
    hour_requests bigint not null default 0,
    hour_tokens bigint not null default 0,
    running bigint not null default 0,
    constraint limit_counters_running_check check (running >= 0)
  ) with (fillfactor = 50)`,
  `comment on table limit_counters is 'The current wall-clock minute and hour of a limit, and the requests that run now; a window that has passed counts as empty'`,

  `create table holds (
    request_id uuid not null constraint holds_pkey primary key,
    process_id uuid not null,
    admitted_at timestamptz not null,
    user_id uuid not null,
    key_id uuid,
    project_id uuid,
    run_id uuid,
    task_id uuid,
    session_id uuid,
    stage_id uuid,
    task_type text not null,
    held_pico bigint not null,
    is_hard boolean not null,
    tokens_held bigint not null,
    budget_period_ids bigint[] not null,
    limit_ids uuid[] not null,
    intent_attempt int not null,
    intent_at timestamptz not null,
    intent_provider text not null,
    intent_model text not null,
    intent_price_version int,
    bound_prompt_tokens bigint not null,
    bound_completion_tokens bigint not null,
    bound_cost_pico_usd bigint,
    constraint holds_held_pico_check check (held_pico >= 0),
    constraint holds_tokens_held_check check (tokens_held >= 0)
  ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`,
  `comment on table holds is 'Open requests; the intent is the one attempt that may be in flight'`,

  `create table usage_lines (
    request_id uuid not null,
    attempt int not null,
    admitted_at timestamptz not null,
    user_id uuid not null,
    key_id uuid,
    project_id uuid,
    run_id uuid,
    task_id uuid,
    session_id uuid,
    stage_id uuid,
    task_type text not null,
    provider text not null,
    model text not null,
    model_served text,
    upstream_request_id text,
    outcome text not null,
    usage_source text not null,
    prompt_tokens bigint,
    cached_read_tokens bigint,
    cache_write_tokens bigint,
    cache_write_one_hour_tokens bigint,
    completion_tokens bigint,
    reasoning_tokens bigint,
    raw_usage json,
    cost_pico_usd bigint,
    price_version int,
    error_code text,
    disputes text[],
    started_at timestamptz not null,
    latency_ms int,
    first_token_ms int,
    created_at timestamptz not null default now(),
    constraint usage_lines_pkey primary key (request_id, attempt),
    constraint usage_lines_attempt_check check (attempt >= 1),
    constraint usage_lines_outcome_check check (
      outcome in ('succeeded', 'failed', 'timed_out', 'truncated', 'cancelled', 'crashed')
    ),
    constraint usage_lines_usage_source_check check (usage_source in ('provider', 'estimated', 'upper_bound')),
    constraint usage_lines_amounts_check check (
      least(prompt_tokens, cached_read_tokens, cache_write_tokens, cache_write_one_hour_tokens,
        completion_tokens, reasoning_tokens, cost_pico_usd, latency_ms, first_token_ms) >= 0
    ),
    constraint usage_lines_disputes_check check (cardinality(disputes) > 0)
  )`,
  `comment on column usage_lines.admitted_at is 'Decides the budget period; the same for all attempts of a request'`,
  'create index usage_lines_admitted_at_idx on usage_lines (admitted_at)',
  'create index usage_lines_user_id_admitted_at_idx on usage_lines (user_id, admitted_at)',
  'create index usage_lines_key_id_admitted_at_idx on usage_lines (key_id, admitted_at) where key_id is not null',
  'create index usage_lines_project_id_admitted_at_idx on usage_lines (project_id, admitted_at) where project_id is not null',
  'create index usage_lines_run_id_admitted_at_idx on usage_lines (run_id, admitted_at) where run_id is not null',
  'create index usage_lines_disputed_idx on usage_lines (admitted_at) where disputes is not null',

  `create table decisions (
    id uuid not null constraint decisions_pkey primary key,
    request_id uuid not null,
    user_id uuid not null,
    key_id uuid,
    created_at timestamptz not null,
    record json not null
  )`,
  'create index decisions_user_id_id_idx on decisions (user_id, id)',
];
