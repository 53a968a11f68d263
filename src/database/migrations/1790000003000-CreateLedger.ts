/**
 * The books: usage lines, holds, budgets, limits, and the functions that are the only writers of their counters.
 *
 * Every function that moves money takes its locks in one order, so that no two can wait for each other:
 * the ledger lock (shared), holds by request id, usage lines, budget periods by id, limit counters by id.
 * Creating a budget or a limit takes the ledger lock exclusively: it counts what is already spent and running.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = [
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

const TYPES = [
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

const LINE_COLUMNS = `attempt, provider, model, model_served, upstream_request_id, outcome, usage_source,
  prompt_tokens, cached_read_tokens, cache_write_tokens, cache_write_one_hour_tokens, completion_tokens,
  reasoning_tokens, raw_usage, cost_pico_usd, price_version, error_code, disputes, started_at, latency_ms,
  first_token_ms`;

const OWNER_COLUMNS = `request_id, admitted_at, user_id, key_id, project_id, run_id, task_id, session_id,
  stage_id, task_type`;

const prefixed = (columns: string, prefix: string): string =>
  columns
    .split(',')
    .map((column) => `${prefix}.${column.trim()}`)
    .join(', ');

/** Small tables that grow and shrink all day mislead the planner: always by index, always the one cached plan. */
const HOT = 'set enable_seqscan = off set plan_cache_mode = force_generic_plan';

const LEDGER_LOCK = 7_600_001;
const REAPER_LOCK = 7_600_002;
/** The error code of a bound that the reaper wrote. Only the truth about the attempt may replace such a line. */
const PROCESS_LOST = `'PROCESS_LOST'`;
const GLOBAL = `'00000000-0000-0000-0000-000000000000'::uuid`;

const PERIOD_FUNCTIONS = [
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

const COUNTER_FUNCTIONS = [
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

const ADMIT_FUNCTIONS = [
  `create function ledger_resolve(p_requests json, p_now timestamptz) returns ledger_request[]
  language plpgsql as $$
  declare
    v_day timestamptz := ledger_period_start('day', p_now);
    v_month timestamptz := ledger_period_start('month', p_now);
    v_day_end timestamptz := ledger_period_end('day', v_day);
    v_month_end timestamptz := ledger_period_end('month', v_month);
    v_requests ledger_request[];
    v_missing boolean;
  begin
    loop
      select array_agg(row(
          r.request_id, r.user_id, r.key_id, r.project_id, r.run_id, r.task_id, r.session_id, r.stage_id, r.task_type,
          r.worst, r.minimum, r.estimate, r.tokens,
          r.attempt, r.provider, r.model, r.price_version, r.bound_prompt, r.bound_completion, r.bound_cost,
          case
            when u.id is null then '{"kind":"inactive","reason":"user_unknown"}'
            when u.disabled_at is not null then '{"kind":"inactive","reason":"user_disabled"}'
            when r.key_id is null then null
            when k.id is null then '{"kind":"inactive","reason":"key_unknown"}'
            when k.revoked_at is not null then '{"kind":"inactive","reason":"key_revoked"}'
            when k.expires_at <= p_now then '{"kind":"inactive","reason":"key_expired"}'
          end,
          coalesce(b.is_hard, false), case when b.is_hard then r.worst else r.estimate end,
          coalesce(b.period_ids, '{}'), coalesce(l.limit_ids, '{}')
        )::ledger_request), bool_or(b.is_missing)
      into v_requests, v_missing
      from json_populate_recordset(null::ledger_request, p_requests) r
      left join users u on u.id = r.user_id
      left join api_keys k on k.id = r.key_id and k.user_id = r.user_id
      left join lateral (
        select array_agg(p.id) as period_ids, bool_or(b.mode = 'hard') as is_hard, bool_or(p.id is null) as is_missing
        from budgets b
        left join budget_periods p on p.budget_id = b.id
          and p.period_start = case b.period when 'day' then v_day when 'month' then v_month else 'epoch' end
        where b.scope_id in (${GLOBAL}, r.user_id, r.key_id, r.project_id, r.run_id)
          and b.created_at < case b.period when 'day' then v_day_end when 'month' then v_month_end else 'infinity' end
      ) b on true
      left join lateral (
        select array_agg(l.id) as limit_ids from limits l where l.scope_id in (${GLOBAL}, r.user_id, r.key_id)
      ) l on true;
      exit when v_missing is not true;
      perform ledger_open_periods(array(
        select distinct s from unnest(v_requests) r,
          unnest(array[${GLOBAL}, r.user_id, r.key_id, r.project_id, r.run_id]) s where s is not null), p_now);
    end loop;
    return v_requests;
  end $$`,

  `create function ledger_ask(r ledger_request) returns ledger_move language sql immutable as $$
    select row(r.request_id, r.held, 0, r.tokens, 1, 1, 'infinity', r.period_ids, r.limit_ids)::ledger_move
  $$`,

  `create function ledger_hold(p_process uuid, p_requests ledger_request[], p_now timestamptz) returns void
  language plpgsql as $$
  begin
    insert into holds (request_id, process_id, admitted_at, user_id, key_id, project_id, run_id, task_id, session_id,
      stage_id, task_type, held_pico, is_hard, tokens_held, budget_period_ids, limit_ids, intent_attempt, intent_at,
      intent_provider, intent_model, intent_price_version, bound_prompt_tokens, bound_completion_tokens,
      bound_cost_pico_usd)
    select r.request_id, p_process, p_now, r.user_id, r.key_id, r.project_id, r.run_id, r.task_id, r.session_id,
      r.stage_id, r.task_type, r.held, r.is_hard, r.tokens, r.period_ids, r.limit_ids, r.attempt, p_now,
      r.provider, r.model, r.price_version, r.bound_prompt, r.bound_completion, r.bound_cost
    from unnest(p_requests) r where r.refusal is null;
  end $$`,

  // Why a request does not fit, by the limit with the longest wait. A window that has passed counts as empty.
  `create function ledger_limit_refusal(p_request ledger_request, p_now timestamptz) returns text
  language sql stable as $$
    with window_now as (
      select date_trunc('minute', p_now, 'UTC') as minute_start, date_trunc('hour', p_now, 'UTC') as hour_start
    ), counted as (
      select l.id, l.scope, l.requests_per_minute, l.requests_per_hour, l.tokens_per_minute, l.tokens_per_hour,
        l.concurrency, c.running,
        case when c.minute_start >= w.minute_start then c.minute_requests else 0 end as minute_requests,
        case when c.minute_start >= w.minute_start then c.minute_tokens else 0 end as minute_tokens,
        case when c.hour_start >= w.hour_start then c.hour_requests else 0 end as hour_requests,
        case when c.hour_start >= w.hour_start then c.hour_tokens else 0 end as hour_tokens,
        greatest(c.minute_start, w.minute_start) + interval '1 minute' as minute_end,
        greatest(c.hour_start, w.hour_start) + interval '1 hour' as hour_end
      from limits l
      join limit_counters c on c.limit_id = l.id
      cross join window_now w
      where l.id = any(p_request.limit_ids)
    )
    select json_build_object('kind', 'limit', 'limit', v.kind, 'scope', c.scope, 'value', v.value,
      'isTooLarge', v.kind like 'tokens%' and p_request.tokens > v.value, 'resetsAt', v.resets_at)::text
    from counted c cross join lateral (values
      ('requests_per_hour', c.requests_per_hour, c.hour_requests + 1, c.hour_end),
      ('tokens_per_hour', c.tokens_per_hour, c.hour_tokens + p_request.tokens, c.hour_end),
      ('requests_per_minute', c.requests_per_minute, c.minute_requests + 1, c.minute_end),
      ('tokens_per_minute', c.tokens_per_minute, c.minute_tokens + p_request.tokens, c.minute_end),
      ('concurrency', c.concurrency, c.running + 1, null)
    ) v (kind, value, wanted, resets_at)
    where v.wanted > v.value
    order by v.resets_at desc nulls last
    limit 1
  $$`,

  // What the tightest hard budget has left for one request that already holds p_own; null without a hard budget.
  `create function ledger_remaining(p_period_ids bigint[], p_own bigint) returns numeric language sql stable as $$
    select min(b.limit_pico - p.spent_pico - p.held_pico) + p_own
    from budget_periods p join budgets b on b.id = p.budget_id
    where p.id = any(p_period_ids) and b.mode = 'hard'
  $$`,

  `create function ledger_budget_refusal(p_period_ids bigint[], p_own bigint, p_minimum bigint) returns text
  language sql stable as $$
    select json_build_object('kind', 'budget', 'budgetId', b.id, 'scope', b.scope, 'period', b.period,
      'limitPicoUsd', b.limit_pico::text, 'spentPicoUsd', p.spent_pico::text,
      'heldPicoUsd', (p.held_pico - p_own)::text,
      'resetsAt', nullif(ledger_period_end(b.period, p.period_start), 'infinity'))::text
    from budget_periods p join budgets b on b.id = p.budget_id
    where p.id = any(p_period_ids) and b.mode = 'hard'
      and b.limit_pico - p.spent_pico - p.held_pico + p_own < p_minimum
    order by ledger_period_end(b.period, p.period_start) desc, b.id
    limit 1
  $$`,

  `create function ledger_exceeded(p_period_ids bigint[], p_exceeded bigint[]) returns json language sql stable as $$
    select json_agg(json_build_object('scope', b.scope, 'period', b.period) order by b.scope, b.period)
    from budget_periods p join budgets b on b.id = p.budget_id
    where p.id = any(p_period_ids) and p.id = any(p_exceeded)
  $$`,

  // Judges one request by itself against counters that are locked already.
  `create function ledger_judge(p_request ledger_request, p_now timestamptz) returns ledger_request
  language plpgsql as $$
  declare
    v_remaining numeric;
  begin
    p_request.refusal := ledger_limit_refusal(p_request, p_now);
    -- What costs nothing fits into every budget, also into one that is overspent.
    if p_request.refusal is not null or not p_request.is_hard or p_request.worst = 0 then
      return p_request;
    end if;
    v_remaining := ledger_remaining(p_request.period_ids, 0);
    if v_remaining < p_request.minimum then
      p_request.refusal := ledger_budget_refusal(p_request.period_ids, 0, p_request.minimum);
    else
      p_request.held := greatest(p_request.minimum, least(p_request.worst, v_remaining));
    end if;
    return p_request;
  end $$`,
];

const TURN_FUNCTIONS = [
  // Closes holds and books their lines. p_late: the requests that need ledger_book, because they have no open hold (the
  // reaper may have booked an attempt that was never sent) or one of their lines stands already.
  `create function ledger_close(p_request_ids uuid[], p_lines json, out p_moves ledger_move[], out p_late uuid[])
  language plpgsql as $$
  declare
    v_closed uuid[];
    v_booked bigint[];
    v_lines bigint;
  begin
    with gone as (
      delete from holds h where h.request_id = any(p_request_ids) returning h.*
    ), booked as (
      insert into usage_lines (${OWNER_COLUMNS}, ${LINE_COLUMNS})
      select ${prefixed(OWNER_COLUMNS, 'h')}, ${prefixed(LINE_COLUMNS, 'l')}
      from json_populate_recordset(null::ledger_line, p_lines) l join gone h on h.request_id = l.request_id
      on conflict do nothing
      returning request_id, cost_pico_usd, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) as tokens
    ), sums as (
      select b.request_id, count(*) as lines, sum(b.cost_pico_usd)::bigint as cost, sum(b.tokens)::bigint as tokens
      from booked b group by b.request_id
    )
    select array_agg(row(g.request_id, -g.held_pico, coalesce(s.cost, 0), coalesce(s.tokens, 0) - g.tokens_held, -1, 0,
        g.intent_at, g.budget_period_ids, g.limit_ids)::ledger_move),
      array_agg(g.request_id), array_agg(coalesce(s.lines, 0)), coalesce(sum(s.lines), 0)
    into p_moves, v_closed, v_booked, v_lines
    from gone g left join sums s on s.request_id = g.request_id;

    if cardinality(v_closed) is distinct from cardinality(p_request_ids) or v_lines <> json_array_length(p_lines) then
      p_late := array(
        select asked.request_id
        from (select distinct id as request_id from unnest(p_request_ids) id) asked
        left join (select l.request_id, count(*) as lines from json_populate_recordset(null::ledger_line, p_lines) l
                   group by l.request_id) given on given.request_id = asked.request_id
        left join unnest(v_closed, v_booked) c (request_id, lines) on c.request_id = asked.request_id
        where c.lines is distinct from coalesce(given.lines, 0));
    end if;
  end $$`,

  // One turn of the books: settlements first, then admissions, in one transaction. Returns what the caller cannot
  // know, or null when there is nothing: late settlements; refusals, hard holds and exceeded soft budgets.
  `create function ledger_turn(p_request_ids uuid[], p_lines json, p_process uuid, p_requests json, p_decisions json,
    p_now timestamptz)
  returns json language plpgsql ${HOT} as $$
  declare
    v_now timestamptz := coalesce(p_now, now());
    v_minute timestamptz := date_trunc('minute', v_now, 'UTC');
    v_hour timestamptz := date_trunc('hour', v_now, 'UTC');
    v_moves ledger_move[];
    v_asked ledger_move[];
    v_late uuid[];
    v_requests ledger_request[];
    v_has_periods boolean;
    v_has_limits boolean;
    v_full_periods bigint[];
    v_soft_periods bigint[];
    v_full_limits uuid[];
    v_clear ledger_request[] := '{}';
    v_suspects int[] := '{}';
    v_refused uuid[];
    v_answers json;
  begin
    perform pg_advisory_xact_lock_shared(${LEDGER_LOCK});
    if p_request_ids is not null then
      select c.p_moves, c.p_late into v_moves, v_late from ledger_close(p_request_ids, p_lines) c;
    end if;
    if p_requests is not null then
      v_requests := ledger_resolve(p_requests, v_now);
      v_asked := array(select ledger_ask(r) from unnest(v_requests) r where r.refusal is null);
    end if;

    select bool_or(m.period_ids <> '{}'), bool_or(m.limit_ids <> '{}') into v_has_periods, v_has_limits
    from unnest(v_moves || v_asked) m;

    if v_has_periods then
      with wanted as materialized (
        select id, sum(m.held + m.spent) as amount, sum(m.requests) as requests
        from unnest(v_moves || v_asked) m, unnest(m.period_ids) id group by id
      ), locked as materialized (
        select p.id, b.mode, b.limit_pico - p.spent_pico - p.held_pico as remaining
        from budget_periods p join budgets b on b.id = p.budget_id
        where p.id = any(array(select w.id from wanted w)) order by p.id for update of p
      )
      -- From the locked side and without a filter on the rows: every one must be locked, also where nothing is asked.
      select array_agg(l.id) filter (where l.mode = 'hard' and w.requests > 0 and l.remaining < w.amount),
        array_agg(l.id) filter (where l.mode = 'soft' and w.requests > 0 and l.remaining < w.amount)
      into v_full_periods, v_soft_periods
      from locked l left join wanted w on w.id = l.id;
    end if;

    if v_has_limits then
      -- Tokens given back are left out here, so that this errs to the slow side only.
      with wanted as materialized (
        select id, sum(m.requests) as requests, sum(greatest(m.tokens, 0)) as tokens, sum(m.slots) as slots
        from unnest(v_moves || v_asked) m, unnest(m.limit_ids) id group by id
      ), locked as materialized (
        select l.id, l.requests_per_minute, l.requests_per_hour, l.tokens_per_minute, l.tokens_per_hour,
          l.concurrency, c.running,
          case when c.minute_start >= v_minute then c.minute_requests else 0 end as minute_requests,
          case when c.minute_start >= v_minute then c.minute_tokens else 0 end as minute_tokens,
          case when c.hour_start >= v_hour then c.hour_requests else 0 end as hour_requests,
          case when c.hour_start >= v_hour then c.hour_tokens else 0 end as hour_tokens
        from limit_counters c join limits l on l.id = c.limit_id
        where c.limit_id = any(array(select w.id from wanted w)) order by c.limit_id for update of c
      )
      select array_agg(l.id) filter (where w.requests > 0 and (
        l.running + w.slots > l.concurrency
        or l.minute_requests + w.requests > l.requests_per_minute
        or l.minute_tokens + w.tokens > l.tokens_per_minute
        or l.hour_requests + w.requests > l.requests_per_hour
        or l.hour_tokens + w.tokens > l.tokens_per_hour))
      into v_full_limits
      from locked l left join wanted w on w.id = l.id;
    end if;

    if v_full_periods is null and v_full_limits is null then
      if v_requests is not null then
        perform ledger_hold(p_process, v_requests, v_now);
      end if;
      if v_has_periods or v_has_limits then
        perform ledger_apply(v_moves || v_asked, v_now);
      end if;
    else
      -- Whoever touches no full counter fits whatever happens to the others; the rest are taken one after the other.
      for i in 1 .. cardinality(v_requests) loop
        if v_requests[i].refusal is null and (coalesce(v_requests[i].period_ids && v_full_periods, false)
            or coalesce(v_requests[i].limit_ids && v_full_limits, false)) then
          v_suspects := v_suspects || i;
        else
          v_clear := v_clear || v_requests[i];
        end if;
      end loop;
      perform ledger_hold(p_process, v_clear, v_now);
      perform ledger_apply(
        v_moves || array(select ledger_ask(r) from unnest(v_clear) r where r.refusal is null), v_now);
      for i in 1 .. cardinality(v_suspects) loop
        v_requests[v_suspects[i]] := ledger_judge(v_requests[v_suspects[i]], v_now);
        continue when v_requests[v_suspects[i]].refusal is not null;
        perform ledger_hold(p_process, v_requests[v_suspects[i]:v_suspects[i]], v_now);
        perform ledger_apply(array[ledger_ask(v_requests[v_suspects[i]])], v_now);
      end loop;
    end if;

    if v_requests is not null then
      select array_agg(r.request_id) filter (where r.refusal is not null),
        json_agg(json_build_object('requestId', r.request_id, 'refusal', r.refusal::json, 'held', r.held::text,
          'isHard', r.is_hard, 'exceeded',
          case when v_soft_periods is not null then ledger_exceeded(r.period_ids, v_soft_periods) end))
        filter (where r.refusal is not null or r.is_hard or r.period_ids && v_soft_periods)
      into v_refused, v_answers from unnest(v_requests) r;
      insert into decisions (id, request_id, user_id, key_id, created_at, record)
      select d.id, d.request_id, d.user_id, d.key_id, v_now, d.record
      from json_to_recordset(p_decisions) d (id uuid, request_id uuid, user_id uuid, key_id uuid, record json)
      where v_refused is null or d.request_id <> all(v_refused);
    end if;
    if v_late is null and v_answers is null then
      return null;
    end if;
    return json_build_object('late', v_late, 'admitted', v_answers);
  end $$`,
];

const BOOK_FUNCTIONS = [
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

const ADVANCE_FUNCTIONS = [
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

const REAPER_FUNCTIONS = [
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

const MANAGEMENT_FUNCTIONS = [
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

export class CreateLedger1790000003000 implements MigrationInterface {
  name = 'CreateLedger1790000003000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const statements = [
      ...TABLES,
      ...TYPES,
      ...PERIOD_FUNCTIONS,
      ...COUNTER_FUNCTIONS,
      ...ADMIT_FUNCTIONS,
      ...TURN_FUNCTIONS,
      ...BOOK_FUNCTIONS,
      ...ADVANCE_FUNCTIONS,
      ...REAPER_FUNCTIONS,
      ...MANAGEMENT_FUNCTIONS,
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop view ledger_differences');
    await queryRunner.query(`drop function ledger_create_limit, ledger_create_budget, ledger_reap, ledger_advance,
      ledger_advance_one, ledger_book, ledger_periods_at, ledger_turn, ledger_close, ledger_judge,
      ledger_exceeded, ledger_budget_refusal, ledger_remaining, ledger_limit_refusal,
      ledger_hold, ledger_ask, ledger_resolve, ledger_lock, ledger_apply, ledger_open_periods, ledger_period_end,
      ledger_period_start`);
    await queryRunner.query('drop type ledger_move, ledger_line, ledger_request');
    await queryRunner.query(
      'drop table decisions, usage_lines, holds, limit_counters, limits, budget_periods, budgets, processes',
    );
  }
}
