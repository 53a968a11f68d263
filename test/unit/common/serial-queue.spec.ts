import { SerialQueue } from '../../../src/common/index';

describe(SerialQueue.name, () => {
  it('runs one after the other in the order they came, also behind a failure', async () => {
    const queue = new SerialQueue();
    const steps: string[] = [];
    const work = (name: string, error?: Error) => async (): Promise<string> => {
      steps.push(`${name} begins`);
      await Promise.resolve();
      steps.push(`${name} ends`);
      if (error) throw error;
      return name;
    };
    const [first, second, third] = await Promise.allSettled([
      queue.run(work('first')),
      queue.run(work('second', new Error('broken'))),
      queue.run(work('third')),
    ]);
    expect([first, second, third].map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(third).toMatchObject({ value: 'third' });
    expect(steps).toEqual(['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it('is idle when all that came before has ended', async () => {
    const queue = new SerialQueue();
    let hasEnded = false;
    const work = queue.run(async () => {
      await Promise.resolve();
      hasEnded = true;
    });
    await queue.idle();
    expect(hasEnded).toBe(true);
    await work;
  });
});
