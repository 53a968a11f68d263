import { randomUUID } from 'node:crypto';
import type { DurableEngine } from '../../../src/durable/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { type DurableNode, startDurableNode } from '../../support/durable/durable-node';

const TABLES = ['workflow_status', 'workflow_input', 'workflow_output', 'operation_outputs'];

describe('upkeep of durable runs', () => {
  let database: TestDatabase;
  let node: DurableNode;

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  function define(engine: DurableEngine): void {
    engine.workflow('write', async () => await engine.fenced('write', () => Promise.resolve('written')));
    engine.workflow('wait', async () => await engine.received('never', 60_000));
  }

  async function rowsOf(id: string): Promise<number[]> {
    const counts = [];
    for (const table of TABLES) counts.push(await count(`dbos.${table} where workflow_uuid = '${id}'`));
    return [...counts, await count(`durable_writes where run_id = '${id}'`)];
  }

  async function count(from: string): Promise<number> {
    const rows = await node.database.query<unknown[]>(`select 1 from ${from}`);
    return rows.length;
  }

  it('forgets runs that ended long ago, with all they left', async () => {
    node = await startDurableNode(database.url, define, { DURABLE_RETENTION_HOURS: '2' });
    const [old, young, open] = [randomUUID(), randomUUID(), randomUUID()];
    for (const id of [old, young]) {
      await node.enqueue('write', null, { id });
      await node.ended(id);
    }
    await node.enqueue('wait', null, { id: open });
    await node.database.query(
      `update dbos.workflow_status set created_at = 1, completed_at = completed_at - 7200001 * (workflow_uuid = $1)::integer`,
      [old],
    );
    expect(await rowsOf(old)).toEqual([1, 1, 1, 1, 1]);
    expect(await node.cleanup.run()).toBe(1);
    expect(await rowsOf(old)).toEqual([0, 0, 0, 0, 0]);
    expect(await rowsOf(young)).toEqual([1, 1, 1, 1, 1]);
    expect(await node.status(open)).toMatchObject({ id: open });
    // Its wait would outlive the test.
    await node.engine.signal(open, 'never', 'at last');
    await node.ended(open);
  });

  it('forgets processes that were not heard of for a day', async () => {
    node = await startDurableNode(database.url, define);
    await node.database.query(`insert into durable_nodes values ('gone', now() - interval '25 hours')`);
    await node.cleanup.run();
    expect(await node.database.query('select id from durable_nodes')).toEqual([{ id: node.nodeId }]);
  });

  it('leaves the work to others where it is told to', async () => {
    node = await startDurableNode(database.url, define, { PROJECT_WORKER: 'off' });
    const [first, second] = [randomUUID(), randomUUID()];
    await node.enqueue('write', null, { id: first });
    await node.enqueue('wait', null, { id: second });
    await node.engine.signal(second, 'never', 'at last');
    await node.engine.cancel([first]);
    expect(await node.status(first)).toEqual({ id: first, state: 'cancelled' });
    expect(await node.status(second)).toEqual({ id: second, state: 'waiting' });
    expect(await count('durable_nodes')).toBe(0);
    await node.close();
    node = await startDurableNode(database.url, define);
    expect(await node.ended(second)).toEqual({ id: second, state: 'succeeded', output: 'at last' });
    expect(await count('durable_nodes')).toBe(1);
  });
});
