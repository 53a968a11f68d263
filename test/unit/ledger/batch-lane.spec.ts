import { BatchLane } from '../../../src/ledger/batch-lane';

/** Runs that end when the test says so. */
function controlled() {
  const batches: number[][] = [];
  const pending: { resolve: (results: number[]) => void; reject: (error: Error) => void }[] = [];
  const started: (() => void)[] = [];
  const run = (batch: readonly number[]): Promise<number[]> => {
    batches.push([...batch]);
    started.shift()?.();
    return new Promise((resolve, reject) => pending.push({ resolve, reject }));
  };
  const nextStart = (): Promise<void> => new Promise((resolve) => started.push(resolve));
  return { batches, pending, run, nextStart };
}

describe(BatchLane.name, () => {
  const isWorthSplitting = (error: unknown): boolean => (error as Error).message !== 'away';

  it('sends together what arrives together, and queues the rest while a batch is in flight', async () => {
    const { batches, pending, run, nextStart } = controlled();
    const lane = new BatchLane<number, number>({ run, isWorthSplitting });
    let start = nextStart();
    const first = [lane.add(1), lane.add(2)];
    await start;
    start = nextStart();
    const second = [lane.add(3), lane.add(4), lane.add(5)];
    pending[0]?.resolve([10, 20]);
    await start;
    pending[1]?.resolve([30, 40, 50]);
    await expect(Promise.all([...first, ...second])).resolves.toEqual([10, 20, 30, 40, 50]);
    expect(batches).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  it('keeps to the largest batch', async () => {
    const sizes: number[] = [];
    const run = (batch: readonly number[]): Promise<readonly number[]> => {
      sizes.push(batch.length);
      return Promise.resolve(batch);
    };
    const lane = new BatchLane<number, number>({ run, isWorthSplitting, maxBatch: 4 });
    await Promise.all(Array.from({ length: 10 }, (_, i) => lane.add(i)));
    expect(sizes).toEqual([4, 4, 2]);
  });

  it('repeats a failed batch one by one, so that the bad item fails alone', async () => {
    const run = (batch: readonly number[]): Promise<readonly number[]> =>
      batch.includes(2) ? Promise.reject(new Error('bad row')) : Promise.resolve(batch);
    const lane = new BatchLane<number, number>({ run, isWorthSplitting });
    const results = await Promise.allSettled([1, 2, 3].map((item) => lane.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fails the whole batch at once when repeating it cannot help', async () => {
    let runs = 0;
    const run = (): Promise<readonly number[]> => {
      runs += 1;
      return Promise.reject(new Error('away'));
    };
    const lane = new BatchLane<number, number>({ run, isWorthSplitting });
    const results = await Promise.allSettled([1, 2, 3].map((item) => lane.add(item)));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(runs).toBe(1);
    await expect(lane.add(4)).rejects.toThrow('away');
  });
});
