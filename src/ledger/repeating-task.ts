/** Runs a task again and again, never twice at once. Does not keep the process alive. */
export class RepeatingTask {
  private timer?: NodeJS.Timeout;
  private running?: Promise<void>;

  /** @param run must not reject. */
  constructor(
    private readonly intervalMs: number,
    private readonly run: () => Promise<void>,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.trigger(), this.intervalMs).unref();
  }

  /** Runs now, or joins the run that is under way. */
  async trigger(): Promise<void> {
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    await this.running;
  }

  /** No further runs until the next start; the one that is under way goes on. */
  pause(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Waits for the run that is under way. */
  async stop(): Promise<void> {
    this.pause();
    await this.running;
  }
}
