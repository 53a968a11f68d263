/** Names, locks and settings that the ledger's functions share. */
export const LINE_COLUMNS = `attempt, provider, model, model_served, upstream_request_id, outcome, usage_source,
  prompt_tokens, cached_read_tokens, cache_write_tokens, cache_write_one_hour_tokens, completion_tokens,
  reasoning_tokens, raw_usage, cost_pico_usd, price_version, error_code, disputes, started_at, latency_ms,
  first_token_ms`;

export const OWNER_COLUMNS = `request_id, admitted_at, user_id, key_id, project_id, run_id, task_id, session_id,
  stage_id, task_type`;

export const prefixed = (columns: string, prefix: string): string =>
  columns
    .split(',')
    .map((column) => `${prefix}.${column.trim()}`)
    .join(', ');

/** Small tables that grow and shrink all day mislead the planner: always by index, always the one cached plan. */
export const HOT = 'set enable_seqscan = off set plan_cache_mode = force_generic_plan';

export const LEDGER_LOCK = 7_600_001;
export const REAPER_LOCK = 7_600_002;
/** The error code of a bound that the reaper wrote. Only the truth about the attempt may replace such a line. */
export const PROCESS_LOST = `'PROCESS_LOST'`;
export const GLOBAL = `'00000000-0000-0000-0000-000000000000'::uuid`;
