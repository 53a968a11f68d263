import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newId, type RequestContext } from '../../../src/common/index';
import { HotPool } from '../../../src/database/index';
import { ServiceUnavailableError } from '../../../src/errors/index';
import { BudgetExceededError, type Hold, LedgerService } from '../../../src/ledger/index';
import { AppLogger, Metrics } from '../../../src/observability/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import {
  aBudget,
  aCaller,
  aCommand,
  aContext,
  ADMIN,
  aLimit,
  anAttempt,
  bootNode,
  type Caller,
  CENT,
  countOf,
  kill,
  type LedgerNode,
  linesOf,
  reap,
  tryAdmit,
} from './ledger-node';

describe(`${LedgerService.name} settlement`, () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let other: LedgerNode;
  let caller: Caller;
  let ctx: RequestContext;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url);
    other = await bootNode(database.url);
  });

  afterAll(async () => {
    await node.close();
    await other.close();
    await database.drop();
  });

  beforeEach(async () => {
    caller = await aCaller(node);
    ctx = aContext(caller, { projectId: newId(), runId: newId(), taskId: newId() });
  });

  afterEach(async () => {
    await expect(node.reconciliation.reconcile()).resolves.toEqual([]);
  });

  async function counters(): Promise<{ spent: bigint; held: bigint }> {
    const budgets = await node.budgets.list(ADMIN, { limit: 200 });
    const own = budgets.find(({ scopeId }) => scopeId === caller.userId);
    return { spent: own?.spentPicoUsd ?? -1n, held: own?.heldPicoUsd ?? -1n };
  }

  async function hourTokens(): Promise<number> {
    const [counted] = (await node.database.query(
      'select c.hour_tokens from limit_counters c join limits l on l.id = c.limit_id where l.scope_id = $1',
      [caller.userId],
    )) as { hour_tokens: string }[];
    return Number(counted?.hour_tokens);
  }

  /** An admitted request of a caller with a hard budget of a dollar and a limit of five at once. */
  async function admitted(): Promise<Hold> {
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 100n * CENT });
    await aLimit(node, { scopeId: caller.userId, concurrency: 5, tokensPerHour: 1000 });
    return await node.ledger.admit(ctx, aCommand());
  }

  const nextAttempt = (attempt: number, worst = 10n * CENT, minimum = worst) =>
    aCommand({ worst, minimum }, attempt);

  it('books a line with everything that is known of the attempt', async () => {
    const hold = await admitted();
    const startedAt = new Date('2026-05-05T12:00:00.123Z');
    await node.ledger.settle(ctx, hold, [
      anAttempt({
        startedAt,
        modelServed: 'gpt-test-2026',
        upstreamRequestId: 'up\ud800stream',
        usage: {
          promptTokens: 50,
          cachedReadTokens: 20,
          cacheWriteTokens: 10,
          cacheWriteOneHourTokens: 4,
          completionTokens: 30,
          reasoningTokens: 5,
        },
        rawUsage: { total_tokens: 80, note: 'nul\0' },
        firstTokenMs: 7.4,
      }),
    ]);
    const [line] = await linesOf(node, ctx);
    expect(line).toMatchObject({
      request_id: ctx.requestId,
      user_id: caller.userId,
      key_id: caller.keyId,
      project_id: ctx.work?.projectId,
      run_id: ctx.work?.runId,
      task_id: ctx.work?.taskId,
      session_id: null,
      task_type: 'GENERAL',
      model_served: 'gpt-test-2026',
      upstream_request_id: 'up\ufffdstream',
      cached_read_tokens: '20',
      cache_write_one_hour_tokens: '4',
      raw_usage: { total_tokens: 80, note: 'nul' },
      cost_pico_usd: String(4n * CENT),
      disputes: null,
      started_at: startedAt,
      first_token_ms: 7,
    });
    expect(await counters()).toEqual({ spent: 4n * CENT, held: 0n });
  });

  it('books each attempt once, however often it is settled', async () => {
    const hold = await admitted();
    const lines = [anAttempt({ outcome: 'failed', costPicoUsd: 0n }), anAttempt({ attempt: 2 })];
    await Promise.all([node.ledger.settle(ctx, hold, lines), other.ledger.settle(ctx, hold, lines)]);
    await node.ledger.settle(ctx, hold, [
      anAttempt({ attempt: 2, costPicoUsd: 9n * CENT }),
      anAttempt({ attempt: 3 }),
    ]);
    expect(await linesOf(node, ctx)).toHaveLength(3);
    expect(await counters()).toEqual({ spent: 8n * CENT, held: 0n });
  });

  it('frees a request for which nothing was sent', async () => {
    const hold = await admitted();
    await node.ledger.settle(ctx, hold, []);
    expect(await linesOf(node, ctx)).toEqual([]);
    expect(await counters()).toEqual({ spent: 0n, held: 0n });
  });

  it('books an unknown price as null, not as zero', async () => {
    const hold = await admitted();
    await node.ledger.settle(ctx, hold, [anAttempt({ costPicoUsd: undefined, priceVersion: undefined })]);
    await expect(linesOf(node, ctx)).resolves.toMatchObject([{ cost_pico_usd: null, price_version: null }]);
  });

  it('marks, logs and counts an attempt whose figures disagree', async () => {
    const fatal = jest.spyOn(node.module.get(AppLogger), 'event');
    const hold = await admitted();
    await node.ledger.settle(ctx, hold, [
      anAttempt({ disputes: ['cached tokens 9 exceed prompt tokens 1'] }),
    ]);
    await expect(linesOf(node, ctx)).resolves.toMatchObject([
      { disputes: ['cached tokens 9 exceed prompt tokens 1'] },
    ]);
    expect(fatal.mock.calls.filter(([event]) => event === 'billing')).toHaveLength(1);
    const count = await node.module.get(Metrics).disputes.get();
    expect(count.values).toMatchObject([{ value: 1, labels: { provider: 'openai' } }]);
  });

  it('keeps what the books refuse in a file, and books the bound instead', async () => {
    const hold = await admitted();
    await node.ledger.settle(ctx, hold, [anAttempt({ outcome: 'impossible' as 'failed' })]);
    await expect(linesOf(node, ctx)).resolves.toMatchObject([
      { outcome: 'crashed', usage_source: 'upper_bound' },
    ]);
    expect(await counters()).toEqual({ spent: 10n * CENT, held: 0n });
    const rejected = readFileSync(path.join(node.dataDir, 'journal', 'rejected.log'), 'utf8');
    expect(rejected).toContain(ctx.requestId);
  });

  it('opens no period that ended before its budget was made', async () => {
    const startedAt = new Date(Date.now() - 3 * 86_400_000);
    const hold = {
      requestId: '',
      heldPicoUsd: 0n,
      isHard: false,
      taskType: 'GENERAL',
      warnings: [],
    } as const;
    await node.ledger.settle(ctx, hold, [anAttempt({ startedAt })]);
    await aBudget(node, { scopeId: caller.userId, period: 'day' });
    await node.ledger.settle(aContext(caller), hold, [anAttempt({ startedAt })]);
    expect(await countOf(node, 'usage_lines where user_id = $1', [caller.userId])).toBe(2);
    expect(await counters()).toEqual({ spent: 0n, held: 0n });
    await expect(node.reconciliation.reconcile()).resolves.toEqual([]);
  });

  it('lets what is free through an overspent budget', async () => {
    await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 10n * CENT });
    const hold = await node.ledger.admit(ctx, aCommand());
    await node.ledger.settle(ctx, hold, [anAttempt({ costPicoUsd: 12n * CENT })]);
    const next = aContext(caller);
    await expect(tryAdmit(node, next)).resolves.toBeInstanceOf(BudgetExceededError);
    const free = await node.ledger.admit(next, aCommand({ worst: 0n }));
    expect(free).toMatchObject({ heldPicoUsd: 0n, isHard: true });
    const again = await node.ledger.advance(
      next,
      free,
      [anAttempt({ costPicoUsd: 0n })],
      aCommand({ worst: 0n }, 2),
    );
    expect(again.heldPicoUsd).toBe(0n);
    await node.ledger.settle(next, again, []);
  });

  describe('advance', () => {
    it('books what is finished and sizes the hold for the next attempt', async () => {
      const hold = await admitted();
      const finished = [anAttempt({ outcome: 'failed', costPicoUsd: 1n * CENT })];
      const next = await node.ledger.advance(ctx, hold, finished, nextAttempt(2, 30n * CENT));
      expect(next).toMatchObject({ heldPicoUsd: 30n * CENT, isHard: true, requestId: ctx.requestId });
      expect(await counters()).toEqual({ spent: 1n * CENT, held: 30n * CENT });
      await node.ledger.settle(ctx, next, [anAttempt({ attempt: 2 })]);
      expect(await linesOf(node, ctx)).toMatchObject([{ outcome: 'failed' }, { outcome: 'succeeded' }]);
      expect(await counters()).toEqual({ spent: 5n * CENT, held: 0n });
    });

    it('takes what the budget has left, its own hold included', async () => {
      const hold = await admitted();
      const next = await node.ledger.advance(
        ctx,
        hold,
        [anAttempt()],
        nextAttempt(2, 500n * CENT, 20n * CENT),
      );
      expect(next.heldPicoUsd).toBe(96n * CENT);
    });

    it('keeps the lines and closes the hold when the budget cannot pay for another attempt', async () => {
      const hold = await admitted();
      const finished = [anAttempt({ costPicoUsd: 95n * CENT })];
      const refused = node.ledger.advance(ctx, hold, finished, nextAttempt(2));
      await expect(refused).rejects.toBeInstanceOf(BudgetExceededError);
      expect(await linesOf(node, ctx)).toHaveLength(1);
      expect(await counters()).toEqual({ spent: 95n * CENT, held: 0n });
      await node.ledger.settle(ctx, hold, []);
      expect(await countOf(node, 'holds where request_id = $1', [ctx.requestId])).toBe(0);
    });

    it('warns when it exceeds a soft budget and holds the estimate', async () => {
      await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 5n * CENT, mode: 'soft' });
      const command = aCommand({ estimate: 2n * CENT });
      const hold = await node.ledger.admit(ctx, command);
      const next = await node.ledger.advance(ctx, hold, [anAttempt()], {
        ...command,
        intent: aCommand({}, 2).intent,
      });
      expect(next).toMatchObject({
        heldPicoUsd: 2n * CENT,
        isHard: false,
        warnings: ['The soft monthly budget of the user is exceeded'],
      });
    });

    it('counts real tokens of finished attempts and the estimate of the next', async () => {
      const hold = await admitted();
      await node.ledger.advance(ctx, hold, [anAttempt()], nextAttempt(2));
      const [counted] = (await node.database.query(
        'select c.hour_tokens, c.running from limit_counters c join limits l on l.id = c.limit_id where l.scope_id = $1',
        [caller.userId],
      )) as unknown[];
      expect(counted).toEqual({ hour_tokens: '180', running: '1' });
    });

    it('opens the hold again when a reaper took it meanwhile', async () => {
      const hold = await admitted();
      await kill(node, node.processId);
      await reap(other);
      const next = await node.ledger.advance(ctx, hold, [anAttempt()], nextAttempt(2));
      expect(next.heldPicoUsd).toBe(10n * CENT);
      await expect(linesOf(node, ctx)).resolves.toMatchObject([{ outcome: 'succeeded' }]);
      expect(await counters()).toEqual({ spent: 4n * CENT, held: 10n * CENT });
      await node.ledger.settle(ctx, next, [anAttempt({ attempt: 2 })]);
      expect(await counters()).toEqual({ spent: 8n * CENT, held: 0n });
      await node.lease.beat();
    });
  });

  describe('after a death', () => {
    // Other tests leave open holds; they shall not count as this test's dead.
    beforeEach(async () => {
      await kill(node, node.processId);
      await reap(other);
      await kill(node, other.processId);
      await reap(node);
      await node.lease.beat();
      await other.lease.beat();
    });

    it('settles the intent of a dead process at its bound and frees everything', async () => {
      await admitted();
      await kill(node, node.processId);
      await expect(reap(other)).resolves.toBe(1);
      await expect(reap(other)).resolves.toBe(0);
      await expect(linesOf(node, ctx)).resolves.toMatchObject([
        {
          outcome: 'crashed',
          usage_source: 'upper_bound',
          prompt_tokens: '60',
          completion_tokens: '40',
          cost_pico_usd: String(10n * CENT),
          price_version: 7,
          error_code: 'PROCESS_LOST',
        },
      ]);
      expect(await counters()).toEqual({ spent: 10n * CENT, held: 0n });
      await node.lease.beat();
    });

    it('leaves the holds of the living alone', async () => {
      const hold = await admitted();
      await node.lease.beat();
      await expect(reap(other)).resolves.toBe(0);
      await node.ledger.settle(ctx, hold, []);
    });

    it('settles the attempt that was in flight, not those that were booked before', async () => {
      const hold = await admitted();
      await node.ledger.advance(ctx, hold, [anAttempt()], nextAttempt(2, 20n * CENT));
      await kill(node, node.processId);
      await reap(other);
      const lines = await linesOf(node, ctx);
      expect(lines).toMatchObject([
        { attempt: 1, outcome: 'succeeded' },
        { attempt: 2, outcome: 'crashed' },
      ]);
      expect(await counters()).toEqual({ spent: 24n * CENT, held: 0n });
      await node.lease.beat();
    });

    it('replaces a bound by the truth that comes late, and never books both', async () => {
      const hold = await admitted();
      await kill(node, node.processId);
      await reap(other);
      await node.ledger.settle(ctx, hold, [anAttempt()]);
      await node.ledger.settle(ctx, hold, [anAttempt({ costPicoUsd: 9n * CENT })]);
      await expect(linesOf(node, ctx)).resolves.toMatchObject([{ outcome: 'succeeded', error_code: null }]);
      expect(await counters()).toEqual({ spent: 4n * CENT, held: 0n });
      await node.lease.beat();
    });

    it('never takes the holds of the process that asks', async () => {
      const hold = await admitted();
      await kill(node, node.processId);
      await expect(reap(node)).resolves.toBe(0);
      await node.lease.beat();
      await node.ledger.settle(ctx, hold, []);
    });

    it('lets the living renew their leases while PostgreSQL has been up for less than one', async () => {
      await admitted();
      await kill(node, node.processId);
      await expect(other.store.reap(other.processId, 10 ** 10)).resolves.toBe(0);
      await expect(reap(other)).resolves.toBe(1);
      await node.lease.beat();
    });

    it('takes a bound back when nothing was sent', async () => {
      const hold = await admitted();
      await kill(node, node.processId);
      await reap(other);
      await node.ledger.settle(ctx, hold, []);
      await expect(linesOf(node, ctx)).resolves.toMatchObject([
        { outcome: 'cancelled', prompt_tokens: '0', completion_tokens: '0', cost_pico_usd: '0' },
      ]);
      expect(await counters()).toEqual({ spent: 0n, held: 0n });
      expect(await hourTokens()).toBe(0);
      await node.lease.beat();
    });

    it('books what an attempt cost although its bound was taken back before', async () => {
      const hold = await admitted();
      await kill(node, node.processId);
      await reap(other);
      await node.ledger.settle(ctx, hold, []);
      await node.ledger.settle(ctx, hold, [anAttempt()]);
      await expect(linesOf(node, ctx)).resolves.toMatchObject([{ outcome: 'succeeded' }]);
      expect(await counters()).toEqual({ spent: 4n * CENT, held: 0n });
      await node.lease.beat();
    });

    it('takes a bound back when the request goes on without it, and books the next death of that attempt', async () => {
      const hold = await admitted();
      await kill(node, node.processId);
      await reap(other);
      await node.ledger.advance(ctx, hold, [], nextAttempt(1, 20n * CENT));
      await expect(linesOf(node, ctx)).resolves.toMatchObject([{ outcome: 'cancelled', cost_pico_usd: '0' }]);
      expect(await counters()).toEqual({ spent: 0n, held: 20n * CENT });
      await kill(node, node.processId);
      await reap(other);
      await expect(linesOf(node, ctx)).resolves.toMatchObject([
        { outcome: 'crashed', cost_pico_usd: String(20n * CENT) },
      ]);
      expect(await counters()).toEqual({ spent: 20n * CENT, held: 0n });
      await node.lease.beat();
    });

    it('keeps the bound of what the books refused', async () => {
      const hold = await admitted();
      await node.ledger.settle(ctx, hold, [anAttempt({ outcome: 'impossible' as 'failed' })]);
      await node.ledger.settle(ctx, hold, []);
      expect(await counters()).toEqual({ spent: 10n * CENT, held: 0n });
    });

    it('counts the tokens of a truth that comes late', async () => {
      const hold = await admitted();
      await kill(node, node.processId);
      await reap(other);
      expect(await hourTokens()).toBe(100);
      await node.ledger.settle(ctx, hold, [
        anAttempt({ usage: { promptTokens: 300, completionTokens: 50 } }),
        anAttempt({ attempt: 2, usage: { promptTokens: 7, completionTokens: 0 } }),
      ]);
      expect(await hourTokens()).toBe(357);
      await node.lease.beat();
    });

    it('books an unknown price at its death as null, not as what was held', async () => {
      await aBudget(node, { scopeId: caller.userId });
      const command = aCommand();
      await node.ledger.admit(ctx, {
        ...command,
        intent: { ...command.intent, boundCostPicoUsd: undefined },
      });
      await kill(node, node.processId);
      await reap(other);
      await expect(linesOf(node, ctx)).resolves.toMatchObject([{ outcome: 'crashed', cost_pico_usd: null }]);
      expect(await counters()).toEqual({ spent: 0n, held: 0n });
      await node.lease.beat();
    });

    it('frees holds whose admission never reached the process that asked', async () => {
      await admitted();
      await node.database.query(
        `update holds set process_id = $2, admitted_at = now() - interval '1 hour'
        where request_id = $1`,
        [ctx.requestId, other.processId],
      );
      await other.lease.beat();
      expect(await linesOf(node, ctx)).toEqual([]);
      expect(await counters()).toEqual({ spent: 0n, held: 0n });
    });
  });
});

describe('The journal', () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let pool: HotPool & { isAway: boolean };

  /** A hot pool whose server can go away. */
  class FragilePool extends HotPool {
    isAway = false;
    override connect: HotPool['connect'] = ((...rest: []) => {
      if (this.isAway) return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      return super.connect(...rest);
    }) as HotPool['connect'];
    override query: HotPool['query'] = ((...rest: [string]) => {
      if (this.isAway) return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      return super.query(...rest);
    }) as HotPool['query'];
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = new FragilePool({ connectionString: database.url });
    node = await bootNode(database.url, { hotPool: pool });
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  afterEach(() => {
    pool.isAway = false;
  });

  const journals = (dataDir: string): string[] =>
    readdirSync(path.join(dataDir, 'journal')).filter((name) => name.endsWith('.ndjson'));

  it('keeps settlements while PostgreSQL is away and books them when it is back', async () => {
    const caller = await aCaller(node);
    await aBudget(node, { scopeId: caller.userId });
    const contexts = [aContext(caller), aContext(caller)];
    const holds = await Promise.all(contexts.map((ctx) => node.ledger.admit(ctx, aCommand())));
    pool.isAway = true;
    await expect(tryAdmit(node, aContext(caller))).resolves.toBeInstanceOf(ServiceUnavailableError);
    await Promise.all(
      contexts.map((ctx, i) => node.ledger.settle(ctx, holds[i] as Hold, [anAttempt({ latencyMs: i })])),
    );
    await node.replayer.replay();
    expect(journals(node.dataDir)).toContain(`${node.processId}.ndjson`);
    pool.isAway = false;
    await node.replayer.replay();
    expect(journals(node.dataDir)).not.toContain(`${node.processId}.ndjson`);
    for (const ctx of contexts) expect(await linesOf(node, ctx)).toHaveLength(1);
    expect(await countOf(node, `holds where user_id = '${caller.userId}'`)).toBe(0);
    await expect(node.reconciliation.reconcile()).resolves.toEqual([]);
  });

  it.each([{ query_timeout: 200 }, { lock_timeout: 200 }, { statement_timeout: 200 }])(
    'waits no longer for a PostgreSQL that hangs than %p',
    async (limit) => {
      const impatient = new HotPool({ connectionString: database.url, ...limit });
      const waiting = await bootNode(database.url, { hotPool: impatient });
      const ctx = aContext(await aCaller(waiting));
      const hold = await waiting.ledger.admit(ctx, aCommand());
      const blocker = node.database.createQueryRunner();
      await blocker.query('select pg_advisory_lock(7600001)');
      await expect(tryAdmit(waiting, aContext(await aCaller(node)))).resolves.toBeInstanceOf(
        ServiceUnavailableError,
      );
      await waiting.ledger.settle(ctx, hold, [anAttempt()]);
      expect(journals(waiting.dataDir)).toHaveLength(1);
      await blocker.query('select pg_advisory_unlock(7600001)');
      await blocker.release();
      await waiting.replayer.replay();
      await expect(linesOf(waiting, ctx)).resolves.toMatchObject([{ outcome: 'succeeded' }]);
      await waiting.close();
    },
  );

  it('keeps what is finished when the next attempt cannot be held', async () => {
    const ctx = aContext(await aCaller(node));
    const hold = await node.ledger.admit(ctx, aCommand());
    pool.isAway = true;
    const advance = node.ledger.advance(ctx, hold, [anAttempt()], aCommand({}, 2));
    await expect(advance).rejects.toBeInstanceOf(ServiceUnavailableError);
    pool.isAway = false;
    await node.replayer.replay();
    await expect(linesOf(node, ctx)).resolves.toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('books the journal of a dead process that shared the folder, torn last line and all', async () => {
    const ctx = aContext(await aCaller(node));
    await node.ledger.admit(ctx, aCommand());
    const owner = { request_id: ctx.requestId, user_id: ctx.principal.userId, task_type: 'GENERAL' };
    const line = {
      request_id: ctx.requestId,
      attempt: 1,
      provider: 'openai',
      model: 'm',
      outcome: 'succeeded',
      usage_source: 'provider',
      cost_pico_usd: '5',
      started_at: new Date(),
    };
    const dead = newId();
    const header = { process: dead, pid: process.pid, host: (await import('node:os')).hostname() };
    const text = `${JSON.stringify(header)}\n${JSON.stringify({ owner, lines: [line] })}\n{"owner":{"requ`;
    mkdirSync(path.join(node.dataDir, 'journal'), { recursive: true });
    writeFileSync(path.join(node.dataDir, 'journal', `${dead}.ndjson`), text);
    const foreign = newId();
    writeFileSync(
      path.join(node.dataDir, 'journal', `${foreign}.ndjson`),
      `${JSON.stringify({ process: foreign, pid: 1, host: 'elsewhere' })}\n`,
    );
    await node.replayer.replay();
    await expect(linesOf(node, ctx)).resolves.toMatchObject([{ cost_pico_usd: '5' }]);
    expect(journals(node.dataDir)).toEqual([`${foreign}.ndjson`]);
    const rejected = readFileSync(path.join(node.dataDir, 'journal', 'rejected.log'), 'utf8');
    expect(rejected).toContain('requ');
  });
});
