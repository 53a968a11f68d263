import { Logger } from '@nestjs/common';
import { toServiceUnavailable } from '../errors/index';

/**
 * Work that goes on for as long as the process lives: once per interval, and whenever it is woken. Never twice at once,
 * and a wake during a run makes it run again, so that nothing that came meanwhile is missed. Does not keep the process
 * alive. A failure is logged and the next run tries again; that PostgreSQL is away is not: readiness tells it.
 */
export class BackgroundLoop {
  private readonly logger = new Logger(BackgroundLoop.name);
  private timer?: NodeJS.Timeout;
  private running?: Promise<void>;
  private next?: Promise<void>;
  private stopping = new AbortController();

  constructor(
    /** What is being done, as the log names it. */
    private readonly name: string,
    private readonly intervalMs: number,
    /** The signal is aborted by `stop`. */
    private readonly work: (signal: AbortSignal) => Promise<unknown>,
  ) {}

  /** The first run is an interval later, or when it is woken. */
  start(): void {
    if (this.timer) return;
    this.stopping = new AbortController();
    this.timer = setInterval(() => {
      if (!this.running) void this.begin();
    }, this.intervalMs).unref();
  }

  /** Does nothing before the start and after the stop. */
  wake(): void {
    if (this.timer) void this.runNow();
  }

  /** Resolves at the end of a run that began after this call, started or not. Never rejects. */
  async runNow(): Promise<void> {
    if (this.running) this.next ??= this.running.then(() => this.again());
    await (this.next ?? this.begin());
  }

  /** No further runs until the next start; the one that is under way goes on. */
  pause(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** No further runs until the next start; waits for the one that is under way. */
  async stop(): Promise<void> {
    this.pause();
    this.stopping.abort();
    await this.running;
  }

  private again(): Promise<void> | undefined {
    this.next = undefined;
    return this.stopping.signal.aborted ? undefined : this.begin();
  }

  private begin(): Promise<void> {
    this.running = this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  private async run(): Promise<void> {
    try {
      await this.work(this.stopping.signal);
    } catch (error) {
      if (!toServiceUnavailable(error))
        this.logger.error(`Failed: ${this.name}: ${String(error)}`, (error as Error | undefined)?.stack);
    }
  }
}
