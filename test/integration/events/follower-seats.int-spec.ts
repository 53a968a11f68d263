import { Client } from 'pg';
import { Notifications } from '../../../src/database/index';
import type { EventResources } from '../../../src/events/index';
import { type FollowerSeat, FollowerSeats } from '../../../src/events/follower-seats';
import { DatabaseProxy } from '../../support/database/database-proxy';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';

const MOST = 3;
const FULL = { status: 429, code: 'TOO_MANY_EVENT_STREAMS' };

interface SeatNode {
  readonly seats: FollowerSeats;
  readonly notifications: Notifications;
  readonly proxy: DatabaseProxy;
}

describe(FollowerSeats.name, () => {
  let database: TestDatabase;
  let observer: Client;
  let one: SeatNode;
  let two: SeatNode;

  beforeEach(async () => {
    database = await createTestDatabase();
    observer = new Client(database.url);
    await observer.connect();
    [one, two] = [await start(), await start()];
  });

  afterEach(async () => {
    for (const { notifications, proxy } of [one, two]) {
      await notifications.onApplicationShutdown();
      await proxy.stop();
    }
    await observer.end();
    await database.drop();
  });

  /** The seats of one process, with a connection that can be cut. */
  async function start(): Promise<SeatNode> {
    const proxy = await DatabaseProxy.start(database.url);
    const notifications = new Notifications(proxy.url);
    const resources = { mostFollowers: (resource: string) => (resource === 'me' ? Infinity : MOST) };
    const seats = new FollowerSeats(notifications, resources as EventResources);
    seats.onModuleInit();
    await notifications.onApplicationBootstrap();
    return { seats, notifications, proxy };
  }

  async function locks(): Promise<number> {
    const { rows } = await observer.query<{ count: number }>(
      `select count(*)::int from pg_locks join pg_stat_activity using (pid)
       where locktype = 'advisory' and datname = current_database() and application_name = 'lattice-listen'`,
    );
    return rows[0]?.count ?? 0;
  }

  const untilLocks = (wanted: number): Promise<true> =>
    eventually(async () => ((await locks()) === wanted ? true : undefined));

  async function take({ seats }: SeatNode, resource = 'prj_1'): Promise<FollowerSeat> {
    const seat = await seats.take(resource);
    if (!seat) throw new Error('No seat is needed');
    return seat;
  }

  /** The process knows that its connection is lost. */
  const untilAway = ({ notifications }: SeatNode, limitMs: number): Promise<true> =>
    eventually(
      () =>
        notifications.query('select 1', []).then(
          () => undefined,
          (error: { status?: number }) => error.status === 503 || undefined,
        ),
      limitMs,
    );

  async function cut(node: SeatNode): Promise<void> {
    await node.proxy.refuse();
    await untilAway(node, 5000);
  }

  it('are as many as may follow, over all processes, and one lock each', async () => {
    const asked = Array.from({ length: 2 * MOST }, () => [take(one), take(two)]).flat();
    const results = await Promise.allSettled(asked);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused).toHaveLength(3 * MOST);
    for (const error of refused) expect(error).toMatchObject(FULL);
    expect(await locks()).toBe(MOST);
    await take(one, 'prj_2');
    expect(await locks()).toBe(MOST + 1);
  });

  it('are free for the next when they are left', async () => {
    const taken = [await take(one), await take(one), await take(one)];
    one.seats.leave(taken[1]);
    one.seats.leave(taken[1]);
    await take(one);
    await expect(take(two)).rejects.toMatchObject(FULL);
    one.seats.leave(taken[0]);
    await untilLocks(MOST - 1);
    await take(two);
    await expect(take(one)).rejects.toMatchObject(FULL);
  });

  it('are none where any number may follow', async () => {
    await expect(one.seats.take('me')).resolves.toBeUndefined();
    one.seats.leave(undefined);
    expect(await locks()).toBe(0);
  });

  it('are taken again after the connection was lost, without those that were left meanwhile', async () => {
    const lost = jest.fn();
    const taken = [await take(one), await take(one), await take(one)];
    for (const seat of taken) seat.onLost = lost;
    await cut(one);
    await untilLocks(0);
    one.seats.leave(taken[0]);
    await expect(take(one)).rejects.toMatchObject({ status: 503 });
    await one.proxy.restore();
    await untilLocks(MOST - 1);
    await take(two);
    await expect(take(two)).rejects.toMatchObject(FULL);
    one.seats.leave(taken[1]);
    await untilLocks(MOST - 1);
    expect(lost).not.toHaveBeenCalled();
  });

  it('are lost for good when others have taken them meanwhile', async () => {
    const lost: FollowerSeat[] = [];
    for (let count = 0; count < MOST; count += 1) {
      const seat = await take(one);
      seat.onLost = (error) => {
        expect(error).toMatchObject(FULL);
        lost.push(seat);
      };
    }
    await cut(one);
    await eventually(() => take(two).catch(() => undefined));
    await one.proxy.restore();
    await eventually(async () => (lost.length > 0 ? true : undefined));
    expect(lost).toHaveLength(1);
    expect(await locks()).toBe(MOST);
    one.seats.leave(lost[0]);
    await expect(take(one)).rejects.toMatchObject(FULL);
  });

  it('are looked after: a connection that only looks open is given up', async () => {
    await take(one);
    one.proxy.hang();
    await one.seats.check();
    // Sooner than a question on it would find out.
    await untilAway(one, 1000);
    await one.proxy.restore();
    // The session before it, with its lock, has ended by then.
    await eventually(() => one.notifications.query('select 1', []).catch(() => undefined));
    await untilLocks(1);
    await expect(Promise.all([take(two), take(two), take(two)])).rejects.toMatchObject(FULL);
  });
});
