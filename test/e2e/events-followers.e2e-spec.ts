import { fromApiId } from '../../src/common/index';
import { DatabaseAddress } from '../../src/database/index';
import { Outbox } from '../../src/events/index';
import { type Account, clientOf, startApp, type TestApp } from '../support/app';
import { DatabaseProxy } from '../support/database/database-proxy';
import { connectEvents, type EventConnection } from '../support/event-source';
import { eventually } from '../support/eventually';
import { ServiceCluster } from '../support/proof/service-cluster';

const MOST = 10;
const FULL = { status: 429, body: { error: { code: 'TOO_MANY_EVENT_STREAMS' } } };
const TIMEOUT_MS = 90_000;
/** The database is found to be back, and the connections are made again. */
const BACK_LIMIT_MS = 15_000;

const connections: EventConnection[] = [];

function closeAll(): void {
  for (const connection of connections.splice(0)) connection.close();
}

async function follow(url: string, { key }: Account, path: string): Promise<EventConnection> {
  const connection = await connectEvents(`${url}/api/v1/${path}`, { authorization: `Bearer ${key}` });
  connections.push(connection);
  return connection;
}

async function newProject(url: string, { key }: Account): Promise<string> {
  const body = { name: 'Followed', requirements: 'Be followed' };
  const made = await clientOf(url).call<{ id: string }>('POST', '/api/v1/projects', {
    body,
    credential: key,
  });
  return made.body.id;
}

describe('followers of a project, in two processes on one database', () => {
  let one: TestApp;
  let two: TestApp;
  /** What the second one has of the database. */
  let proxy: DatabaseProxy;
  let owner: Account;
  let project: string;

  beforeAll(async () => {
    one = await startApp();
    two = await startApp({}, async () => {
      proxy = await DatabaseProxy.start(one.app.get(DatabaseAddress).url);
      return proxy.url;
    });
  });

  afterAll(async () => {
    await two.close();
    await proxy.stop();
    await one.close();
  });

  beforeEach(async () => {
    owner = await one.register();
    project = await newProject(one.url, owner);
  });

  afterEach(async () => {
    closeAll();
    await untilSeats(0);
  });

  const followAt = (app: TestApp, path = `projects/${project}/events`): Promise<EventConnection> =>
    follow(app.url, owner, path);

  const followers = (app: TestApp, count: number): Promise<EventConnection[]> =>
    Promise.all(Array.from({ length: count }, () => followAt(app)));

  async function seats(): Promise<number> {
    const [found] = await one.database.query<{ count: number }[]>(
      `select count(*)::int from pg_locks join pg_stat_activity using (pid)
       where locktype = 'advisory' and datname = current_database() and application_name = 'lattice-listen'`,
    );
    return found?.count ?? 0;
  }

  async function untilSeats(wanted: number): Promise<void> {
    await eventually(async () => ((await seats()) === wanted ? true : undefined), BACK_LIMIT_MS);
  }

  /** All streams have so many events after one more has happened. */
  async function untilFollowing(streams: readonly EventConnection[], wanted: number): Promise<void> {
    const ownerId = fromApiId('usr', owner.userId) ?? null;
    const event = { type: 'test.happened', resource: project, ownerId, data: {} };
    await one.app.get(Outbox).append([event], one.database);
    await eventually(() =>
      Promise.resolve(streams.every(({ events }) => events.length === wanted) || undefined),
    );
  }

  const failures = (streams: readonly EventConnection[]): unknown[] =>
    streams.flatMap(({ events }) => events.filter(({ name }) => name === 'error').map(({ data }) => data));

  it('are ten at most, wherever and by whichever route they come', async () => {
    const asked = await Promise.all([
      ...Array.from({ length: 6 }, () => followAt(one)),
      ...Array.from({ length: 6 }, () => followAt(one, `events/${project}`)),
      ...Array.from({ length: 6 }, () => followAt(two)),
      ...Array.from({ length: 6 }, () => followAt(two, `events/${project}`)),
    ]);
    const [open, refused] = [200, 429].map((code) => asked.filter(({ status }) => status === code));
    expect([open?.length, refused?.length]).toEqual([MOST, asked.length - MOST]);
    for (const answer of refused ?? []) expect(answer).toMatchObject(FULL);
    expect(await seats()).toBe(MOST);

    open?.[0]?.close();
    await untilSeats(MOST - 1);
    await expect(followAt(two)).resolves.toMatchObject({ status: 200 });
    for (const app of [one, two]) await expect(followAt(app)).resolves.toMatchObject(FULL);
    await expect(followAt(one, 'events/me')).resolves.toMatchObject({ status: 200 });
  });

  it('are not those who only ask for the head', async () => {
    for (let count = 0; count <= MOST; count += 1) {
      const answer = await one.call('HEAD', `/api/v1/projects/${project}/events`, { credential: owner.key });
      expect(answer.status).toBe(200);
    }
  });

  it('keep their places when the connections that hold them are lost', async () => {
    const open = [...(await followers(one, 6)), ...(await followers(two, 4))];
    await one.database.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where datname = current_database() and application_name = 'lattice-listen'`,
    );
    await untilSeats(MOST);
    for (const app of [one, two]) await expect(followAt(app)).resolves.toMatchObject(FULL);
    expect(failures(open)).toEqual([]);
    open[9]?.close();
    await untilSeats(MOST - 1);
  });

  it('end with an error when others came while their process had no database', async () => {
    const open = await followers(two, MOST);
    // A stream that still reads what was before ends when there is no database.
    await untilFollowing(open, 1);
    await untilFollowing(open, 2);
    await proxy.refuse();
    await untilSeats(0);
    await eventually(async () => ((await followAt(one)).status === 200 ? true : undefined));
    await proxy.restore();
    await untilSeats(MOST);
    await eventually(async () => (failures(open).length > 0 ? true : undefined));
    expect(failures(open)).toMatchObject([{ error: { code: 'TOO_MANY_EVENT_STREAMS' } }]);
    for (const app of [one, two]) await expect(followAt(app)).resolves.toMatchObject(FULL);
  });
});

describe('followers of a project whose process is killed', () => {
  let cluster: ServiceCluster;

  beforeAll(async () => {
    cluster = await ServiceCluster.start({ processes: 2 });
  }, TIMEOUT_MS);

  afterAll(async () => {
    closeAll();
    await (cluster as ServiceCluster | undefined)?.close();
  });

  it(
    'leave their places to others',
    async () => {
      const [first = '', second = ''] = cluster.urls;
      const project = await newProject(first, cluster.admin);
      const followAt = (url: string): Promise<EventConnection> =>
        follow(url, cluster.admin, `projects/${project}/events`);
      for (let count = 0; count < MOST; count += 1) expect((await followAt(first)).status).toBe(200);
      await expect(followAt(second)).resolves.toMatchObject(FULL);
      await cluster.kill(0);
      for (let count = 0; count < MOST; count += 1) {
        await eventually(async () => ((await followAt(second)).status === 200 ? true : undefined));
      }
      await expect(followAt(second)).resolves.toMatchObject(FULL);
    },
    TIMEOUT_MS,
  );
});
