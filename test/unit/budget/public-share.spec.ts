import { LoginBound, PublicShare } from '../../../src/budget/public-share';
import { RateLimitedError } from '../../../src/errors/index';
import type { RateLimitState } from '../../../src/ledger/index';

const NOW = Date.parse('2026-05-05T10:00:30Z');
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function window(limit: number, windowSeconds: 60 | 3600): RateLimitState {
  return { limit, remaining: limit, resetsAt: new Date(NOW), windowSeconds };
}

function shareOf(...windows: RateLimitState[]): PublicShare {
  const share = new PublicShare();
  share.note(windows);
  return share;
}

/** How many pass before one is refused. */
function passing(share: Pick<PublicShare, 'take'>, from: (count: number) => string, nowMs = NOW): number {
  for (let count = 0; count < 10_000; count += 1) {
    try {
      share.take(from(count), nowMs);
    } catch (error) {
      expect(error).toBeInstanceOf(RateLimitedError);
      return count;
    }
  }
  return Infinity;
}

const everywhere = (count: number): string => `10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`;
const oneAddress = (): string => '192.0.2.1';
const oneNetwork = (count: number): string => `2001:db8::${count.toString(16)}`;

describe(PublicShare.name, () => {
  it('is a tenth of the window, and 20 where that is more', () => {
    expect(passing(shareOf(window(10_000, 3600)), everywhere)).toBe(1000);
    expect(passing(shareOf(window(50, 3600)), everywhere)).toBe(20);
  });

  it('is a twentieth of that for one address, and 10 where that is more', () => {
    expect(passing(shareOf(window(10_000, 3600)), oneAddress)).toBe(50);
    expect(passing(shareOf(window(100, 3600)), oneAddress)).toBe(10);
    expect(passing(shareOf(window(100, 3600)), oneNetwork)).toBe(10);
  });

  it('leaves the others the rest when one address has used up its own', () => {
    const share = shareOf(window(100, 3600));
    passing(share, oneAddress);
    expect(passing(share, everywhere)).toBe(10);
  });

  it('is kept in the minute and in the hour', () => {
    const share = shareOf(window(200, 60), window(500, 3600));
    const perMinute = [0, 1, 2, 3].map((minute) => passing(share, everywhere, NOW + minute * MINUTE_MS));
    expect(perMinute).toEqual([20, 20, 10, 0]);
    expect(passing(share, everywhere, NOW + HOUR_MS)).toBe(20);
  });

  it('does not grow while nobody knows the limit yet', () => {
    const share = new PublicShare();
    for (let count = 0; count < 30; count += 1) share.take(everywhere(count), NOW);
    share.note([window(100, 3600)]);
    expect(passing(share, everywhere)).toBe(0);
  });

  it('is not bounded where the installation is not limited any more', () => {
    const share = shareOf(window(50, 3600));
    passing(share, everywhere);
    share.note([]);
    expect(passing(share, everywhere)).toBe(Infinity);
  });

  it('follows the limit of the installation, in every window of it', () => {
    const share = shareOf(window(1000, 60), window(10_000, 3600));
    share.note([window(1000, 60), window(10_000, 3600)]);
    expect(passing(share, everywhere)).toBe(100);
    share.note([window(1500, 60), window(10_000, 3600)]);
    expect(passing(share, everywhere)).toBe(50);
    share.note([window(10_000, 3600)]);
    expect(passing(share, everywhere)).toBe(850);
  });

  it('takes back what was not counted, in its own window only', () => {
    const share = shareOf(window(100, 3600));
    const giveBack = Array.from({ length: 10 }, () => share.take(oneAddress(), NOW));
    giveBack[0]?.();
    expect(passing(share, oneAddress)).toBe(1);
    expect(passing(share, oneAddress, NOW + HOUR_MS)).toBe(10);
    giveBack[1]?.();
    expect(passing(share, oneAddress, NOW + HOUR_MS)).toBe(0);
  });

  it('says of what and until when', () => {
    const share = shareOf(window(100, 60), window(100, 3600));
    passing(share, oneAddress);
    expect(() => share.take(oneAddress(), NOW)).toThrow(
      expect.objectContaining({
        retryAfterMs: 3_570_000,
        details: { scope: 'address', resetsAt: '2026-05-05T11:00:00.000Z' },
      }),
    );
    passing(share, everywhere);
    expect(() => share.take('192.0.2.7', NOW)).toThrow(
      expect.objectContaining({ details: { scope: 'global', resetsAt: '2026-05-05T11:00:00.000Z' } }),
    );
  });
});

describe(LoginBound.name, () => {
  it('is 60 per minute for each address, whatever the others do', () => {
    const bound = new LoginBound();
    const logins = { take: (from: string, nowMs: number) => (bound.take(from, nowMs), () => undefined) };
    expect(passing(logins, oneAddress)).toBe(60);
    expect(passing(logins, everywhere)).toBe(Infinity);
    expect(passing(logins, oneAddress, NOW + MINUTE_MS)).toBe(60);
  });
});
