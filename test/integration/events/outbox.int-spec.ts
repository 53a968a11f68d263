import { DataSource } from 'typeorm';
import { newId } from '../../../src/common/index';
import { buildDataSourceOptions } from '../../../src/database/index';
import { type NewEvent, Outbox } from '../../../src/events/index';
import { EventRepository } from '../../../src/events/event.repository';
import { untilSomeoneWaits } from '../../support/database/lock-waits';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

const BATCH = 100;

describe(Outbox.name, () => {
  let database: TestDatabase;
  let source: DataSource;
  let outbox: Outbox;
  let events: EventRepository;

  beforeEach(async () => {
    database = await createTestDatabase();
    source = await new DataSource(buildDataSourceOptions(database.url, 12)).initialize();
    outbox = new Outbox();
    events = new EventRepository(source);
  });

  afterEach(async () => {
    await source.destroy();
    await database.drop();
  });

  function event(number: number, more: Partial<NewEvent> = {}): NewEvent {
    return { type: 'test.happened', resource: 'bud_1', ownerId: null, data: { number }, ...more };
  }

  /** What a reader finds that goes on from the last position it has seen. */
  async function read(after: string): Promise<{ position: string; numbers: unknown[] }> {
    await events.publish(BATCH);
    const found = await events.after(after, {}, BATCH);
    return { position: found.at(-1)?.position ?? after, numbers: found.map(({ data }) => data.number) };
  }

  it('keeps the order of one call, and rolls back with its transaction', async () => {
    await outbox.append(
      Array.from({ length: 20 }, (_, number) => event(number)),
      source,
    );
    const failed = source.transaction(async (manager) => {
      await outbox.append([event(99)], manager);
      throw new Error('rolled back');
    });
    await expect(failed).rejects.toThrow('rolled back');
    await expect(read('0')).resolves.toEqual({
      position: '20',
      numbers: Array.from({ length: 20 }, (_, number) => number),
    });
  });

  it('never shows a later event before an earlier one, while a transaction stays open', async () => {
    const slow = source.createQueryRunner();
    await slow.startTransaction();
    await outbox.append([event(1)], slow);

    await outbox.append([event(2)], source);
    const first = await read('0');
    expect(first.numbers).toEqual([2]);

    await slow.commitTransaction();
    await slow.release();
    await outbox.append([event(3)], source);
    const second = await read(first.position);
    expect(second.numbers).toEqual([1, 3]);
    await expect(read(second.position)).resolves.toMatchObject({ numbers: [] });
  });

  it('makes a reader wait for a publisher that has not committed yet', async () => {
    await outbox.append([event(1)], source);
    const publisher = source.createQueryRunner();
    await publisher.startTransaction();
    await publisher.query('select events_publish(1)');
    await outbox.append([event(2)], source);

    const reading = read('0');
    await untilSomeoneWaits(source);
    await publisher.commitTransaction();
    await publisher.release();

    await expect(reading).resolves.toEqual({ position: '2', numbers: [1, 2] });
  });

  it('gives readers that go on from their position every event once, in one order, under load', async () => {
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let number = 0; number < 25; number++) {
        await source.transaction(async (manager) => {
          await outbox.append([event(writer * 1000 + number)], manager);
          await manager.query('select pg_sleep(random() * 0.004)');
        });
      }
    });
    let isDone = false;
    const readers = Array.from({ length: 3 }, async () => {
      const seen: unknown[] = [];
      let position = '0';
      for (;;) {
        const wasDone = isDone;
        const found = await read(position);
        seen.push(...found.numbers);
        position = found.position;
        if (wasDone && found.numbers.length === 0) return seen;
      }
    });
    await Promise.all(writers);
    isDone = true;
    const [first = [], ...others] = await Promise.all(readers);
    expect(first).toHaveLength(150);
    expect(new Set(first).size).toBe(150);
    for (const other of others) expect(other).toEqual(first);
  });

  it('reads what a filter asks for, both ways', async () => {
    const [ada, bob] = [newId(), newId()];
    const added = [
      event(1, { ownerId: ada, resource: 'run_1' }),
      event(2, { ownerId: bob, resource: 'run_1' }),
      event(3, { ownerId: ada, resource: 'run_2' }),
      event(4),
    ];
    await outbox.append(added, source);
    await events.publish(BATCH);
    const numbers = async (found: Promise<{ data: { number?: unknown } }[]>): Promise<unknown[]> =>
      (await found).map(({ data }) => data.number);
    await expect(numbers(events.after('0', { ownerId: ada }, 10))).resolves.toEqual([1, 3]);
    await expect(numbers(events.after('0', { ownerId: ada, resource: 'run_2' }, 10))).resolves.toEqual([3]);
    await expect(numbers(events.before(undefined, { resource: 'run_1' }, 10))).resolves.toEqual([2, 1]);
    await expect(numbers(events.before('4', {}, 2))).resolves.toEqual([3, 2]);
  });

  it('stores any text that JSON can hold', async () => {
    const data = { text: 'nul \u0000, lone \ud800, "quotes", {braces}, back\\slash, NULL', list: [1, null] };
    await outbox.append([{ ...event(1), data }], source);
    await events.publish(BATCH);
    const [found] = await events.after('0', {}, 1);
    expect(found?.data).toEqual(data);
  });

  it('wakes listeners with the commit, not before', async () => {
    const client = source.createQueryRunner();
    const notified: string[] = [];
    const connection = (await client.connect()) as {
      on(event: string, handler: (message: { channel: string }) => void): void;
    };
    connection.on('notification', ({ channel }) => notified.push(channel));
    await client.query('listen lattice_events');
    await source.transaction(async (manager) => {
      await outbox.append([event(1)], manager);
      await client.query('select 1');
      expect(notified).toEqual([]);
    });
    await client.query('select 1');
    expect(notified).toEqual(['lattice_events']);
    await client.release();
  });

  it('forgets what is older than 30 days, in batches, and nothing else', async () => {
    await outbox.append(
      Array.from({ length: 5 }, (_, number) => event(number)),
      source,
    );
    await events.publish(BATCH);
    await source.query(`update events set at = now() - interval '31 days' where position <= 3`);
    await expect(events.forget(30, 2)).resolves.toBe(2);
    await expect(events.forget(30, 2)).resolves.toBe(1);
    await expect(events.forget(30, 2)).resolves.toBe(0);
    await expect(read('0')).resolves.toMatchObject({ numbers: [3, 4] });
  });
});
