/** Requests that this process counts by itself, in wall-clock windows. */
import { LRUCache } from 'lru-cache';
import { addressGroup } from '../auth/index';

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;
const MAX_ADDRESSES = 10_000;

/** How many requests a window takes, by its length in seconds. */
export type WindowBounds = ReadonlyMap<number, number>;

/** Counts in the current minute and the current hour, whether or not they are bounded yet. */
export class WindowTally {
  private readonly windows = [MINUTE_SECONDS, HOUR_SECONDS].map((seconds) => ({
    seconds,
    endsMs: 0,
    used: 0,
  }));

  /** The end of the last window that takes no more; undefined when all do. */
  fullUntilMs(bounds: WindowBounds, nowMs: number): number | undefined {
    this.turn(nowMs);
    const full = this.windows.filter(({ seconds, used }) => used >= (bounds.get(seconds) ?? Infinity));
    return full.length === 0 ? undefined : Math.max(...full.map(({ endsMs }) => endsMs));
  }

  add(nowMs: number): void {
    this.turn(nowMs);
    for (const window of this.windows) window.used += 1;
  }

  /** Takes back what was added at that time, in the windows that have not passed since. */
  takeBack(addedAtMs: number): void {
    for (const window of this.windows) {
      const startMs = window.endsMs - window.seconds * 1000;
      if (addedAtMs >= startMs && window.used > 0) window.used -= 1;
    }
  }

  private turn(nowMs: number): void {
    for (const window of this.windows) {
      if (nowMs < window.endsMs) continue;
      const lengthMs = window.seconds * 1000;
      window.endsMs = (Math.floor(nowMs / lengthMs) + 1) * lengthMs;
      window.used = 0;
    }
  }
}

/** One tally per address (IPv6: per network) that was seen lately. */
export class AddressTallies {
  private readonly tallies = new LRUCache<string, WindowTally>({ max: MAX_ADDRESSES });

  of(address: string): WindowTally {
    const group = addressGroup(address);
    const tally = this.tallies.get(group) ?? new WindowTally();
    this.tallies.set(group, tally);
    return tally;
  }
}
