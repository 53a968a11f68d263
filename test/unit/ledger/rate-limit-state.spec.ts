import { newId } from '../../../src/common/index';
import { GLOBAL_SCOPE_ID } from '../../../src/ledger/ledger.scopes';
import {
  byScope,
  rateLimitHeaders,
  type RequestWindowsRow,
  tightestWindow,
} from '../../../src/ledger/rate-limit-state';

const MINUTE_END = '2026-01-01T00:01:00.000Z';
const HOUR_END = '2026-01-01T01:00:00.000Z';

function aRow(scopeId: string, windows: Partial<RequestWindowsRow>): RequestWindowsRow {
  return {
    scopeId,
    perMinute: null,
    minuteRequests: 0,
    minuteEnd: MINUTE_END,
    perHour: null,
    hourRequests: 0,
    hourEnd: HOUR_END,
    ...windows,
  };
}

describe(tightestWindow.name, () => {
  const userId = newId();
  const keyId = newId();

  it('is the one with the least left, of everybody, the user and the key', () => {
    const rows = byScope([
      aRow(GLOBAL_SCOPE_ID, { perHour: 1000, hourRequests: 900 }),
      aRow(userId, { perMinute: 10, minuteRequests: 7, perHour: 100, hourRequests: 50 }),
      aRow(keyId, { perHour: 60, hourRequests: 20 }),
    ]);
    const ofMinute = { limit: 10, remaining: 3, resetsAt: new Date(MINUTE_END), windowSeconds: 60 };
    expect(tightestWindow(rows, { userId, keyId })).toEqual(ofMinute);
    expect(tightestWindow(rows, { keyId })).toMatchObject({ limit: 60, remaining: 40, windowSeconds: 3600 });
    expect(tightestWindow(rows, {})).toMatchObject({ limit: 1000, remaining: 100 });
  });

  it('is the longer wait where as much is left, and never less than nothing', () => {
    const row = aRow(userId, { perMinute: 5, minuteRequests: 9, perHour: 20, hourRequests: 20 });
    expect(tightestWindow(byScope([row]), { userId })).toMatchObject({
      limit: 20,
      remaining: 0,
      windowSeconds: 3600,
    });
  });

  it('is nothing for whom no window is limited', () => {
    expect(tightestWindow(byScope([aRow(newId(), { perHour: 1 })]), { userId, keyId })).toBeUndefined();
    expect(tightestWindow(byScope(null), { userId })).toBeUndefined();
  });
});

describe(rateLimitHeaders.name, () => {
  it('counts whole seconds to the reset, upwards', () => {
    const resetsAt = new Date(Date.now() + 59_001);
    const state = { limit: 100, remaining: 4, resetsAt, windowSeconds: 3600 as const };
    expect(rateLimitHeaders(state)).toEqual({
      'ratelimit-limit': '100',
      'ratelimit-remaining': '4',
      'ratelimit-reset': expect.stringMatching(/^(59|60)$/) as string,
      'ratelimit-policy': '100;w=3600',
    });
    expect(rateLimitHeaders({ ...state, resetsAt: new Date(0) })['ratelimit-reset']).toBe('0');
  });
});
