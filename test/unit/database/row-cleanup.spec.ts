import { RowCleanup, type RowRemoval } from '../../../src/database/index';

class Cleanup extends RowCleanup {
  constructor(...removals: RowRemoval[]) {
    super(removals);
  }
}

/** Rows that are over, and how many were asked for at once. */
function aTable(count: number) {
  const asked: number[] = [];
  const remove: RowRemoval = async (limit) => {
    asked.push(limit);
    const removed = Math.min(limit, count);
    count -= removed;
    return removed;
  };
  return { asked, remove, left: () => count };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

describe(RowCleanup.name, () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('removes in batches from each table until nothing is left', async () => {
    const tables = [aTable(2500), aTable(0), aTable(1000)];
    const cleanup = new Cleanup(...tables.map(({ remove }) => remove));
    await expect(cleanup.run()).resolves.toBe(3500);
    expect(tables.map(({ asked }) => asked.length)).toEqual([3, 1, 2]);
    expect(new Set(tables.flatMap(({ asked }) => asked))).toEqual(new Set([1000]));
  });

  it('runs at the start, because a process may never get an hour old, and then every hour', async () => {
    const table = aTable(10);
    const cleanup = new Cleanup(table.remove);
    cleanup.onApplicationBootstrap();
    await settle();
    expect(table.left()).toBe(0);
    jest.advanceTimersByTime(3_600_000);
    await settle();
    expect(table.asked).toHaveLength(2);
    await cleanup.beforeApplicationShutdown();
  });

  it('stops between two batches when the process leaves', async () => {
    const endless = jest.fn(async (limit: number) => limit);
    const cleanup = new Cleanup(endless);
    cleanup.onApplicationBootstrap();
    await cleanup.beforeApplicationShutdown();
    expect(endless).toHaveBeenCalledTimes(1);
  });
});
