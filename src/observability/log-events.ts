import type { LogLevel } from '../errors/index';

/** THE table of what is logged at which level. */
export const LOG_EVENTS = {
  cache_hit: 'debug',
  cache_miss: 'debug',
  selection: 'info',
  completion: 'info',
  llm_call: 'info',
  provider_ready: 'info',
  service_started: 'info',
  shutdown: 'info',
  failover: 'warn',
  retry: 'warn',
  deprecation: 'warn',
  malformed_lines: 'warn',
  circuit: 'warn',
  capacity_wait: 'warn',
  validation: 'error',
  provider: 'error',
  background_task: 'error',
  security: 'fatal',
  billing: 'fatal',
  corruption: 'fatal',
} as const satisfies Record<string, LogLevel>;

export type LogEvent = keyof typeof LOG_EVENTS;
