/** So much work at once; what comes beyond waits in line, in the order it came. */
export class Turnstile {
  private readonly line = new Set<() => void>();

  constructor(
    private free: number,
    private readonly maxWaiting: number,
  ) {}

  /** What the work gives; undefined when its turn never came: the line was full, or the signal fired first. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const turn = this.enter(signal);
    if (!(typeof turn === 'boolean' ? turn : await turn)) return undefined;
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private enter(signal: AbortSignal): boolean | Promise<boolean> {
    if (signal.aborted) return false;
    if (this.free === 0) return this.line.size < this.maxWaiting && this.wait(signal);
    this.free -= 1;
    return true;
  }

  private wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasTurn: boolean): void => {
        this.line.delete(take);
        signal.removeEventListener('abort', leave);
        resolve(hasTurn);
      };
      const take = (): void => end(true);
      const leave = (): void => end(false);
      this.line.add(take);
      signal.addEventListener('abort', leave);
    });
  }

  private leave(): void {
    const [next] = this.line;
    if (next) next();
    else this.free += 1;
  }
}
