import { PublicShare } from '../../../src/budget/public-share';
import { RateLimitedError } from '../../../src/errors/index';
import type { RateLimitState } from '../../../src/ledger/index';

const NOW = Date.parse('2026-05-05T10:00:30Z');
const HOUR_END = new Date('2026-05-05T11:00:00Z');

function state(limit: number, resetsAt = HOUR_END): RateLimitState {
  return { limit, remaining: limit, resetsAt, windowSeconds: 3600 };
}

/** How many pass before one is refused. */
function passing(share: PublicShare, of: RateLimitState, nowMs = NOW): number {
  for (let count = 0; count < 10_000; count += 1) {
    try {
      share.check(nowMs);
    } catch (error) {
      expect(error).toBeInstanceOf(RateLimitedError);
      return count;
    }
    share.note(of);
  }
  return Infinity;
}

describe(PublicShare.name, () => {
  it('is a tenth of the window, and 20 where that is more', () => {
    expect(passing(new PublicShare(), state(10_000))).toBe(1000);
    expect(passing(new PublicShare(), state(50))).toBe(20);
  });

  it('begins anew with the next window', () => {
    const share = new PublicShare();
    passing(share, state(50));
    const next = new Date('2026-05-05T12:00:00Z');
    expect(passing(share, state(50, next), HOUR_END.getTime())).toBe(20);
  });

  it('says until when', () => {
    const share = new PublicShare();
    passing(share, state(50));
    expect(() => share.check(NOW)).toThrow(
      expect.objectContaining({
        retryAfterMs: 3_570_000,
        details: { scope: 'global', resetsAt: '2026-05-05T11:00:00.000Z' },
      }),
    );
  });
});
