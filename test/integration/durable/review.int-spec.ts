import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { buildDataSourceOptions, connect } from '../../../src/database/index';
import { RunHandedOverError, type DurableEngine } from '../../../src/durable/index';
import type { Membership } from '../../../src/durable/membership';
import { RunningSteps } from '../../../src/durable/running-steps';
import { PrivateServer } from '../../support/database/private-server';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { type DurableNode, endOf, Gate, startDurableNode } from '../../support/durable/durable-node';
import { eventually } from '../../support/eventually';

const LIMIT_MS = 120_000;
/** What is looked at of it. */
const NEVER_AWAY: Pick<Membership, 'isCurrent' | 'cameBackAt'> = {
  isCurrent: true,
  cameBackAt: -Infinity,
};
const LONG_AGO = `(extract(epoch from now()) * 1000)::bigint - 60000`;

describe('durable runs that are nearly lost', () => {
  let database: TestDatabase;
  let node: DurableNode;
  let reached: Gate;
  let gate: Gate;
  let starts: string[];
  let aborted: string[];
  let tries: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startDurableNode(database.url, define);
  });

  beforeEach(() => {
    reached = new Gate();
    gate = new Gate();
    starts = [];
    aborted = [];
    tries = 0;
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  function define(engine: DurableEngine): void {
    engine.workflow('hold', async () => {
      const { runId } = engine;
      return await engine.step('hold', async (signal) => {
        starts.push(runId);
        reached.pass();
        const end = endOf(signal).catch((error: unknown) => {
          aborted.push(runId);
          throw error;
        });
        await Promise.race([end, gate.passed]);
        return 'held';
      });
    });
    engine.workflow('pass', async () => await engine.step('pass', () => Promise.resolve('passed')));
    const giveWay = async (tx: { query(sql: string): Promise<unknown> }, code: string): Promise<number> => {
      tries += 1;
      if (tries === 1) await tx.query(`do $$ begin raise exception sqlstate '${code}'; end $$`);
      return tries;
    };
    engine.workflow(
      'fenced',
      async (code: string) => await engine.fenced('write', (tx) => giveWay(tx, code)),
    );
    engine.workflow(
      'guarded',
      async (code: string) => await engine.step('write', () => engine.guarded((tx) => giveWay(tx, code))),
    );
  }

  it(
    'begin when the answer to their claim was lost, and leave alone what is under way',
    async () => {
      const [held, stranded] = [randomUUID(), randomUUID()];
      await node.enqueue('hold', null, { id: held });
      await reached.passed;
      await node.database.query(
        `update dbos.workflow_status set started_at_epoch_ms = ${LONG_AGO} where workflow_uuid = $1`,
        [held],
      );
      // As a claim leaves it that was committed and never answered.
      await node.enqueue('pass', null, { id: stranded, delayMs: 600_000 });
      await node.database.query(
        `update dbos.workflow_status set status = 'PENDING', executor_id = $2, owner_xid = 'claimed',
           started_at_epoch_ms = ${LONG_AGO} where workflow_uuid = $1`,
        [stranded, node.nodeId],
      );
      expect(await node.ended(stranded)).toMatchObject({ state: 'succeeded', output: 'passed' });
      gate.pass();
      expect(await node.ended(held)).toMatchObject({ state: 'succeeded', output: 'held' });
      expect(starts).toEqual([held]);
      expect(aborted).toEqual([]);
    },
    LIMIT_MS,
  );

  it('keep their new step when an old one of the same process is aborted', async () => {
    const id = randomUUID();
    await node.enqueue('pass', null, { id, delayMs: 600_000 });
    await node.database.query(`update dbos.workflow_status set owner_xid = 'new' where workflow_uuid = $1`, [
      id,
    ]);
    const steps = new RunningSteps(node.database, NEVER_AWAY as Membership);
    const ended: string[] = [];
    const hold = (owner: string): Promise<void> =>
      steps
        .track(id, owner, (signal) => Promise.race([endOf(signal), gate.passed]))
        .then(
          () => void ended.push(`${owner} ended`),
          () => void ended.push(`${owner} aborted`),
        );
    const both = [hold('new'), hold('old')];
    steps.start();
    steps.wake();
    await eventually(() => Promise.resolve(ended.length > 0 ? true : undefined));
    gate.pass();
    await Promise.all(both);
    await steps.stop();
    expect(ended).toEqual(['old aborted', 'new ended']);
  });

  it('are confirmed by PostgreSQL where the process may have been taken for dead', async () => {
    const id = randomUUID();
    await node.enqueue('pass', null, { id, delayMs: 600_000 });
    await node.database.query(`update dbos.workflow_status set owner_xid = 'new' where workflow_uuid = $1`, [
      id,
    ]);
    const membership: { isCurrent: boolean; cameBackAt: number } = { ...NEVER_AWAY };
    const steps = new RunningSteps(node.database, membership as Membership);
    const confirmed = (owner: string): Promise<string> =>
      steps
        .track(id, owner, () => steps.confirm(id, owner))
        .then(
          () => 'mine',
          (error: Error) => error.name,
        );
    const both = async (): Promise<string[]> => [await confirmed('old'), await confirmed('new')];
    expect(await both()).toEqual(['mine', 'mine']);
    membership.isCurrent = false;
    expect(await both()).toEqual([RunHandedOverError.name, 'mine']);
    Object.assign(membership, { isCurrent: true, cameBackAt: performance.now() });
    expect(await confirmed('old')).toBe(RunHandedOverError.name);
    expect(await both()).toEqual(['mine', 'mine']);
  });

  it.each([
    ['fenced', '40P01'],
    ['fenced', '40001'],
    ['guarded', '40P01'],
    ['guarded', '40001'],
  ])('write again what had to give way: %s, %s', async (name, code) => {
    const id = randomUUID();
    await node.enqueue(name, code, { id });
    expect(await node.ended(id)).toMatchObject({ state: 'succeeded', output: 2 });
  });

  it(
    'are not ended by a shutdown that cannot hand them over',
    async () => {
      const id = randomUUID();
      await node.enqueue('hold', null, { id });
      await reached.passed;
      await node.close();
      expect(aborted).toEqual([id]);
      aborted = [];
      reached = new Gate();
      node = await startDurableNode(database.url, define, { DURABLE_DRAIN_MS: '0' });
      await reached.passed;
      const other = await new DataSource(buildDataSourceOptions(database.url, 1)).initialize();
      const locking = other.createQueryRunner();
      await locking.startTransaction();
      // No session can be opened again that cannot tell that it lives.
      await locking.query('lock table durable_nodes in exclusive mode');
      await locking.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'lattice-durable-node'`,
      );
      await node.worker.drain();
      expect(aborted).toEqual([]);
      await locking.rollbackTransaction();
      await locking.release();
      await other.destroy();
      await node.close();
      node = await startDurableNode(database.url, define);
      gate.pass();
      expect(await node.ended(id)).toMatchObject({ state: 'succeeded', output: 'held' });
    },
    LIMIT_MS,
  );
});

describe('a process that joins after a crash of PostgreSQL', () => {
  let server: PrivateServer;
  let asking: DataSource;
  let node: DurableNode;

  beforeAll(async () => {
    server = await PrivateServer.start();
    asking = await connect({ ...buildDataSourceOptions(server.url, 1), url: server.url });
  }, LIMIT_MS);

  afterAll(async () => {
    await node.close();
    await asking.destroy();
    await server.stop();
  });

  function define(engine: DurableEngine): void {
    engine.workflow('pass', async () => await engine.step('pass', () => Promise.resolve(null)));
  }

  async function ask<T>(sql: string, parameters: unknown[] = []): Promise<T | undefined> {
    const [row] = await asking.query<{ value: T }[]>(sql, parameters);
    return row?.value;
  }

  it(
    'leaves the others the time to come back, however long PostgreSQL itself is up',
    async () => {
      const id = randomUUID();
      node = await startDurableNode(server.url, define, { PROJECT_WORKER: 'off' });
      await node.enqueue('pass', null, { id, delayMs: 600_000 });
      await node.close();
      await ask(
        `update dbos.workflow_status set status = 'PENDING', executor_id = 'late', owner_xid = 'late'
         where workflow_uuid = $1`,
        [id],
      );
      await eventually(
        () => ask(`select 1 as value where now() - pg_postmaster_start_time() > '6 s'`),
        LIMIT_MS,
      );
      const crashedAt = Number(await ask('select extract(epoch from now()) * 1000 as value'));
      // One that dies takes all sessions with it, and the server itself stays.
      process.kill(Number(await ask('select pg_backend_pid() as value')), 'SIGKILL');
      await eventually(() => ask('select 1 as value').catch(() => undefined), LIMIT_MS);
      node = await startDurableNode(server.url, define);
      await node.ended(id);
      const begunAt = await ask(
        'select started_at_epoch_ms as value from dbos.workflow_status where workflow_uuid = $1',
        [id],
      );
      expect(Number(begunAt) - crashedAt).toBeGreaterThan(5000);
    },
    LIMIT_MS,
  );
});
