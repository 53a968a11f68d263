/** Numbers of one retry loop. Delays double from `baseDelayMs` up to `maxDelayMs`, with jitter. */
export interface RetryPolicy {
  /** Tries of the same thing in all, the first included. */
  readonly maxTries: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}
