import type { AppError } from '../../errors/index';
import { abortError } from '../execution.errors';
import type { KeptAnswer } from './kept-answer';

/** How work ended, for those who waited for it. Neither: each of them tries by itself. */
export interface FlightEnd {
  readonly answer?: KeptAnswer;
  /** The request itself was at fault, so theirs is too. */
  readonly fault?: AppError;
}

/**
 * Work that is under way and may be waited for by identical requests. It has a signal of its own: the caller it was
 * started for may leave, and it goes on as long as somebody else waits.
 */
export class Flight {
  private readonly controller = new AbortController();
  private readonly ended = Promise.withResolvers<FlightEnd>();
  private readonly followed = Promise.withResolvers<void>();
  private followers = 0;
  private isOver = false;
  /** Why the leader left; undefined while it is there. */
  private left?: { readonly reason: unknown };

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** May another request wait for it? */
  get isOpen(): boolean {
    return !this.isOver && !this.signal.aborted;
  }

  /** Resolves when the first one waits. */
  get whenFollowed(): Promise<void> {
    return this.followed.promise;
  }

  join(): void {
    this.followers += 1;
    this.followed.resolve();
  }

  /** Of one who has joined. The last one that nobody is left behind ends the work. */
  leave(): void {
    this.followers -= 1;
    if (this.followers === 0 && this.left) this.controller.abort(this.left.reason);
  }

  /** @returns true when the work goes on for others; else it is aborted. */
  leaderLeaves(reason: unknown): boolean {
    this.left = { reason };
    if (this.isOpen && this.followers > 0) return true;
    this.controller.abort(reason);
    return false;
  }

  /** Tells all who wait; only the first call counts. */
  end(end: FlightEnd): void {
    this.isOver = true;
    this.ended.resolve(end);
  }

  /** @throws AppError when the caller's own signal fires first. */
  async outcome(signal: AbortSignal): Promise<FlightEnd> {
    if (signal.aborted) throw abortError(signal);
    const gone = Promise.withResolvers<never>();
    const onAbort = (): void => gone.reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.ended.promise, gone.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
