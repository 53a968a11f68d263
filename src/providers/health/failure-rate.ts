const BUCKETS = 6;
const BUCKET_MS = 10_000;

/** How many of the last minute's outcomes were failures, in buckets of ten seconds. */
export class FailureRate {
  private readonly failures = Array.from({ length: BUCKETS }, () => 0);
  private readonly totals = Array.from({ length: BUCKETS }, () => 0);
  private bucket = 0;

  add(now: number, isFailure: boolean): void {
    this.rotate(now);
    const at = this.bucket % BUCKETS;
    this.totals[at] = (this.totals[at] ?? 0) + 1;
    if (isFailure) this.failures[at] = (this.failures[at] ?? 0) + 1;
  }

  /** Over the buckets that `add` left standing. */
  get counts(): { readonly total: number; readonly failures: number } {
    return { total: sum(this.totals), failures: sum(this.failures) };
  }

  clear(): void {
    this.totals.fill(0);
    this.failures.fill(0);
  }

  private rotate(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS);
    for (let next = Math.max(this.bucket + 1, bucket - BUCKETS + 1); next <= bucket; next++) {
      this.totals[next % BUCKETS] = 0;
      this.failures[next % BUCKETS] = 0;
    }
    this.bucket = Math.max(this.bucket, bucket);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
