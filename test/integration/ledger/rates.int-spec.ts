import { newId } from '../../../src/common/index';
import { type Hold, RequestLimitError } from '../../../src/ledger/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import {
  aCaller,
  aCommand,
  aContext,
  aLimit,
  anAttempt,
  bootNode,
  type Caller,
  countOf,
  type LedgerNode,
  tryAdmit,
} from './ledger-node';

const MINUTE_MS = 60_000;

describe('Request windows', () => {
  let database: TestDatabase;
  let nodes: LedgerNode[];
  let caller: Caller;
  let nowMs: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    nowMs = Date.parse('2026-05-01T10:00:00Z');
    const now = (): Date => new Date(nowMs);
    nodes = await Promise.all([1, 2, 3, 4].map(() => bootNode(database.url, { now })));
  });

  afterAll(async () => {
    for (const node of nodes) await node.close();
    await database.drop();
  });

  beforeEach(async () => {
    caller = await aCaller(nodeOf(0));
  });

  const nodeOf = (index: number): LedgerNode => nodes[index % nodes.length] as LedgerNode;

  /** How many requests passed; all others must have been refused for their number. */
  async function passed(attempts: readonly Promise<unknown>[]): Promise<number> {
    const results = await Promise.allSettled(attempts);
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(reasons.filter((reason) => !(reason instanceof RequestLimitError))).toEqual([]);
    return results.length - reasons.length;
  }

  const admit = (node: LedgerNode, by = caller): Promise<Hold> => node.ledger.admit(aContext(by), aCommand());

  it('let exactly the limit pass from four processes, paid and unpaid requests together', async () => {
    const id = await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerHour: 120 });
    const both = Array.from({ length: 400 }, (_, i) =>
      i % 2 === 0 ? admit(nodeOf(i >> 1)) : nodeOf(i >> 1).ledger.countRequest(caller),
    );
    await expect(passed(both)).resolves.toBe(120);
    expect(await countOf(nodeOf(0), 'limit_counters where limit_id = $1 and hour_requests = 120', [id])).toBe(
      1,
    );
    const holds = await countOf(nodeOf(0), 'holds where user_id = $1', [caller.userId]);
    expect(await countOf(nodeOf(0), `limit_counters where limit_id = '${id}' and running = ${holds}`)).toBe(
      1,
    );
  });

  it('count for the user, the key and everybody, and refuse at the tightest', async () => {
    const other = await aCaller(nodeOf(0));
    await aLimit(nodeOf(0), { scope: 'key', scopeId: caller.keyId, requestsPerMinute: 5 });
    await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerMinute: 8 });
    const globalId = await aLimit(nodeOf(0), { scope: 'global', requestsPerHour: 20 });
    const count = (who: { userId?: string; keyId?: string }, times: number): Promise<number> =>
      passed(Array.from({ length: times }, (_, i) => nodeOf(i).ledger.countRequest(who)));
    try {
      await expect(count(caller, 20)).resolves.toBe(5);
      await expect(count({ userId: caller.userId }, 20)).resolves.toBe(3);
      await expect(count(other, 10)).resolves.toBe(10);
      await expect(count({}, 20)).resolves.toBe(2);
    } finally {
      await nodeOf(0).database.query('delete from limits where id = $1', [globalId]);
    }
  });

  it('tell each admission what is left of the tightest one', async () => {
    await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerMinute: 5, requestsPerHour: 7 });
    nowMs = Date.parse('2026-05-01T11:30:20Z');
    const states = [];
    for (let i = 0; i < 3; i += 1) states.push((await admit(nodeOf(i))).rateLimit);
    const minute = { limit: 5, resetsAt: new Date('2026-05-01T11:31:00Z'), windowSeconds: 60 };
    expect(states).toEqual([4, 3, 2].map((remaining) => ({ ...minute, remaining })));
    nowMs += MINUTE_MS;
    await expect(nodeOf(3).ledger.countRequest(caller)).resolves.toEqual({
      limit: 7,
      remaining: 3,
      resetsAt: new Date('2026-05-01T12:00:00Z'),
      windowSeconds: 3600,
    });
  });

  it('put the same into the headers of a refusal', async () => {
    const now = Date.now();
    nowMs = now;
    await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerHour: 1 });
    await admit(nodeOf(0));
    const headers = {
      'ratelimit-limit': '1',
      'ratelimit-remaining': '0',
      'ratelimit-policy': '1;w=3600',
      'ratelimit-reset': expect.stringMatching(/^\d{1,4}$/) as string,
    };
    await expect(admit(nodeOf(1))).rejects.toMatchObject({ code: 'REQUEST_LIMIT_EXCEEDED', headers });
    const refusal = nodeOf(2).ledger.countRequest(caller);
    await expect(refusal).rejects.toMatchObject({
      code: 'REQUEST_LIMIT_EXCEEDED',
      headers,
      details: { limit: 'requests_per_hour', scope: 'user', value: 1 },
    });
  });

  it('are not touched by limits of tokens and of concurrency', async () => {
    await aLimit(nodeOf(0), { scopeId: caller.userId, concurrency: 1, tokensPerHour: 100 });
    const hold = await admit(nodeOf(0));
    expect(hold.rateLimit).toBeUndefined();
    await expect(nodeOf(1).ledger.countRequest(caller)).resolves.toBeUndefined();
    await expect(tryAdmit(nodeOf(2), aContext(caller))).resolves.toMatchObject({
      code: expect.any(String) as string,
    });
    const id = (await nodeOf(0).database.query('select id from limits where scope_id = $1', [
      caller.userId,
    ])) as { id: string }[];
    const [counter] = (await nodeOf(0).database.query(
      'select running, hour_tokens from limit_counters where limit_id = $1',
      [id[0]?.id],
    )) as unknown[];
    expect(counter).toEqual({ running: '1', hour_tokens: '100' });
  });

  it('of the installation are all told to who counts callers without a name, and its value to administrators', async () => {
    nowMs = Date.parse('2026-05-03T11:30:20Z');
    const globalId = await aLimit(nodeOf(0), { scope: 'global', requestsPerMinute: 3, requestsPerHour: 7 });
    try {
      await expect(nodeOf(1).ledger.countPublicRequest()).resolves.toEqual([
        expect.objectContaining({ limit: 3, remaining: 2, windowSeconds: 60 }),
        expect.objectContaining({ limit: 7, remaining: 6, windowSeconds: 3600 }),
      ]);
      await nodeOf(2).ledger.countRequest(caller);
      await nodeOf(2).ledger.countPublicRequest();
      await expect(nodeOf(1).ledger.countPublicRequest()).rejects.toBeInstanceOf(RequestLimitError);
      const refused = async (role: 'admin' | 'operator') =>
        await nodeOf(0)
          .ledger.countRequest({ ...caller, role })
          .catch((error: RequestLimitError) => error.details);
      expect(await refused('admin')).toMatchObject({ scope: 'global', value: 3 });
      expect(await refused('operator')).toMatchObject({ scope: 'global', value: undefined });
    } finally {
      await nodeOf(0).database.query('delete from limits where id = $1', [globalId]);
    }
    await expect(nodeOf(1).ledger.countPublicRequest()).resolves.toEqual([]);
  });

  it('of the installation are not told with admissions, which no caller would hear of', async () => {
    nowMs = Date.parse('2026-05-03T12:30:20Z');
    const globalId = await aLimit(nodeOf(0), { scope: 'global', requestsPerMinute: 1 });
    const turn = jest.spyOn(nodeOf(0).store, 'turn');
    const told = async () =>
      (await turn.mock.results.at(-1)?.value)?.windows?.map(({ scopeId }: { scopeId: string }) => scopeId);
    try {
      await admit(nodeOf(0));
      expect(await told()).toBeUndefined();
      await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerMinute: 5 });
      await expect(tryAdmit(nodeOf(0), aContext(caller))).resolves.toBeInstanceOf(RequestLimitError);
      expect(await told()).toEqual([caller.userId]);
      nowMs += MINUTE_MS;
      await admit(nodeOf(0));
      expect(await told()).toEqual([caller.userId]);
    } finally {
      turn.mockRestore();
      await nodeOf(0).database.query('delete from limits where id = $1', [globalId]);
    }
  });

  it('are nobody’s where there are none', async () => {
    await expect(nodeOf(0).ledger.countRequest(caller)).resolves.toBeUndefined();
    await expect(nodeOf(0).ledger.countRequest({ userId: newId() })).resolves.toBeUndefined();
    expect((await admit(nodeOf(0))).rateLimit).toBeUndefined();
  });

  it('begin anew at the minute, the hour and midnight in UTC', async () => {
    nowMs = Date.parse('2026-05-31T23:59:58Z');
    await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerMinute: 2, requestsPerHour: 3 });
    const three = (): Promise<number> =>
      passed(
        Array.from({ length: 6 }, (_, i) =>
          i % 2 ? nodeOf(i).ledger.countRequest(caller) : admit(nodeOf(i)),
        ),
      );
    await expect(three()).resolves.toBe(2);
    nowMs = Date.parse('2026-06-01T00:00:00Z');
    await expect(three()).resolves.toBe(2);
    nowMs += MINUTE_MS;
    await expect(three()).resolves.toBe(1);
    nowMs += 59 * MINUTE_MS;
    await expect(three()).resolves.toBe(2);
  });

  it('count what one process has counted before, whoever’s clock lags behind', async () => {
    nowMs = Date.parse('2026-06-02T10:01:00Z');
    await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerMinute: 1 });
    await nodeOf(0).ledger.countRequest(caller);
    nowMs -= 1;
    await expect(nodeOf(1).ledger.countRequest(caller)).rejects.toBeInstanceOf(RequestLimitError);
  });

  it('leave the settlement of what was admitted alone', async () => {
    await aLimit(nodeOf(0), { scopeId: caller.userId, requestsPerMinute: 2 });
    const ctx = aContext(caller);
    const hold = await nodeOf(0).ledger.admit(ctx, aCommand());
    await nodeOf(1).ledger.countRequest(caller);
    await nodeOf(0).ledger.settle(ctx, hold, [anAttempt()]);
    await expect(nodeOf(0).reconciliation.reconcile()).resolves.toEqual([]);
    await expect(admit(nodeOf(2))).rejects.toBeInstanceOf(RequestLimitError);
  });
});
