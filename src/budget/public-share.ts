import { RateLimitedError } from '../errors/index';
import type { RateLimitState } from '../ledger/index';

/** Of the installation's window. */
const SHARE = 0.1;
const LEAST = 20;

/**
 * How much of the installation's request limit the callers without a credential may use up in this process: a tenth of
 * each window, or 20 requests where that is more. Without it, a flood of logins would lock everybody out.
 */
export class PublicShare {
  private window?: { readonly endsMs: number; readonly most: number };
  private used = 0;

  /** @throws RateLimitedError when the share of the current window is used up. */
  check(nowMs: number): void {
    if (!this.window || nowMs >= this.window.endsMs || this.used < this.window.most) return;
    const retryAfterMs = this.window.endsMs - nowMs;
    const until = new Date(this.window.endsMs).toISOString();
    throw new RateLimitedError(
      `Too many requests without a credential until ${until}: send one, or come back then`,
      { retryAfterMs, details: { scope: 'global', resetsAt: until } },
    );
  }

  /** Notes a request that was counted. @param state of the installation's limit */
  note(state: RateLimitState): void {
    const endsMs = state.resetsAt.getTime();
    if (this.window?.endsMs !== endsMs) this.used = 0;
    this.window = { endsMs, most: Math.max(LEAST, Math.floor(state.limit * SHARE)) };
    this.used += 1;
  }
}
