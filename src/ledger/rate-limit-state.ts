/** What is left of the request windows that a caller stands in, as the ledger counted it and as headers tell it. */
import type { Role } from '../common/index';
import { GLOBAL_SCOPE_ID } from './ledger.scopes';

/** The tightest request window of a caller: of their own and their key's, the one with the least left. */
export interface RateLimitState {
  readonly limit: number;
  readonly remaining: number;
  /** The end of the wall-clock minute or hour. */
  readonly resetsAt: Date;
  readonly windowSeconds: 60 | 3600;
}

/** One limit with its request windows, as the ledger's functions answer it. Null: this window is not limited. */
export interface RequestWindowsRow {
  readonly scopeId: string;
  readonly perMinute: number | null;
  readonly minuteRequests: number;
  readonly minuteEnd: string;
  readonly perHour: number | null;
  readonly hourRequests: number;
  readonly hourEnd: string;
}

export interface RateLimitedCaller {
  readonly userId?: string;
  readonly keyId?: string;
  /** Administrators are told what the installation's limit is. */
  readonly role?: Role;
}

/** The request windows of limits, by what they are set on. */
export type WindowsByScope = ReadonlyMap<string, RequestWindowsRow>;

export function byScope(rows: readonly RequestWindowsRow[] | null | undefined): WindowsByScope {
  return new Map(rows?.map((row) => [row.scopeId, row]));
}

/**
 * Undefined when none of the caller's limits counts requests. The installation's limit is known to administrators only,
 * so it is told for nobody but a caller without a name, and goes into no header.
 */
export function tightestWindow(
  windows: WindowsByScope,
  { userId, keyId }: RateLimitedCaller,
): RateLimitState | undefined {
  let tightest: RateLimitState | undefined;
  for (const scopeId of [userId ?? GLOBAL_SCOPE_ID, keyId]) {
    const row = scopeId === undefined ? undefined : windows.get(scopeId);
    if (!row) continue;
    for (const state of windowsOf(row)) if (!tightest || isTighter(state, tightest)) tightest = state;
  }
  return tightest;
}

/** All request windows of the installation; none when it is not limited. */
export function installationWindows(windows: WindowsByScope): readonly RateLimitState[] {
  const row = windows.get(GLOBAL_SCOPE_ID);
  return row ? windowsOf(row) : [];
}

/** `ratelimit-*` response headers; the reset is in whole seconds from now. */
export function rateLimitHeaders(state: RateLimitState): Record<string, string> {
  const resetMs = Math.max(0, state.resetsAt.getTime() - Date.now());
  return {
    'ratelimit-limit': String(state.limit),
    'ratelimit-remaining': String(state.remaining),
    'ratelimit-reset': String(Math.ceil(resetMs / 1000)),
    'ratelimit-policy': `${state.limit};w=${state.windowSeconds}`,
  };
}

function windowsOf(row: RequestWindowsRow): readonly RateLimitState[] {
  const states: RateLimitState[] = [];
  if (row.perMinute !== null) states.push(stateOf(row.perMinute, row.minuteRequests, row.minuteEnd, 60));
  if (row.perHour !== null) states.push(stateOf(row.perHour, row.hourRequests, row.hourEnd, 3600));
  return states;
}

function stateOf(
  limit: number,
  requests: number,
  end: string,
  windowSeconds: RateLimitState['windowSeconds'],
): RateLimitState {
  return { limit, remaining: Math.max(0, limit - requests), resetsAt: new Date(end), windowSeconds };
}

/** With as much left, the one that keeps the caller waiting for longer. */
function isTighter(state: RateLimitState, than: RateLimitState): boolean {
  return state.remaining === than.remaining
    ? state.resetsAt > than.resetsAt
    : state.remaining < than.remaining;
}
