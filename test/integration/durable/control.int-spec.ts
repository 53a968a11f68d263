import { randomUUID } from 'node:crypto';
import type { DurableEngine } from '../../../src/durable/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { type DurableNode, endOf, Gate, QUEUE, startDurableNode } from '../../support/durable/durable-node';

describe('control of durable runs', () => {
  let database: TestDatabase;
  let node: DurableNode;
  let reached: Gate;
  let endedSteps: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startDurableNode(database.url, define);
  });

  beforeEach(() => {
    reached = new Gate();
    endedSteps = [];
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  function define(engine: DurableEngine): void {
    engine.workflow('call', async () => {
      const { runId } = engine;
      await engine.step('call', async (signal) => {
        reached.pass();
        await endOf(signal).catch((error: Error) => endedSteps.push(`${runId}: ${error.name}`));
        throw new Error('Cut off');
      });
      return null;
    });
    engine.workflow('add', (input: number) => engine.step('add', () => Promise.resolve(input + 1)));
    engine.workflow('sum', async (inputs: number[]) => {
      const ids = inputs.map((input) => `${engine.runId}:${input}`);
      for (const [index, input] of inputs.entries())
        await engine.startChild('add', input, { id: ids[index] ?? '', queue: QUEUE });
      // The last first: the others end while nobody waits for them.
      const ended = [await engine.firstEnded(ids.slice(-1))];
      for (let left = ids.slice(0, -1); left.length > 0; left = left.filter((id) => !ended.includes(id)))
        ended.push(await engine.firstEnded(left));
      return ended.toSorted();
    });
    engine.workflow('parent', async () => {
      const child = await engine.startChild('call', null, { id: `${engine.runId}:child`, queue: QUEUE });
      return await engine.firstEnded([child]);
    });
    engine.workflow('ask', async () => {
      const first = await engine.received<string>('answers', 10_000);
      const second = await engine.received<string>('answers', 50);
      return [first, second];
    });
    engine.workflow('answer', async (to: string) => {
      await engine.signal(to, 'answers', 'from a run');
      return null;
    });
  }

  it('aborts what a cancelled run has under way', async () => {
    const id = randomUUID();
    await node.enqueue('call', null, { id });
    await reached.passed;
    await node.engine.cancel([id]);
    expect(await node.ended(id)).toEqual({ id, state: 'cancelled' });
    await until(() => endedSteps.length > 0);
    expect(endedSteps).toEqual([`${id}: RunHandedOverError`]);
  });

  it('aborts it also when no notification comes', async () => {
    const id = randomUUID();
    await node.enqueue('call', null, { id });
    await reached.passed;
    await node.database.query(
      `update dbos.workflow_status set status = 'CANCELLED', owner_xid = null where workflow_uuid = $1`,
      [id],
    );
    await until(() => endedSteps.length > 0);
  });

  it('cancels the children too', async () => {
    const id = randomUUID();
    await node.enqueue('parent', null, { id });
    await reached.passed;
    await node.engine.cancel([id]);
    expect(await node.ended(`${id}:child`)).toMatchObject({ state: 'cancelled' });
    await until(() => endedSteps.length > 0);
    expect(endedSteps).toEqual([`${id}:child: RunHandedOverError`]);
  });

  it('leaves alone what has ended', async () => {
    const id = randomUUID();
    await node.enqueue('add', 1, { id });
    await node.ended(id);
    await node.engine.cancel([id]);
    expect(await node.status(id)).toEqual({ id, state: 'succeeded', output: 2 });
    await node.engine.cancel([]);
  });

  it('tells a parent which child has ended, also those it did not wait for', async () => {
    const id = randomUUID();
    await node.enqueue('sum', [1, 2, 3], { id });
    expect(await node.ended(id)).toMatchObject({ output: [`${id}:1`, `${id}:2`, `${id}:3`] });
    expect(await node.status(`${id}:3`)).toMatchObject({ output: 4 });
  });

  it('tells a parent of a child that was cancelled', async () => {
    const id = randomUUID();
    await node.enqueue('parent', null, { id });
    await reached.passed;
    await node.engine.cancel([`${id}:child`]);
    expect(await node.ended(id)).toMatchObject({ state: 'succeeded', output: `${id}:child` });
  });

  it('hands a signal to the run that waits for it, and lets it wait no longer than it wants', async () => {
    const [asking, alsoAsking] = [randomUUID(), randomUUID()];
    await node.enqueue('ask', null, { id: asking });
    await node.engine.signal(asking, 'answers', 'from outside');
    expect(await node.ended(asking)).toMatchObject({ output: ['from outside', null] });
    await node.enqueue('ask', null, { id: alsoAsking });
    await node.enqueue('answer', alsoAsking, { id: randomUUID() });
    expect(await node.ended(alsoAsking)).toMatchObject({ output: ['from a run', null] });
  });

  it('serves the bodies of runs only', async () => {
    expect(() => node.engine.runId).toThrow('bodies of durable runs only');
    await expect(node.engine.step('alone', () => Promise.resolve(1))).rejects.toThrow(
      'bodies of durable runs only',
    );
    await expect(node.engine.guarded(() => Promise.resolve(1))).rejects.toThrow(
      'bodies of durable runs only',
    );
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  await eventually(() => Promise.resolve(isTrue() ? true : undefined));
}
