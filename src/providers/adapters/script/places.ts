/** How long a queue may get; who comes then is told to come back. */
const MAX_WAITING = 256;

export type Refusal = 'full' | 'late' | 'aborted';

/** Nobody got a place: nothing was started. */
export class NoPlaceError extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal);
  }
}

/** Room for a bounded number at once; the others wait in turn, each for as long as its signal and the limit let it. */
export class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(
    count: number,
    private readonly limitMs: number,
  ) {
    this.#free = count;
  }

  /** @returns what gives the place back, once. @throws NoPlaceError */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new NoPlaceError('aborted');
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    let isLeft = false;
    return () => {
      if (!isLeft) this.#leave();
      isLeft = true;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= MAX_WAITING) throw new NoPlaceError('full');
    return new Promise((resolve, reject) => {
      const end = (refusal?: Refusal): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(onTurn);
        if (refusal) reject(new NoPlaceError(refusal));
        else resolve();
      };
      const onTurn = (): void => end();
      const onAbort = (): void => end('aborted');
      const timer = setTimeout(() => end('late'), this.limitMs);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(onTurn);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next) next();
    else this.#free += 1;
  }
}
