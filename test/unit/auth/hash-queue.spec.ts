import { HashQueue } from '../../../src/auth/credentials/hash-queue';
import { ServiceUnavailableError } from '../../../src/errors/index';

function gate(): { task: () => Promise<void>; open: () => void; started: () => boolean } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let hasStarted = false;
  const task = (): Promise<void> => {
    hasStarted = true;
    return promise;
  };
  return { task, open: resolve, started: () => hasStarted };
}

describe(HashQueue.name, () => {
  it('runs no more than the maximum at once and starts the next when one ends', async () => {
    const queue = new HashQueue(2, 10);
    const gates = [gate(), gate(), gate()];
    const runs = gates.map(({ task }) => queue.run(task));
    await new Promise(setImmediate);
    expect(gates.map(({ started }) => started())).toEqual([true, true, false]);
    gates[1]?.open();
    await new Promise(setImmediate);
    expect(gates[2]?.started()).toBe(true);
    for (const { open } of gates) open();
    await Promise.all(runs);
  });

  it('frees the place of a task that fails', async () => {
    const queue = new HashQueue(1, 10);
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(queue.run(() => Promise.resolve('next'))).resolves.toBe('next');
  });

  it('turns away what exceeds the waiting line, with a 503', async () => {
    const queue = new HashQueue(1, 1);
    const held = gate();
    const runs = [queue.run(held.task), queue.run(held.task)];
    await expect(queue.run(held.task)).rejects.toBeInstanceOf(ServiceUnavailableError);
    held.open();
    await Promise.all(runs);
  });
});
