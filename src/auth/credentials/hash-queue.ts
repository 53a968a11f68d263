import { ServiceUnavailableError } from '../../errors/index';

/** Runs a bounded number of expensive tasks at once; a bounded number waits, the rest is turned away. */
export class HashQueue {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /** @throws ServiceUnavailableError when too many wait already. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  private async enter(): Promise<void> {
    if (this.running < this.maxRunning) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= this.maxWaiting) {
      throw new ServiceUnavailableError('Too many logins at once. Try again in a few seconds.');
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** The place of a finished task passes to the next one that waits. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
