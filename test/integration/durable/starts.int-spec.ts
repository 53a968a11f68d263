import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { type DurableNode, QUEUE, startDurableNode } from '../../support/durable/durable-node';

describe('starts of durable runs', () => {
  let database: TestDatabase;
  let node: DurableNode;
  let starts: string[];
  let peak: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startDurableNode(database.url, (engine) => {
      engine.workflow('echo', async (input: string) => {
        starts.push(engine.runId);
        return await engine.step('say', () => Promise.resolve(`${input}!`));
      });
      engine.workflow('fail', async () => {
        await engine.step('fall', () => Promise.reject(new Error('It fell')));
        return null;
      });
      engine.queue('narrow', { perNode: 2 });
      engine.workflow('crowd', async (ids: string[]) => {
        await engine.step('count', async () => {
          const running = (await engine.statuses(ids)).filter(({ state }) => state === 'running');
          peak = Math.max(peak, running.length);
          return null;
        });
        return null;
      });
      engine.workflow('nap', async (ms: number) => {
        await engine.sleep(ms);
        return 'awake';
      });
    });
  });

  beforeEach(() => {
    starts = [];
    peak = 0;
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  it('carries out what a committed transaction has started', async () => {
    const id = randomUUID();
    await node.enqueue('echo', 'hello', { id });
    expect(await node.ended(id)).toEqual({ id, state: 'succeeded', output: 'hello!' });
  });

  it('leaves nothing of a transaction that was rolled back', async () => {
    const id = randomUUID();
    const rolledBack = node.database.transaction(async (tx) => {
      await node.engine.enqueue(tx, 'echo', 'hello', { id, queue: QUEUE });
      throw new Error('Changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('Changed my mind');
    const after = randomUUID();
    await node.enqueue('echo', 'hello', { id: after });
    await node.ended(after);
    expect(await node.status(id)).toBeUndefined();
    expect(starts).toEqual([after]);
  });

  it('starts the same id once', async () => {
    const id = randomUUID();
    await Promise.all([1, 2, 3].map(() => node.enqueue('echo', 'hello', { id })));
    await node.ended(id);
    await node.enqueue('echo', 'again', { id });
    expect(await node.ended(id)).toMatchObject({ output: 'hello!' });
    expect(starts).toEqual([id]);
  });

  it('tells of a failure', async () => {
    const id = randomUUID();
    await node.enqueue('fail', null, { id });
    expect(await node.ended(id)).toEqual({ id, state: 'failed', error: 'It fell' });
  });

  it('waits for as long as it was told to', async () => {
    const ids = [randomUUID(), randomUUID()] as const;
    const began = performance.now();
    await node.enqueue('nap', 300, { id: ids[0] });
    await node.enqueue('echo', 'later', { id: ids[1], delayMs: 300 });
    expect(await node.status(ids[1])).toEqual({ id: ids[1], state: 'waiting' });
    expect(await node.ended(ids[0])).toMatchObject({ output: 'awake' });
    expect(await node.ended(ids[1])).toMatchObject({ output: 'later!' });
    expect(performance.now() - began).toBeGreaterThan(299);
  });

  it('carries out no more runs of a queue at once than it may', async () => {
    const ids = Array.from({ length: 12 }, () => randomUUID());
    await node.database.transaction(async (tx) => {
      for (const id of ids) await node.engine.enqueue(tx, 'crowd', ids, { id, queue: 'narrow' });
    });
    for (const id of ids) expect(await node.ended(id)).toMatchObject({ state: 'succeeded' });
    expect(peak).toBe(2);
  });

  it('refuses a start outside of a transaction, and one that can never end', async () => {
    const options = { id: randomUUID(), queue: QUEUE };
    const { manager } = node.database;
    await expect(node.engine.enqueue(manager, 'echo', 'hello', options)).rejects.toThrow('in a transaction');
    await expect(node.enqueue('unknown', null, options)).rejects.toThrow('no workflow "unknown"');
    await expect(node.enqueue('echo', 'hello', { ...options, queue: 'none' })).rejects.toThrow(
      'no queue "none"',
    );
    expect(() => node.engine.workflow('late', () => Promise.resolve(null))).toThrow('too late');
  });

  it('knows nothing of runs that nobody started', async () => {
    expect(await node.engine.statuses([])).toEqual([]);
    expect(await node.engine.statuses([randomUUID()])).toEqual([]);
  });
});
