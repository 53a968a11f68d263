import { RateLimitedError } from '../errors/index';

const RETRY_AFTER_MS = 5000;

/** Who waits for another request's answer: each looks each second, so an owner may have so many only. */
export class WaitingDuplicates {
  private readonly counts = new Map<string, number>();

  /** @throws RateLimitedError when the owner has as many as he may. */
  enter(owner: string, most: number): void {
    const count = this.counts.get(owner) ?? 0;
    if (count >= most) {
      throw new RateLimitedError(
        `${most} of your requests wait for the answers of others with the same Idempotency-Key: send this one later`,
        { param: 'Idempotency-Key', retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.counts.set(owner, count + 1);
  }

  leave(owner: string): void {
    const count = this.counts.get(owner) ?? 0;
    if (count > 1) this.counts.set(owner, count - 1);
    else this.counts.delete(owner);
  }
}
