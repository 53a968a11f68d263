import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { DurableEngine } from '../../../src/durable/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { type DurableNode, endOf, Gate, startDurableNode } from '../../support/durable/durable-node';

describe('the journal of durable runs', () => {
  let database: TestDatabase;
  let node: DurableNode;
  let done: string[];
  let gate: Gate;
  let reached: Gate;

  /** Buys something, writes it down, and waits at the gate. */
  function define(engine: DurableEngine): void {
    engine.workflow('buy', async (input: string) => {
      const price = await engine.step('buy', () => {
        done.push('buy');
        return Promise.resolve(input.length);
      });
      await engine.fenced('note', async (tx) => {
        done.push('note');
        await tx.query('insert into purchases values ($1, $2)', [engine.runId, price]);
        return null;
      });
      await engine.step('wait', async (signal) => {
        done.push('wait');
        reached.pass();
        await Promise.race([gate.passed, endOf(signal)]);
        return null;
      });
      return price;
    });
  }

  beforeEach(async () => {
    database = await createTestDatabase();
    await start();
    await node.database.query('create table purchases (run_id text, price integer)');
  });

  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  async function start(): Promise<void> {
    done = [];
    gate = new Gate();
    reached = new Gate();
    node = await startDurableNode(database.url, define, { DURABLE_DRAIN_MS: '0' });
  }

  /** The process ends while the run waits at the gate. */
  async function runUntilTheEnd(): Promise<string> {
    const id = randomUUID();
    await node.enqueue('buy', 'twelve', { id });
    await reached.passed;
    await node.close();
    return id;
  }

  async function query(sql: string, parameters: unknown[]): Promise<void> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(sql, parameters);
    await client.end();
  }

  async function purchases(): Promise<number> {
    const rows = await node.database.query<unknown[]>('select 1 from purchases');
    return rows.length;
  }

  it('does again what had not ended, and nothing else', async () => {
    const id = await runUntilTheEnd();
    expect(done).toEqual(['buy', 'note', 'wait']);
    await start();
    gate.pass();
    expect(await node.ended(id)).toEqual({ id, state: 'succeeded', output: 6 });
    expect(done).toEqual(['wait']);
    expect(await purchases()).toBe(1);
  });

  it('does not repeat a transaction that is committed and stands in no journal', async () => {
    const id = await runUntilTheEnd();
    await query(`delete from dbos.operation_outputs where workflow_uuid = $1 and function_name = 'note'`, [
      id,
    ]);
    await start();
    gate.pass();
    expect(await node.ended(id)).toMatchObject({ state: 'succeeded' });
    expect(done).toEqual(['wait']);
    expect(await purchases()).toBe(1);
  });

  it('does not count an orderly end as a crash', async () => {
    const id = await runUntilTheEnd();
    for (let ends = 0; ends < 4; ends += 1) {
      await start();
      await reached.passed;
      await node.close();
    }
    await start();
    gate.pass();
    expect(await node.ended(id)).toMatchObject({ state: 'succeeded' });
  });
});
