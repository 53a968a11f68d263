const MINUTE_MS = 60_000;

/** When a delivery is tried again, and how long one try may take. Injected, so that tests need not wait. */
export class DeliverySchedule {
  /** After each failed try; one try more than there are pauses. Five tries within the hour. */
  readonly pausesMs: readonly number[] = [1, 5, 15, 39].map((minutes) => minutes * MINUTE_MS);
  /** A tenth: many deliveries that failed together do not come back together. */
  readonly jitter: number = 0.1;
  readonly timeoutMs: number = 10_000;
  /** For so long a try belongs to its process; after that the process counts as dead and the next try is due. */
  readonly leaseMs: number = 30_000;

  get maxAttempts(): number {
    return this.pausesMs.length + 1;
  }

  /**
   * The pause after try number `attempt` (from 1) failed; undefined after the last one.
   * @param retryAfterMs what the receiver asked for; never shortens a pause, and lengthens it to the longest one at most.
   */
  pauseAfter(attempt: number, retryAfterMs = 0, random: () => number = Math.random): number | undefined {
    const pauseMs = this.pausesMs[attempt - 1];
    if (pauseMs === undefined) return undefined;
    const askedMs = Math.min(retryAfterMs, Math.max(...this.pausesMs));
    return Math.round(Math.max(pauseMs, askedMs) * (1 + this.jitter * random()));
  }
}

/** `Retry-After` in milliseconds: seconds or a date. */
export function retryAfterMsOf(
  header: string | readonly string[] | undefined,
  nowMs: number,
): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
