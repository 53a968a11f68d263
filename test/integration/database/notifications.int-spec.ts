import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { DataSource } from 'typeorm';
import { Client } from 'pg';
import { buildDataSourceOptions, DatabaseWatch, HotPool, Notifications } from '../../../src/database/index';
import { DatabaseProxy } from '../../support/database/database-proxy';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';

/** Connections that look open and are not. */
describe('connections to PostgreSQL', () => {
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  let notifications: Notifications | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    proxy = await DatabaseProxy.start(database.url);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await notifications?.onApplicationShutdown();
    notifications = undefined;
    await proxy.stop();
  });

  afterAll(() => database.drop());

  /** The server hangs in the moment the first LISTEN is sent. Tells how that ended. */
  function hangAtListen(): { spy: jest.SpyInstance; ended: () => Promise<unknown> } {
    const query = Reflect.get(Client.prototype, 'query') as (...args: unknown[]) => Promise<unknown>;
    let outcome: Promise<unknown> | undefined;
    const spy = jest.spyOn(Client.prototype, 'query').mockImplementation(function (
      this: Client,
      ...args: unknown[]
    ) {
      if (outcome) return query.apply(this, args);
      proxy.hang();
      const asked = query.apply(this, args);
      outcome = asked.catch((error: unknown) => error);
      return asked;
    } as never);
    return { spy, ended: () => eventually(async () => outcome) };
  }

  async function hears(heard: readonly string[]): Promise<void> {
    const other = new Client(database.url);
    await other.connect();
    await eventually(async () => {
      await other.query(`select pg_notify('listen_test', 'hello')`);
      return heard.length > 0 ? true : undefined;
    }, 10_000);
    await other.end();
  }

  it('are probed after ten idle seconds, all of them', async () => {
    const keepAlive = jest.spyOn(Socket.prototype, 'setKeepAlive');
    notifications = new Notifications(database.url);
    await notifications.onApplicationBootstrap();
    const watch = new DatabaseWatch(database.url);
    watch.start();
    await watch.look();
    const pool = new HotPool({ connectionString: database.url, max: 1 });
    await pool.query('select 1');
    const source = await new DataSource(buildDataSourceOptions(database.url, 1)).initialize();
    expect(keepAlive.mock.calls.length).toBeGreaterThanOrEqual(4);
    for (const call of keepAlive.mock.calls) expect(call).toEqual([true, 10_000]);
    await Promise.all([watch.stop(), pool.end(), source.destroy()]);
  });

  it('that hang at LISTEN are given up and made again', async () => {
    const heard: string[] = [];
    const { ended } = hangAtListen();
    notifications = new Notifications(proxy.url);
    notifications.on('listen_test', (payload) => heard.push(payload));
    await notifications.onApplicationBootstrap();
    expect(await ended()).toMatchObject({ message: expect.stringContaining('timeout') });
    await proxy.restore();
    await hears(heard);
  }, 30_000);

  it('that hang at LISTEN are cut off in the moment the server is found to be down', async () => {
    const heard: string[] = [];
    let down: () => void = () => undefined;
    const watch = { onDown: (handler: () => void) => (down = handler), onUp: () => undefined };
    const { spy, ended } = hangAtListen();
    notifications = new Notifications(proxy.url, watch as unknown as DatabaseWatch);
    notifications.on('listen_test', (payload) => heard.push(payload));
    const started = notifications.onApplicationBootstrap();
    await eventually(() => Promise.resolve(spy.mock.calls.length > 0 ? true : undefined));
    down();
    await started;
    expect(await ended()).toMatchObject({ message: expect.stringContaining('terminated') });
    await proxy.restore();
    await hears(heard);
  }, 30_000);

  it('that the server still believes in are ended, with their locks, before the next is used', async () => {
    const { port, hostname } = new URL(database.url);
    const clients = new Set<Socket>();
    const sockets: Socket[] = [];
    // The server is never told that a client is gone.
    const network = createServer((client) => {
      const server = connect(Number(port), hostname);
      clients.add(client.on('error', () => undefined));
      sockets.push(
        client,
        server.on('error', () => undefined),
      );
      client.pipe(server, { end: false });
      server.pipe(client);
    }).listen(0, '127.0.0.1');
    await once(network, 'listening');
    const url = new URL(database.url);
    url.host = `127.0.0.1:${(network.address() as AddressInfo).port}`;
    notifications = new Notifications(url.toString());
    const back = new Promise<void>((resolve) => notifications?.onReconnect(resolve));
    await notifications.onApplicationBootstrap();
    const other = new Client(database.url);
    await other.connect();
    const isFree = async (): Promise<unknown> =>
      (await other.query<{ is: boolean }>('select pg_try_advisory_lock(1) as is')).rows[0]?.is;
    await notifications.query('select pg_advisory_lock(1)', []);
    expect(await isFree()).toBe(false);
    for (const client of clients) client.destroy();
    await back;
    expect(await isFree()).toBe(true);
    await other.end();
    await notifications.onApplicationShutdown();
    for (const socket of sockets) socket.destroy();
    network.close();
  });

  it('that keep locks end soon after their machine is gone', async () => {
    notifications = new Notifications(database.url);
    await notifications.onApplicationBootstrap();
    const settings = await notifications.query(
      `select name, setting from pg_settings where name like 'tcp_keepalives%' order by name`,
      [],
    );
    expect(settings).toEqual([
      { name: 'tcp_keepalives_count', setting: '3' },
      { name: 'tcp_keepalives_idle', setting: '5' },
      { name: 'tcp_keepalives_interval', setting: '2' },
    ]);
  });

  it('listen to what is asked for while they are made', async () => {
    const heard: string[] = [];
    notifications = new Notifications(proxy.url);
    notifications.on('listen_first', () => undefined);
    const started = notifications.onApplicationBootstrap();
    notifications.on('listen_test', (payload) => heard.push(payload));
    await started;
    await hears(heard);
  });
});
