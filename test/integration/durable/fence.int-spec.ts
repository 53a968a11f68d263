import { randomUUID } from 'node:crypto';
import { type DurableEngine, RunHandedOverError } from '../../../src/durable/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { type DurableNode, endOf, Gate, startDurableNode } from '../../support/durable/durable-node';
import { eventually } from '../../support/eventually';

/** As another process does that takes all runs for left behind. */
const TAKE_OVER = `update dbos.workflow_status set status = 'ENQUEUED', owner_xid = null where workflow_uuid = $1`;
/** So that nobody takes it up meanwhile. */
const TAKE_AWAY = `update dbos.workflow_status set owner_xid = 'another' where workflow_uuid = $1`;

describe('runs that are taken from their process', () => {
  let database: TestDatabase;
  let node: DurableNode;
  let reached: Gate;
  let gate: Gate;
  let refusals: unknown[];
  let starts: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startDurableNode(database.url, define);
    await node.database.query('create table writes (run_id text)');
  });

  beforeEach(() => {
    reached = new Gate();
    gate = new Gate();
    refusals = [];
    starts = 0;
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  function define(engine: DurableEngine): void {
    const write = async (tx: {
      query(sql: string, parameters: unknown[]): Promise<unknown>;
    }): Promise<null> => {
      await tx.query('insert into writes values ($1)', [engine.runId]);
      return null;
    };
    engine.workflow('guarded', async () => {
      await engine.step('hold', async () => {
        reached.pass();
        await gate.passed;
        await noted(engine.guarded(write));
        return null;
      });
      return null;
    });
    engine.workflow('fenced', async () => {
      reached.pass();
      await gate.passed;
      await noted(engine.fenced('write', write));
      return null;
    });
    engine.workflow('stepped', async () => {
      await noted(
        engine.step('hold', async () => {
          reached.pass();
          await gate.passed;
          return null;
        }),
      );
      return null;
    });
    engine.workflow('crash', async (stepsBefore: number) => {
      starts += 1;
      for (let number = 0; number < stepsBefore * starts; number += 1)
        await engine.step(`step ${number}`, () => Promise.resolve(number));
      if (starts > 5) return starts;
      await engine.step('crash', async (signal) => {
        reached.pass();
        await endOf(signal);
        return null;
      });
      return starts;
    });
  }

  async function noted<T>(work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      refusals.push(error);
      throw error;
    });
  }

  async function writes(id: string): Promise<number> {
    const rows = await node.database.query<unknown[]>('select 1 from writes where run_id = $1', [id]);
    return rows.length;
  }

  it.each(['guarded', 'fenced', 'stepped'])('write nothing any more: %s', async (name) => {
    const id = randomUUID();
    await node.enqueue(name, null, { id });
    await reached.passed;
    await node.database.query(TAKE_AWAY, [id]);
    gate.pass();
    await eventually(() => Promise.resolve(refusals[0]));
    expect(refusals).toEqual([expect.any(RunHandedOverError)]);
    expect(await writes(id)).toBe(0);
    expect(await node.status(id)).toEqual({ id, state: 'running' });
  });

  it.each(['guarded', 'fenced'])('write as long as they are their own: %s', async (name) => {
    const id = randomUUID();
    gate.pass();
    await node.enqueue(name, null, { id });
    expect(await node.ended(id)).toMatchObject({ state: 'succeeded' });
    expect(await writes(id)).toBe(1);
  });

  /** Its process ends in the middle of the step; as often as the run is taken up again. */
  async function crash(id: string, times: number): Promise<void> {
    for (let crashes = 0; crashes < times; crashes += 1) {
      await reached.passed;
      reached = new Gate();
      await node.database.query(TAKE_OVER, [id]);
    }
  }

  it('are given up when they end their process three times in the same place', async () => {
    const id = randomUUID();
    await node.enqueue('crash', 0, { id });
    await crash(id, 3);
    expect(await node.ended(id)).toMatchObject({ id, state: 'given_up' });
    expect(starts).toBe(3);
  });

  it('are not given up as long as they get any further', async () => {
    const id = randomUUID();
    await node.enqueue('crash', 1, { id });
    await crash(id, 5);
    expect(await node.ended(id)).toEqual({ id, state: 'succeeded', output: 6 });
  });
});
