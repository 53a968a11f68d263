import { DataSource } from 'typeorm';
import { Notifications } from '../../../src/database/index';
import { CapacityQueue } from '../../../src/providers/capacity/capacity-queue';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { type CapacityProcess, claim, type ProcessOptions, startCapacityProcess } from './capacity-process';

const MINUTE_MS = 60_000;
const LEASE_MS = 2000;

describe(CapacityQueue.name, () => {
  let database: TestDatabase;
  let sql: DataSource;
  let processes: CapacityProcess[];
  /** Only where a test sets it. */
  let clock: Date | undefined;
  let scopes = 0;
  let scope: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  });

  afterAll(async () => {
    await sql.destroy();
    await database.drop();
  });

  beforeEach(() => {
    processes = [];
    clock = undefined;
    scope = `openai/model-${(scopes += 1)}`;
  });

  afterEach(async () => {
    for (const one of processes) await one.close();
  });

  const start = async (options?: ProcessOptions): Promise<CapacityProcess> => {
    const one = await startCapacityProcess(database.url, () => clock as Date, options);
    processes.push(one);
    return one;
  };
  const leases = async (): Promise<number> => {
    const rows = await sql.query<object[]>('select 1 from capacity_leases where scope = $1', [scope]);
    return rows.length;
  };
  const hasHead = async (): Promise<boolean> => {
    const rows = await sql.query<object[]>(
      'select 1 from capacity_scopes where scope = $1 and head_process is not null',
      [scope],
    );
    return rows.length > 0;
  };
  const until = (isTrue: () => boolean | Promise<boolean>, limitMs?: number) =>
    eventually(async () => ((await isTrue()) ? true : undefined), limitMs);
  const waits = (one: CapacityProcess, count = 1) => until(() => one.queue.waitingFor(scope) === count);

  describe('concurrency', () => {
    const limit = 3;
    const claims = (need = 1) => [claim({ scope, concurrency: limit, need })];

    it('is never exceeded by two processes, everybody gets a turn, and each process keeps its order', async () => {
      const both = [await start(), await start()];
      let open = 0;
      let most = 0;
      const served: number[][] = [[], []];
      const work = both.flatMap((one, process) =>
        Array.from({ length: 25 }, async (_, place) => {
          const slot = await one.take({ claims: claims() });
          most = Math.max(most, (open += 1));
          served[process]?.push(place);
          await sql.query('select 1');
          open -= 1;
          slot.end();
        }),
      );
      await Promise.all(work);
      expect(most).toBeLessThanOrEqual(limit);
      const inOrder = Array.from({ length: 25 }, (_, place) => place);
      expect(served).toEqual([inOrder, inOrder]);
      await until(async () => (await leases()) === 0);
    });

    it('holds in every scope of a call, and takes none of them when one has no room', async () => {
      const one = await start();
      const provider = `${scope}-provider`;
      const two = [claim({ scope: provider, concurrency: 1 }), claim({ scope, concurrency: 1 })];
      const slot = await one.take({ claims: [claim({ scope: provider, concurrency: 1 })] });
      expect(await one.ask({ claims: two, patienceMs: 0 })).toBe('patience');
      expect(await leases()).toBe(0);
      slot.end();
      expect(await one.ask({ claims: two })).toMatchObject({});
      expect(await leases()).toBe(1);
    });

    it('comes back from a process that was killed when its lease has run out, not from one that lives', async () => {
      const [dying, living] = [await start({ leaseMs: LEASE_MS }), await start({ leaseMs: LEASE_MS })];
      for (let count = 0; count < limit; count++) await dying.take({ claims: claims() });
      const next = living.ask({ claims: claims() });
      await waits(living);
      const expiry = async () => {
        const [row] = await sql.query<{ at: Date }[]>(
          `select max(p.expires_at) as at from capacity_processes p join capacity_leases l on l.process_id = p.id
           where l.scope = $1`,
          [scope],
        );
        return row?.at.getTime() ?? 0;
      };
      const first = await expiry();
      await until(async () => (await expiry()) > first + 2 * LEASE_MS, 20_000);
      expect(living.queue.waitingFor(scope)).toBe(1);
      await dying.kill();
      expect(await next).toMatchObject({ waitedMs: expect.any(Number) as number });
    }, 40_000);

    it('counts the calls of a process again that was thought dead', async () => {
      const [lost, other] = [await start({ leaseMs: LEASE_MS }), await start()];
      for (let count = 0; count < limit; count++) await lost.take({ claims: claims() });
      await sql.query('delete from capacity_processes');
      await sql.query('delete from capacity_leases');
      await until(async () => (await leases()) === limit);
      expect(await other.ask({ claims: claims(), patienceMs: 0 })).toBe('patience');
    });

    it('is given back when the answer to the question was lost', async () => {
      let isCut = true;
      const unlucky = await start({
        wrap: (pool) => {
          const query = pool.query.bind(pool) as (asked: never) => Promise<unknown>;
          pool.query = (async (asked: never) => {
            const answer = await query(asked);
            if (isCut) throw new Error('Connection terminated unexpectedly');
            return answer;
          }) as never;
          return pool;
        },
      });
      expect(await unlucky.ask({ claims: claims() })).toBe('unknown');
      expect(await leases()).toBe(1);
      isCut = false;
      await until(async () => (await leases()) === 0);
    });
  });

  describe('requests per minute', () => {
    it('are never more in any 60 s, whoever asks, and not much fewer when there are enough', async () => {
      const both = [await start(), await start()];
      const limit = 7;
      const begin = Date.parse('2030-01-01T00:00:00.300Z');
      const granted: number[] = [];
      for (let at = begin; at < begin + 3 * MINUTE_MS; at += 670) {
        clock = new Date(at);
        for (const one of both) {
          const slot = await one.ask({ claims: [claim({ scope, requests: limit })], patienceMs: 0 });
          if (typeof slot === 'string') continue;
          granted.push(at);
          slot.end();
        }
      }
      const inMinuteFrom = (from: number) =>
        granted.filter((at) => at >= from && at - from <= MINUTE_MS).length;
      expect(Math.max(...granted.map(inMinuteFrom))).toBe(limit);
      expect(granted.length).toBeGreaterThanOrEqual(limit * 3);
    });

    it('tell at once when the wait would be too long, and how long it is', async () => {
      const one = await start();
      clock = new Date('2030-01-01T00:00:00.500Z');
      const claims = [claim({ scope, requests: 1 })];
      (await one.take({ claims })).end();
      clock = new Date('2030-01-01T00:00:30Z');
      const outcome = await one.queue.ask(claims, {
        patienceMs: 20_000,
        signal: new AbortController().signal,
      });
      expect(outcome).toMatchObject({
        givenUp: { reason: 'patience', refusal: { scope, kind: 'requests_per_minute', waitMs: 32_000 } },
      });
    });

    it('are given back by a call that was never sent', async () => {
      const one = await start();
      const claims = [claim({ scope, requests: 1, tokens: 10, need: 10 })];
      (await one.take({ claims })).giveBack();
      (await one.take({ claims })).end(10);
      expect(await one.ask({ claims, patienceMs: 0 })).toBe('patience');
    });
  });

  describe('tokens per minute', () => {
    const claims = (need: number) => [claim({ scope, tokens: 1000, need })];

    it('count by estimate, and by what was used when the call has ended', async () => {
      const one = await start();
      const large = await one.take({ claims: claims(900) });
      expect(await one.ask({ claims: claims(200), patienceMs: 0 })).toBe('patience');
      large.end(100);
      (await one.take({ claims: claims(800) })).end();
      expect(await one.ask({ claims: claims(200), patienceMs: 0 })).toBe('patience');
    });

    it('count what came beyond the estimate from the end on', async () => {
      const one = await start();
      clock = new Date('2030-01-01T00:00:00Z');
      const long = await one.take({ claims: claims(10) });
      clock = new Date('2030-01-01T00:02:00Z');
      long.end(1000);
      expect(await one.ask({ claims: claims(11), patienceMs: 0 })).toBe('patience');
      clock = new Date('2030-01-01T00:03:03Z');
      expect(await one.ask({ claims: claims(1000), patienceMs: 0 })).toMatchObject({});
    });
  });

  describe('the queue', () => {
    it('lets no small call of another process overtake a large one that waits', async () => {
      // A place in line is kept for three seconds without a question; by this clock they never pass.
      clock = new Date('2030-01-01T00:00:00Z');
      const [patient, eager] = [await start(), await start()];
      const claims = (need: number) => [claim({ scope, tokens: 100, need })];
      const first = await eager.take({ claims: claims(60) });
      const order: string[] = [];
      const large = patient.take({ claims: claims(80) }).then((slot) => {
        order.push('large');
        slot.end(0);
      });
      // Only who is known to wait goes before others: what counts is when PostgreSQL heard of it.
      await until(hasHead);
      clock = new Date('2030-01-01T00:00:01Z');
      const small = eager.take({ claims: claims(30) }).then(() => order.push('small'));
      await waits(eager);
      first.end(0);
      await Promise.all([large, small]);
      expect(order).toEqual(['large', 'small']);
    });

    it('is told when room becomes free in another process', async () => {
      const [holder, waiter] = [await start(), await start()];
      const notifications = new Notifications(database.url);
      let told = 0;
      notifications.on('lattice_capacity', () => (told += 1));
      await notifications.onApplicationBootstrap();
      const claims = [claim({ scope, concurrency: 1 })];
      const slot = await holder.take({ claims });
      const next = waiter.take({ claims });
      await waits(waiter);
      // Whoever joins the line is heard of first.
      await until(() => told > 0);
      const before = told;
      slot.end();
      await next;
      await until(() => told > before);
      await notifications.onApplicationShutdown();
    });

    it('moves on when the first in line hangs up, also in the other process', async () => {
      const [first, second] = [await start(), await start()];
      const claims = (need: number) => [claim({ scope, tokens: 100, need })];
      await first.take({ claims: claims(60) });
      const controller = new AbortController();
      const large = first.ask({ claims: claims(80), signal: controller.signal });
      await waits(first);
      const behind = first.take({ claims: claims(10) });
      await waits(first, 2);
      const elsewhere = second.take({ claims: claims(10) });
      await waits(second);
      controller.abort();
      expect(await large).toBe('aborted');
      await Promise.all([behind, elsewhere]);
    });

    it('is no longer than it may be: the latest leave at once', async () => {
      const one = await start();
      const claims = [claim({ scope, concurrency: 1, queueLength: 2 })];
      const slot = await one.take({ claims });
      const asked = Array.from({ length: 5 }, () => one.ask({ claims }));
      expect(await Promise.all(asked.slice(2))).toEqual(['queue_full', 'queue_full', 'queue_full']);
      expect(one.queue.waitingFor(scope)).toBe(2);
      slot.end();
      for (const served of asked.slice(0, 2)) ((await served) as { end(): void }).end();
    });

    it('leaves nothing behind', async () => {
      const one = await start();
      (await one.take({ claims: [claim({ scope, concurrency: 1 })] })).end();
      await one.close();
      expect(await leases()).toBe(0);
      const [row] = await sql.query<{ head_process: string | null }[]>(
        'select head_process from capacity_scopes where scope = $1',
        [scope],
      );
      expect(row).toEqual({ head_process: null });
    });
  });
});
