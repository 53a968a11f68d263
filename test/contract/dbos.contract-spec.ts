/** What Lattice uses of DBOS beside its public interface. A new version is taken up when this holds for it. */
import { randomUUID } from 'node:crypto';
import * as context from '@dbos-inc/dbos-sdk/internal/context';
import { DBOSExecutor } from '@dbos-inc/dbos-sdk/internal/dbos-executor';
import { allMigrations } from '@dbos-inc/dbos-sdk/internal/sysdb_migrations/internal/migrations';
import * as utils from '@dbos-inc/dbos-sdk/internal/utils';
import { wfQueueRunner } from '@dbos-inc/dbos-sdk/internal/wfqueue';
import { DURABLE_SCHEMA_VERSION } from '../../src/database/durable-schema';
import type { Executor, QueueRunner } from '../../src/durable/dbos/dbos-sdk';
import { dependencies } from '../../package.json';
import { createTestDatabase, type TestDatabase } from '../support/database/test-database';
import { type DurableNode, endOf, Gate, QUEUE, startDurableNode } from '../support/durable/durable-node';

describe('DBOS', () => {
  let database: TestDatabase;
  let node: DurableNode;
  let reached: Gate;
  let owner: string | undefined;
  const runner = wfQueueRunner as unknown as QueueRunner;
  const executor = (): Executor | undefined => DBOSExecutor.globalInstance;

  beforeAll(async () => {
    reached = new Gate();
    database = await createTestDatabase();
    node = await startDurableNode(database.url, (engine) => {
      engine.workflow('wait', async () => {
        await engine.step('wait', async (signal) => {
          owner = context.currentOwnerXid(engine.runId);
          reached.pass();
          await endOf(signal);
          return null;
        });
        return null;
      });
    });
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  async function rowOf(id: string): Promise<Record<string, unknown> | undefined> {
    const rows = await node.database.query<Record<string, unknown>[]>(
      `select status, executor_id, owner_xid, recovery_attempts::integer as attempts, queue_name, application_version,
         started_at_epoch_ms is not null as "isStarted", completed_at is not null as "isCompleted"
       from dbos.workflow_status where workflow_uuid = $1`,
      [id],
    );
    return rows[0];
  }

  it('is pinned', () => {
    expect(dependencies['@dbos-inc/dbos-sdk']).toBe('5.3.0');
  });

  it('makes the schema whose version the migration knows', async () => {
    const migrations = allMigrations('dbos', { useListenNotify: true, isCockroach: false });
    expect(migrations).toHaveLength(DURABLE_SCHEMA_VERSION);
    const rows = await node.database.query<unknown[]>('select version::integer from dbos.dbos_migrations');
    expect(rows).toEqual([{ version: DURABLE_SCHEMA_VERSION }]);
  });

  it('keeps who carries out a run, and how often it was begun, where the take-over looks', async () => {
    const id = randomUUID();
    await node.enqueue('wait', null, { id });
    await reached.passed;
    expect(await rowOf(id)).toEqual({
      status: 'PENDING',
      executor_id: node.nodeId,
      owner_xid: owner,
      attempts: 1,
      queue_name: QUEUE,
      application_version: '1',
      isStarted: true,
      isCompleted: false,
    });
    expect(owner).toEqual(expect.any(String));
    expect(executor()?.systemDatabase.countRunningWorkflowsForQueue(QUEUE)).toBe(1);
    expect(executor()?.systemDatabase.checkForRunningWorkflow(id)).toBe(true);
    expect(executor()?.systemDatabase.checkForRunningWorkflow(randomUUID())).toBe(false);
    await node.engine.cancel([id]);
    expect(await rowOf(id)).toMatchObject({ status: 'CANCELLED', owner_xid: null, isCompleted: true });
  });

  it('waits in the queue without an owner', async () => {
    const id = randomUUID();
    await node.enqueue('wait', null, { id, delayMs: 60_000 });
    expect(await rowOf(id)).toMatchObject({
      status: 'DELAYED',
      owner_xid: null,
      attempts: 0,
      isStarted: false,
    });
  });

  it('knows no owner outside of runs', () => {
    expect(context.currentOwnerXid(randomUUID())).toBeUndefined();
  });

  it('polls every queue by the method that the wake calls and stands in for', () => {
    const prototype = Object.getPrototypeOf(wfQueueRunner) as Partial<QueueRunner>;
    expect(prototype.pollQueue).toHaveLength(2);
    expect(Object.hasOwn(wfQueueRunner, 'pollQueue')).toBe(true);
    expect(runner.states.get(QUEUE)?.queue).toMatchObject({ name: QUEUE });
    expect(executor()?.initialized).toBe(true);
  });

  it('takes its patience after an outage from where it is set', () => {
    expect(utils.dbRetryConfig).toEqual({ initialBackoffSec: 0.25, maxBackoffSec: 2 });
  });
});
