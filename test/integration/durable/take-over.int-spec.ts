import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { allUnderWay, DurableCluster, RUNS } from '../../support/durable/durable-cluster';
import type { DurableProcess } from '../../support/durable/durable-process';

const LIMIT_MS = 180_000;

describe('processes that carry on the runs of others', () => {
  let database: TestDatabase;
  let cluster: DurableCluster;

  beforeAll(async () => {
    database = await createTestDatabase();
    cluster = await DurableCluster.on(database.url, { DURABLE_LEASE_MS: '3000' });
  }, LIMIT_MS);

  afterAll(async () => {
    await cluster.close();
    await database.drop();
  });

  async function two(): Promise<[DurableProcess, DurableProcess]> {
    return (await cluster.have(2)) as [DurableProcess, DurableProcess];
  }

  async function callsOf({ pid }: DurableProcess, ids: readonly string[]): Promise<number> {
    return (await cluster.notes('calls', ids)).filter((call) => call.pid === pid).length;
  }

  it(
    'have the runs of one that was stopped, which writes nothing when it wakes, and then takes its part again',
    async () => {
      const [stopped, other] = await two();
      const ids = await cluster.enqueueRuns();
      await cluster.untilCalls(
        ids,
        (calls) => allUnderWay(calls) && calls.some(({ pid }) => pid === stopped.pid),
      );
      stopped.signal('SIGSTOP');
      await cluster.allEnded(ids);
      stopped.signal('SIGCONT');
      other.signal('SIGKILL');
      await other.exited();
      const more = await cluster.enqueueRuns();
      await cluster.allEnded(more);
      await cluster.expectExact(ids, RUNS);
      await cluster.expectExact(more, 0);
    },
    LIMIT_MS,
  );

  it(
    'are given the runs of one that is asked to stop, each after its call',
    async () => {
      const [leaving] = await two();
      const ids = await cluster.enqueueRuns();
      await cluster.untilCalls(
        ids,
        (calls) => allUnderWay(calls) && calls.some(({ pid }) => pid === leaving.pid),
      );
      leaving.signal('SIGTERM');
      const madeBefore = await callsOf(leaving, ids);
      expect(await leaving.exited()).toBe(0);
      await cluster.allEnded(ids);
      await cluster.expectExact(ids, 0);
      // One call of a run may have begun while the signal was on its way.
      expect((await callsOf(leaving, ids)) - madeBefore).toBeLessThanOrEqual(RUNS);
    },
    LIMIT_MS,
  );

  it(
    'come back when their session is lost',
    async () => {
      await two();
      const ids = await cluster.enqueueRuns();
      await cluster.untilCalls(ids, allUnderWay);
      await cluster.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'lattice-durable-node'`,
      );
      await cluster.allEnded(ids);
      await cluster.expectExact(ids, RUNS);
      const more = await cluster.enqueueRuns();
      await cluster.allEnded(more);
    },
    LIMIT_MS,
  );

  it(
    'give up what kills three of them',
    async () => {
      await cluster.have(4);
      const id = randomUUID();
      await cluster.asking.enqueue('poison', null, { id });
      expect(await cluster.asking.ended(id)).toMatchObject({ state: 'given_up' });
      expect(cluster.livingCount).toBe(1);
    },
    LIMIT_MS,
  );
});
