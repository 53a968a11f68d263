import { buildDataSourceOptions, connect } from '../../../src/database/index';
import { PrivateServer } from '../../support/database/private-server';
import { allUnderWay, DurableCluster, RUNS } from '../../support/durable/durable-cluster';
import type { DurableProcess } from '../../support/durable/durable-process';

const LIMIT_MS = 180_000;
/** The server is down and back within one call. */
const CALL_MS = 2500;

describe('durable runs in outages', () => {
  let server: PrivateServer;
  let cluster: DurableCluster;

  beforeAll(async () => {
    server = await PrivateServer.start();
    const database = await connect({ ...buildDataSourceOptions(server.url, 2), url: server.url });
    await database.destroy();
    // No lease runs out here: who is gone is known by its lock.
    cluster = await DurableCluster.on(server.url, { DURABLE_LEASE_MS: '600000' });
  }, LIMIT_MS);

  afterAll(async () => {
    await cluster.close();
    await server.stop();
  });

  it(
    'go on elsewhere when their process is killed',
    async () => {
      const [victim, other] = (await cluster.have(2)) as [DurableProcess, DurableProcess];
      const ids = await cluster.enqueueRuns();
      await cluster.untilCalls(
        ids,
        (calls) => allUnderWay(calls) && calls.some(({ pid }) => pid === victim.pid),
      );
      victim.signal('SIGKILL');
      await victim.exited();
      const before = (await cluster.notes('calls', ids)).length;
      await cluster.allEnded(ids);
      const after = (await cluster.notes('calls', ids)).slice(before);
      expect(new Set(after.map(({ pid }) => pid))).toEqual(new Set([other.pid]));
      await cluster.expectExact(ids, RUNS);
    },
    LIMIT_MS,
  );

  it(
    'go on where they are when PostgreSQL restarts: nobody takes those for dead who have not come back yet',
    async () => {
      const [late] = (await cluster.have(2)) as [DurableProcess, DurableProcess];
      const ids = await cluster.enqueueRuns(CALL_MS);
      await cluster.untilCalls(
        ids,
        (calls) => calls.length === RUNS && calls.some(({ pid }) => pid === late.pid),
      );
      late.signal('SIGSTOP');
      await server.shutDown('immediate');
      await server.startAgain();
      await cluster.untilBeats(2);
      late.signal('SIGCONT');
      await cluster.allEnded(ids);
      await cluster.expectExact(ids, 0);
    },
    LIMIT_MS,
  );
});
