import type { DataSource, EntityManager } from 'typeorm';
import { Fence } from '../../../src/durable/fence';
import { ServiceUnavailableError } from '../../../src/errors/index';

const RUN = { runId: 'run', owner: 'me' };

describe(Fence.name, () => {
  let outcomes: (() => unknown)[];
  let transactions: number;
  let fence: Fence;

  beforeEach(() => {
    transactions = 0;
    const tx = { query: () => Promise.resolve([{ owner: 'me', isAgain: false, isWritten: false }]) };
    const transaction = async (work: (tx: EntityManager) => Promise<unknown>): Promise<unknown> => {
      transactions += 1;
      outcomes.shift()?.();
      return await work(tx as unknown as EntityManager);
    };
    fence = new Fence({ transaction } as unknown as DataSource);
  });

  const away = (): never => {
    throw new ServiceUnavailableError('The database is not available');
  };
  const violation = (constraint: string) => (): never => {
    throw Object.assign(new Error('duplicate key'), { driverError: { code: '23505', constraint } });
  };
  const write = (signal = new AbortController().signal): Promise<number> =>
    fence.once({ ...RUN, signal }, 3, () => Promise.resolve(7));

  it('waits while PostgreSQL is away, and looks again when its own commit came between', async () => {
    outcomes = [away, violation('durable_writes_pkey')];
    await expect(write()).resolves.toBe(7);
    expect(transactions).toBe(3);
  });

  it('fails at once for everything else', async () => {
    outcomes = [violation('tasks_pkey')];
    await expect(write()).rejects.toThrow('duplicate key');
    expect(transactions).toBe(1);
  });

  it('waits no longer than for as long as the run is its own', async () => {
    const controller = new AbortController();
    outcomes = [
      () => {
        controller.abort(new Error('Handed over'));
        away();
      },
    ];
    await expect(write(controller.signal)).rejects.toThrow('Handed over');
    expect(transactions).toBe(1);
  });
});
