/** Limits as their tables hold them, and as values. */
import type { LimitValues } from '../common/index';
import { GLOBAL_SCOPE_ID, type LimitScope } from './ledger.scopes';
import type { ManagedBy } from './scope-visibility';

export interface NewLimit extends LimitValues {
  readonly scope: LimitScope;
  /** UUID; undefined for the global scope only. */
  readonly scopeId?: string;
}

/** Those that nothing stands in the way of. */
export interface PlannedLimit extends NewLimit {
  readonly id: string;
  readonly managedBy: ManagedBy;
}

/** How far the current window of a limit is used up. */
export interface LimitWindow {
  readonly used: number;
  /** Never below 0. */
  readonly remaining: number;
  readonly resetsAt: Date;
}

export interface Limit extends PlannedLimit {
  /** Requests that run now. */
  readonly running: number;
  /** Undefined where the limit does not count. */
  readonly windows: {
    readonly requestsPerMinute?: LimitWindow;
    readonly requestsPerHour?: LimitWindow;
    readonly tokensPerMinute?: LimitWindow;
    readonly tokensPerHour?: LimitWindow;
  };
  /** From the installation's configuration; whoever sets limits for the scope replaces it. */
  readonly isDefault: boolean;
  readonly createdAt: Date;
}

/** Bigints come as text. */
export interface LimitRow {
  readonly id: string;
  readonly scope: LimitScope;
  readonly scope_id: string;
  readonly requests_per_minute: string | null;
  readonly requests_per_hour: string | null;
  readonly tokens_per_minute: string | null;
  readonly tokens_per_hour: string | null;
  readonly concurrency: string | null;
  readonly is_default: boolean;
  readonly managed_by: ManagedBy;
  readonly created_at: Date;
  readonly running: string;
  readonly minute_requests: string;
  readonly minute_tokens: string;
  readonly minute_end: Date;
  readonly hour_requests: string;
  readonly hour_tokens: string;
  readonly hour_end: Date;
}

export function toLimit(row: LimitRow): Limit {
  const windowOf = (limit: string | null, used: string, resetsAt: Date): LimitWindow | undefined =>
    limit === null
      ? undefined
      : { used: Number(used), remaining: Math.max(0, Number(limit) - Number(used)), resetsAt };
  return Object.freeze({
    id: row.id,
    scope: row.scope,
    scopeId: row.scope_id === GLOBAL_SCOPE_ID ? undefined : row.scope_id,
    requestsPerMinute: toNumber(row.requests_per_minute),
    requestsPerHour: toNumber(row.requests_per_hour),
    tokensPerMinute: toNumber(row.tokens_per_minute),
    tokensPerHour: toNumber(row.tokens_per_hour),
    concurrency: toNumber(row.concurrency),
    windows: {
      requestsPerMinute: windowOf(row.requests_per_minute, row.minute_requests, row.minute_end),
      requestsPerHour: windowOf(row.requests_per_hour, row.hour_requests, row.hour_end),
      tokensPerMinute: windowOf(row.tokens_per_minute, row.minute_tokens, row.minute_end),
      tokensPerHour: windowOf(row.tokens_per_hour, row.hour_tokens, row.hour_end),
    },
    running: Number(row.running),
    isDefault: row.is_default,
    managedBy: row.managed_by,
    createdAt: row.created_at,
  });
}

function toNumber(value: string | null): number | undefined {
  return value === null ? undefined : Number(value);
}
