import { RateLimitedError } from '../errors/index';
import type { RateLimitState } from '../ledger/index';
import { AddressTallies, type WindowBounds, WindowTally } from './window-tally';

/** Of each of the installation's windows. */
const SHARE = 0.1;
const LEAST = 20;
/** Of that share. */
const ADDRESS_SHARE = 0.05;
const ADDRESS_LEAST = 10;

const LOGINS_PER_ADDRESS: WindowBounds = new Map([[60, 60]]);

/**
 * How much of the installation's request limit the callers without a credential may use up in this process: a tenth of
 * each window, or 20 requests where that is more. Without it, a flood of them would keep everybody out; and without a
 * bound on each address, one of them would keep out all the others.
 */
export class PublicShare {
  private readonly all = new WindowTally();
  private readonly addresses = new AddressTallies();
  private noted: WindowBounds = new Map();
  private bounds: WindowBounds = new Map();
  private addressBounds: WindowBounds = new Map();

  /** Takes one request and returns how to give it back. @throws RateLimitedError when a share is used up. */
  take(address: string, nowMs: number): () => void {
    const own = this.addresses.of(address);
    assertRoom(own, this.addressBounds, nowMs, 'address');
    assertRoom(this.all, this.bounds, nowMs, 'global');
    for (const tally of [own, this.all]) tally.add(nowMs);
    return () => {
      for (const tally of [own, this.all]) tally.takeBack(nowMs);
    };
  }

  /** Notes what the installation's limit is. @param windows all that it counts requests in */
  note(windows: readonly RateLimitState[]): void {
    const { noted } = this;
    const isKnown = windows.length === noted.size;
    if (isKnown && windows.every(({ windowSeconds, limit }) => noted.get(windowSeconds) === limit)) return;
    this.noted = new Map(windows.map(({ windowSeconds, limit }) => [windowSeconds, limit]));
    const shares = windows.map(
      ({ windowSeconds, limit }) => [windowSeconds, Math.max(LEAST, Math.floor(limit * SHARE))] as const,
    );
    this.bounds = new Map(shares);
    this.addressBounds = new Map(
      shares.map(([seconds, share]) => [seconds, Math.max(ADDRESS_LEAST, Math.floor(share * ADDRESS_SHARE))]),
    );
  }
}

/**
 * Logins count in no limit that others share, or whoever uses it up would lock everybody out: 60 per minute and address
 * in this process. Wrong passwords are bounded besides, per address and per account.
 */
export class LoginBound {
  private readonly addresses = new AddressTallies();

  /** @throws RateLimitedError */
  take(address: string, nowMs: number): void {
    const own = this.addresses.of(address);
    assertRoom(own, LOGINS_PER_ADDRESS, nowMs, 'address');
    own.add(nowMs);
  }
}

function assertRoom(
  tally: WindowTally,
  bounds: WindowBounds,
  nowMs: number,
  scope: 'address' | 'global',
): void {
  const untilMs = tally.fullUntilMs(bounds, nowMs);
  if (untilMs === undefined) return;
  const resetsAt = new Date(untilMs).toISOString();
  const from = scope === 'address' ? ' from this address' : '';
  throw new RateLimitedError(
    `Too many requests without a credential${from} until ${resetsAt}: send one, or come back then`,
    { retryAfterMs: untilMs - nowMs, details: { scope, resetsAt } },
  );
}
