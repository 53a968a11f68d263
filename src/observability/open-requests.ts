import { Injectable } from '@nestjs/common';
import type { RequestState } from './request-state';

/** The process is leaving; the reason of a request's abort signal. */
export class ShutdownError extends Error {
  constructor() {
    super('The service is shutting down: send the request again');
    this.name = 'ShutdownError';
  }
}

/**
 * Every connection that waits for an answer and every piece of paid work behind one (which outlives a client that hung
 * up), so that shutdown can wait for them and then end them cleanly.
 */
@Injectable()
export class OpenRequests {
  private readonly open = new Set<RequestState>();
  private workCount = 0;
  private onIdle?: () => void;
  private readonly drainStart = new AbortController();

  add(state: RequestState): void {
    this.open.add(state);
  }

  remove(state: RequestState): void {
    this.open.delete(state);
    this.notifyWhenIdle();
  }

  /** Marks work that must reach its end (settlement) before the process may leave. */
  enterWork(): void {
    this.workCount += 1;
  }

  leaveWork(): void {
    this.workCount -= 1;
    this.notifyWhenIdle();
  }

  /** Waits until nothing is open, `limitMs` at most; aborts the rest and gives it `graceMs` to end with an error of its own. */
  async drain(limitMs: number, graceMs: number): Promise<void> {
    this.drainStart.abort(new ShutdownError());
    await this.idle(limitMs);
    for (const state of this.open) state.controller.abort(new ShutdownError());
    await this.idle(graceMs);
  }

  /** No new work is taken any more. */
  get isDraining(): boolean {
    return this.drainStart.signal.aborted;
  }

  /** Aborted when draining starts, for what waits without work: endless streams end at once. */
  get drainSignal(): AbortSignal {
    return this.drainStart.signal;
  }

  get count(): number {
    return Math.max(this.open.size, this.workCount);
  }

  private get isIdle(): boolean {
    return this.open.size === 0 && this.workCount === 0;
  }

  private notifyWhenIdle(): void {
    if (this.isIdle) this.onIdle?.();
  }

  private async idle(limitMs: number): Promise<void> {
    if (this.isIdle) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      timer = setTimeout(resolve, limitMs);
    });
    clearTimeout(timer);
    this.onIdle = undefined;
  }
}
