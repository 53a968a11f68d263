interface Waiting<T, R> {
  readonly item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

export interface BatchLaneOptions<T, R> {
  /** Does a whole batch; the results stand in the order of the items. */
  readonly run: (batch: readonly T[]) => Promise<readonly R[]>;
  /** Whether a batch that failed this way is worth repeating item by item. */
  readonly isWorthSplitting: (error: unknown) => boolean;
  readonly maxBatch?: number;
}

const MAX_BATCH = 256;

/**
 * Group commit by natural batching: while one batch is in flight, what arrives queues and goes together in the next.
 * No timers, so an idle lane adds no wait. A batch that failed is repeated one by one, so that one bad item fails alone.
 */
export class BatchLane<T, R> {
  private readonly queue: Waiting<T, R>[] = [];
  private isPumping = false;

  constructor(private readonly options: BatchLaneOptions<T, R>) {}

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.queue.push({ item, resolve, reject });
      if (this.isPumping) return;
      this.isPumping = true;
      this.pumpSoon();
    });
  }

  /** What arrives in this turn of the event loop goes together. */
  private pumpSoon(): void {
    setImmediate(() => void this.pump());
  }

  private async pump(): Promise<void> {
    const batch = this.queue.splice(0, this.options.maxBatch ?? MAX_BATCH);
    if (batch.length > 0) await this.settleAll(batch);
    if (this.queue.length > 0) this.pumpSoon();
    else this.isPumping = false;
  }

  private async settleAll(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.options.run(batch.map(({ item }) => item));
      for (const [index, waiting] of batch.entries()) waiting.resolve(results[index] as R);
    } catch (error) {
      if (batch.length === 1 || !this.options.isWorthSplitting(error)) {
        for (const waiting of batch) waiting.reject(error);
        return;
      }
      for (const waiting of batch) await this.settleAll([waiting]);
    }
  }
}
