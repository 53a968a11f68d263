/**
 * Runs a task when it is woken, and at least once per interval. Never twice at once; a wake during a run makes it run
 * again, so that nothing that came meanwhile is missed. Does not keep the process alive.
 */
export class WakeLoop {
  private timer?: NodeJS.Timeout;
  private running?: Promise<void>;
  private isAgainWanted = false;
  private isStopped = true;

  /** @param run must not reject. */
  constructor(
    private readonly intervalMs: number,
    private readonly run: () => Promise<void>,
  ) {}

  start(): void {
    this.isStopped = false;
    this.timer ??= setInterval(() => this.wake(), this.intervalMs).unref();
  }

  wake(): void {
    if (this.isStopped) return;
    if (this.running) {
      this.isAgainWanted = true;
      return;
    }
    this.running = this.run().finally(() => {
      this.running = undefined;
      if (!this.isAgainWanted) return;
      this.isAgainWanted = false;
      this.wake();
    });
  }

  /** No further runs; waits for the one that is under way. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    this.timer = undefined;
    await this.running;
  }
}
