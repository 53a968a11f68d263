import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { defaults, type PoolConfig } from 'pg';
import {
  buildDataSourceOptions,
  DatabaseServer,
  DatabaseWatch,
  HotPool,
  Notifications,
  WatchedPool,
} from '../../../src/database/index';
import { toServiceUnavailable } from '../../../src/errors/index';
import { DatabaseProxy } from '../../support/database/database-proxy';
import { asAdmin, databaseRun } from '../../support/database/database-run';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';

const SLEEP = 'select pg_sleep(60)';
/** What a busy machine may add to the 6 s in which a server that hangs is found. */
const FOUND_LIMIT_MS = 12_000;

beforeAll(() => Logger.overrideLogger(false));

describe(DatabaseWatch.name, () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let watch: DatabaseWatch;
  let pool: HotPool;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.drop());

  beforeEach(async () => {
    proxy = await DatabaseProxy.start(database.url);
    watch = new DatabaseWatch(proxy.url);
    pool = new HotPool({ connectionString: proxy.url, max: 1, query_timeout: 60_000 }, watch);
    watch.start();
    await watch.look();
  });

  afterEach(async () => {
    await watch.stop();
    await proxy.stop();
    await pool.end();
  });

  const isUp = (): Promise<true | undefined> => Promise.resolve(watch.isDown ? undefined : true);
  const isDown = (): Promise<true | undefined> => Promise.resolve(watch.isDown ? true : undefined);
  const failureOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no failure',
      (error: unknown) => error,
    );

  it('finds at once that the server is gone, and that it is back', async () => {
    const heard: string[] = [];
    watch.onDown(() => heard.push('down'));
    watch.onUp(() => heard.push('up'));
    await pool.query('select 1');
    await proxy.refuse();
    await eventually(isDown, 1000);
    await proxy.restore();
    await eventually(isUp, 2000);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(heard).toEqual(['down', 'up']);
  });

  it('ends what waits for an answer, and what waits for a connection, when the server hangs', async () => {
    await pool.query('select 1');
    const running = failureOf(pool.query(SLEEP));
    await new Promise(setImmediate);
    const waiting = failureOf(pool.connect());
    proxy.hang();
    await eventually(isDown, FOUND_LIMIT_MS);
    for (const failure of await Promise.all([running, waiting]))
      expect(toServiceUnavailable(failure)).toMatchObject({ status: 503 });
    await proxy.restore();
    await eventually(isUp, 5000);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  }, 40_000);

  it('lets nobody wait while it is down', async () => {
    await proxy.refuse();
    await eventually(isDown);
    let failure: unknown;
    pool.connect((error) => (failure = error));
    expect(failure).toMatchObject({ status: 503, retryAfterMs: 1000 });
  });

  it('ends a query of the data source that hangs, however long it may take otherwise', async () => {
    const Watched = class extends WatchedPool {
      constructor(config: PoolConfig) {
        super(config, watch);
      }
    };
    const source = new DataSource({
      ...buildDataSourceOptions(proxy.url, 2),
      driver: { defaults, Pool: Watched },
      poolErrorHandler: () => undefined,
    });
    await source.initialize();
    const running = failureOf(source.query(SLEEP));
    const runner = source.createQueryRunner();
    await runner.startTransaction();
    proxy.hang();
    expect(toServiceUnavailable(await running)).toBeDefined();
    expect(toServiceUnavailable(await failureOf(runner.query('select 1')))).toBeDefined();
    await runner.release();
    await proxy.restore();
    await eventually(isUp, 5000);
    await expect(source.query('select 1 as one')).resolves.toEqual([{ one: 1 }]);
    await source.destroy();
  }, 40_000);

  it('is not misled by connections that are lost while the server answers others', async () => {
    await pool.query('select 1');
    const name = new URL(database.url).pathname.slice(1);
    await asAdmin(databaseRun(), [
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
    ]);
    expect(await watch.look()).toBe(true);
    expect(watch.isDown).toBe(false);
  });

  it('brings notifications back after a network that was cut', async () => {
    const notifications = new Notifications(proxy.url, watch);
    const heard: string[] = [];
    let reconnected = 0;
    notifications.on('outage_test', (payload) => heard.push(payload));
    notifications.onReconnect(() => (reconnected += 1));
    await notifications.onApplicationBootstrap();
    proxy.hang();
    await eventually(isDown, FOUND_LIMIT_MS);
    await proxy.restore();
    await eventually(() => Promise.resolve(reconnected > 0 ? true : undefined), 5000);
    await pool.query(`select pg_notify('outage_test', 'hello')`);
    await eventually(() => Promise.resolve(heard.includes('hello') ? true : undefined));
    await notifications.onApplicationShutdown();
  }, 40_000);
});

describe(`${DatabaseServer.name}.untilReachable`, () => {
  const never = new Promise<never>(() => undefined);
  const open = (databaseUrl: string): Promise<DatabaseServer> =>
    DatabaseServer.open({ databaseUrl, dataDir: '/nowhere' });

  it('waits for a server that is not there yet, and says once that it waits', async () => {
    const database = await createTestDatabase();
    const proxy = await DatabaseProxy.start(database.url);
    await proxy.refuse();
    const onWait = jest.fn(() => Promise.resolve());
    const reachable = (await open(proxy.url)).untilReachable({ stop: never, onWait });
    await eventually(() => Promise.resolve(onWait.mock.calls.length > 0 ? true : undefined));
    await proxy.restore();
    await expect(reachable).resolves.toBe(true);
    expect(onWait).toHaveBeenCalledTimes(1);
    await proxy.stop();
    await database.drop();
  });

  it('ends at once when it is told to stop', async () => {
    let stop: (value: string) => void = () => undefined;
    const stopped = new Promise<string>((resolve) => (stop = resolve));
    const server = await open('postgresql://nobody:secret@127.0.0.1:1/none');
    const reachable = server.untilReachable({ stop: stopped, onWait: () => Promise.resolve() });
    stop('SIGTERM');
    await expect(reachable).resolves.toBe(false);
  });

  it.each([
    ['an unknown database', (url: URL) => (url.pathname = '/no_such_database')],
    ['a wrong password', (url: URL) => (url.password = 'wrong-password')],
  ])('fails at once for %s, naming the server and never the password', async (_, spoil) => {
    const url = new URL(databaseRun().adminUrl);
    spoil(url);
    const server = await open(url.toString());
    const failure = (await server
      .untilReachable({ stop: never, onWait: () => Promise.resolve() })
      .catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ name: 'ConfigurationError', message: expect.stringContaining(url.host) });
    expect(failure.message).not.toContain(url.password || 'no password');
  });
});
