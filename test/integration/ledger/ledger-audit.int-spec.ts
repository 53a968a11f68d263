import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { DataSource } from 'typeorm';
import { bookedCost, type ModelPrices, upperBoundCost } from '../../../src/catalog/index';
import { toStored } from '../../../src/catalog/price-conversion';
import { formatUsd, newId, type TokenUsage, toApiId } from '../../../src/common/index';
import { AuditSink } from '../../../src/errors/index';
import { RerateRequestDto } from '../../../src/ledger/dto/rerate.request.dto';
import { LedgerAudit } from '../../../src/ledger/ledger-audit.service';
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
  CENT,
  kill,
  type LedgerNode,
  reap,
} from './ledger-node';

const CHEAP: ModelPrices = { prices: { inputPicoUsd: 3n, outputPicoUsd: 11n }, tiers: [] };
const DEAR: ModelPrices = {
  prices: { inputPicoUsd: 5n, outputPicoUsd: 17n, cachedReadPicoUsd: 1n, cacheWritePicoUsd: 7n },
  tiers: [{ fromPromptTokens: 1000, inputPicoUsd: 9n, outputPicoUsd: 23n, cacheWriteOneHourPicoUsd: 19n }],
};

describe(LedgerAudit.name, () => {
  let database: TestDatabase;
  let node: LedgerNode;
  let audit: LedgerAudit;

  beforeEach(async () => {
    database = await createTestDatabase();
    node = await bootNode(database.url);
    audit = node.module.get(LedgerAudit);
  });

  afterEach(async () => {
    await node.close();
    await database.drop();
  });

  const recorded = (): unknown[] => (node.module.get(AuditSink) as jest.Mocked<AuditSink>).record.mock.calls;

  describe('reconcile', () => {
    it('says that the books are balanced, and is written down', async () => {
      const caller = await aCaller(node);
      await aBudget(node, { scopeId: caller.userId });
      const ctx = aContext(caller);
      await node.ledger.settle(ctx, await node.ledger.admit(ctx, aCommand()), [anAttempt()]);
      await node.ledger.admit(aContext(caller), aCommand());
      const answer = await audit.reconcile(ADMIN);
      expect(answer).toMatchObject({ isBalanced: true, checkedBudgets: 1, differences: [] });
      expect(Math.abs(Date.now() - Date.parse(answer.reconciledAt))).toBeLessThan(60_000);
      const after = { isBalanced: true, checkedBudgets: 1, differences: 0 };
      expect(recorded()).toContainEqual([ADMIN, { action: 'ledger.reconcile', resourceId: null, after }]);
    });

    it('lists every counter that somebody has tampered with', async () => {
      const caller = await aCaller(node);
      const budget = await aBudget(node, { scopeId: caller.userId, period: 'total' });
      const limit = await aLimit(node, { scope: 'global', concurrency: 9 });
      const ctx = aContext(caller);
      await node.ledger.settle(ctx, await node.ledger.admit(ctx, aCommand()), [anAttempt()]);
      await node.database.query('update budget_periods set spent_pico = spent_pico + 1, held_pico = 2');
      await node.database.query('update limit_counters set running = 3');
      const { isBalanced, differences } = await audit.reconcile(ADMIN);
      expect(isBalanced).toBe(false);
      const ofBudget = {
        id: toApiId('bud', budget),
        scope: 'user',
        scopeId: toApiId('usr', caller.userId),
        period: 'total',
        periodStart: null,
      };
      expect(differences).toHaveLength(3);
      expect(differences).toEqual(
        expect.arrayContaining([
          { ...ofBudget, counter: 'spent', counted: formatUsd(4n * CENT + 1n), actual: '0.04' },
          { ...ofBudget, counter: 'held', counted: '0.000000000002', actual: '0' },
          {
            counter: 'running',
            id: toApiId('lim', limit),
            scope: 'global',
            scopeId: null,
            period: null,
            periodStart: null,
            counted: '3',
            actual: '0',
          },
        ]),
      );
    });
  });

  describe('rerate', () => {
    const YEAR = { from: '2026-01-01', to: '2027-01-01' };
    const bodyOf = (body: object) => plainToInstance(RerateRequestDto, body);

    it('gives the booked totals again with the booked prices, whatever kind the lines are', async () => {
      const versions = [
        await aVersion('m/a', CHEAP, '2025-01-01'),
        await aVersion('m/b', DEAR, '2025-01-01'),
      ];
      const lines = Array.from({ length: 5000 }, (_, i) => aLine(i, versions[i % 2] as Version));
      await store(lines);
      const sum = lines.reduce((total, line) => total + (line.cost ?? 0n), 0n);
      const answer = await audit.rerate(ADMIN, bodyOf({ ...YEAR, priceBook: 'booked' }));
      expect(answer).toMatchObject({
        lines: 5000,
        rerated: 5000,
        oldUsd: formatUsd(sum),
        newUsd: formatUsd(sum),
        differenceUsd: '0',
        unpriced: [],
        kept: { lines: 0, costUsd: '0', first: [] },
      });
      for (const part of [...answer.models, ...answer.days]) expect(part.differenceUsd).toBe('0');
      expect(answer.models.map(({ model }) => model)).toEqual(['m/a', 'm/b']);
      expect(answer.days.reduce((count, day) => count + day.lines, 0)).toBe(5000);
      const {
        models: _,
        days: __,
        unpriced: ___,
        kept: ____,
        rerated: _____,
        from,
        to,
        priceBook,
        ...sums
      } = answer;
      const after = { from, to, priceBook, ...sums };
      expect(recorded()).toContainEqual([ADMIN, { action: 'ledger.rerate', resourceId: null, after }]);
    });

    it('shows a line whose cost somebody has changed', async () => {
      const version = await aVersion('m/a', CHEAP, '2025-01-01');
      await store([{ ...aLine(0, version), usage: { promptTokens: 10, completionTokens: 10 }, cost: 141n }]);
      const answer = await audit.rerate(ADMIN, bodyOf({ ...YEAR, priceBook: 'booked' }));
      expect(answer).toMatchObject({ oldUsd: '0.000000000141', newUsd: '0.00000000014' });
      expect(answer.differenceUsd).toBe('-0.000000000001');
    });

    it('prices with what is in force now, or was at a time; a model without a price keeps its cost', async () => {
      const old = await aVersion('m/a', CHEAP, '2025-01-01', '2026-06-01');
      await aVersion('m/a', DEAR, '2026-06-01');
      const gone = await aVersion('m/gone', CHEAP, '2025-01-01', '2025-02-01');
      const usage = {
        promptTokens: 2000,
        cachedReadTokens: 500,
        cacheWriteTokens: 300,
        completionTokens: 100,
      };
      const cost = bookedCost(CHEAP, usage);
      await store([
        { ...aLine(0, old), usage, cost },
        { ...aLine(1, gone), usage, cost },
        { ...aLine(2, old), usage, cost: null, version: null },
      ]);
      // By hand: the tier from 1,000; it names no price for cached reads and writes.
      const dear = 2000n * 9n + 100n * 23n;
      const cheap = 2000n * 3n + 100n * 11n;
      expect(cost).toBe(cheap);
      const now = await audit.rerate(ADMIN, bodyOf({ ...YEAR, priceBook: 'current' }));
      expect(now).toMatchObject({
        lines: 3,
        rerated: 2,
        oldUsd: formatUsd(2n * cheap),
        newUsd: formatUsd(2n * dear + cheap),
        differenceUsd: formatUsd(2n * dear - cheap),
        models: [
          { model: 'm/a', lines: 2, oldUsd: formatUsd(cheap), newUsd: formatUsd(2n * dear) },
          { model: 'm/gone', lines: 1, differenceUsd: '0' },
        ],
        unpriced: [{ model: 'm/gone', lines: 1, costUsd: formatUsd(cheap) }],
      });
      const before = await audit.rerate(ADMIN, bodyOf({ ...YEAR, priceBook: '2026-05-31T23:59:59Z' }));
      expect(before).toMatchObject({ rerated: 2, newUsd: formatUsd(3n * cheap) });
      await expect(audit.rerate(ADMIN, bodyOf({ ...YEAR, priceBook: '2026-06-01' }))).resolves.toMatchObject({
        newUsd: now.newUsd,
      });
    });

    it('keeps what a hard budget had held for an attempt whose process died', async () => {
      const { version } = await aVersion('m/a', CHEAP, '2025-01-01');
      const caller = await aCaller(node);
      await aBudget(node, { scopeId: caller.userId, limitPicoUsd: 900n });
      const ctx = aContext(caller);
      const { intent, ...command } = aCommand({ worst: 1000n, minimum: 100n });
      const bound = { ...intent, model: 'm/a', priceVersion: version, boundPromptTokens: 100 };
      const boundCostPicoUsd = upperBoundCost(CHEAP, 100, 100);
      await node.ledger.admit(ctx, {
        ...command,
        intent: { ...bound, boundCompletionTokens: 100, boundCostPicoUsd },
      });
      const other = await bootNode(database.url);
      await kill(other, node.processId);
      await expect(reap(other)).resolves.toBe(1);
      await other.close();
      const kept = {
        lines: 1,
        costUsd: '0.0000000009',
        first: [
          { requestId: toApiId('req', ctx.requestId), attempt: 1, model: 'm/a', costUsd: '0.0000000009' },
        ],
      };
      for (const priceBook of ['booked', 'current']) {
        const answer = await audit.rerate(ADMIN, bodyOf({ from: '2020-01-01', to: '2200-01-01', priceBook }));
        expect(answer).toMatchObject({ lines: 1, rerated: 0, differenceUsd: '0', kept });
      }
    });

    it('takes the lines of the range only, its end left out, and writes nothing', async () => {
      const version = await aVersion('m/a', CHEAP, '2025-01-01');
      const at = (time: string) => ({ ...aLine(0, version), request: newId(), at: new Date(time) });
      await store([at('2026-02-01T00:00:00Z'), at('2026-02-28T23:59:59.999Z'), at('2026-03-01T00:00:00Z')]);
      const before = await node.database.query('select * from usage_lines order by request_id');
      const answer = await audit.rerate(
        ADMIN,
        bodyOf({
          from: '2026-02-01',
          to: '2026-03-01',
          priceBook: 'current',
        }),
      );
      expect(answer).toMatchObject({ lines: 2, days: [{ day: '2026-02-01' }, { day: '2026-02-28' }] });
      await expect(node.database.query('select * from usage_lines order by request_id')).resolves.toEqual(
        before,
      );
    });

    it.each([
      [{ from: '2026-02-01', to: '2026-02-01', priceBook: 'booked' }, 'to'],
      [{ from: '2026-02-01', to: '2026-03-01', priceBook: 'next' }, 'priceBook'],
    ])('refuses %j and names the field', async (body, param) => {
      await expect(audit.rerate(ADMIN, bodyOf(body))).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
        param,
      });
    });

    it('takes dates and times only', () => {
      const wrong = validateSync(bodyOf({ from: 'May', to: '2026-02-01', priceBook: 'booked' }));
      expect(wrong.map(({ property }) => property)).toEqual(['from']);
    });

    it('stops when the caller has gone', async () => {
      await store([aLine(0, await aVersion('m/a', CHEAP, '2025-01-01'))]);
      const gone = new Error('gone');
      const ctx = { ...ADMIN, signal: AbortSignal.abort(gone) };
      await expect(audit.rerate(ctx, bodyOf({ ...YEAR, priceBook: 'booked' }))).rejects.toBe(gone);
    });
  });

  interface Version {
    readonly model: string;
    readonly version: number;
    readonly price: ModelPrices;
  }

  async function aVersion(model: string, price: ModelPrices, from: string, to?: string): Promise<Version> {
    const [row] = (await node.database.query(
      `insert into price_versions (model, prices, source, content_hash, valid_from, valid_to)
       values ($1, $2, 'operator', $3, $4, $5) returning version`,
      [model, JSON.stringify(toStored(price)), newId(), `${from}T00:00:00Z`, to ? `${to}T00:00:00Z` : null],
    )) as [{ version: number }];
    return { model, version: row.version, price };
  }

  interface Line {
    readonly request: string;
    readonly at: Date;
    readonly model: string;
    readonly outcome: string;
    readonly source: string;
    readonly usage: TokenUsage;
    readonly cost: bigint | null;
    readonly version: number | null;
  }

  /** Every kind in turn: whole answers with and without caches, contradictions, bounds, and what was never billed. */
  function aLine(i: number, { model, version, price }: Version): Line {
    const at = new Date(Date.parse('2026-01-01T00:00:00Z') + i * 6_000_000);
    const [prompt, completion] = [(i * 7919) % 4000, (i * 104_729) % 900];
    const kinds: TokenUsage[] = [
      { promptTokens: prompt, completionTokens: completion },
      {
        promptTokens: prompt + 900,
        cachedReadTokens: 300,
        cacheWriteTokens: 600,
        completionTokens: completion,
      },
      {
        promptTokens: prompt + 50,
        cacheWriteTokens: 50,
        cacheWriteOneHourTokens: 20,
        completionTokens: completion,
      },
      { promptTokens: prompt, completionTokens: completion, reasoningTokens: completion + 1 },
      { promptTokens: 0, completionTokens: 0 },
      { completionTokens: completion },
      { promptTokens: prompt, completionTokens: completion },
    ];
    const usage = kinds[i % 7] as TokenUsage;
    const isBound = i % 7 === 6;
    const cost = isBound ? upperBoundCost(price, prompt, completion) : bookedCost(price, usage);
    const source = isBound ? 'upper_bound' : i % 3 === 0 ? 'estimated' : 'provider';
    return {
      request: newId(),
      at,
      model,
      outcome: isBound ? 'truncated' : 'succeeded',
      source,
      usage,
      cost,
      version,
    };
  }

  async function store(lines: readonly Line[]): Promise<void> {
    const rows = lines.map(({ usage, ...line }) => ({
      ...line,
      prompt: usage.promptTokens,
      cached: usage.cachedReadTokens,
      written: usage.cacheWriteTokens,
      hour: usage.cacheWriteOneHourTokens,
      completion: usage.completionTokens,
      reasoning: usage.reasoningTokens,
    }));
    await node.module.get(DataSource).query(
      `insert into usage_lines (request_id, attempt, user_id, admitted_at, started_at, model, provider, task_type,
         outcome, usage_source, cost_pico_usd, price_version, prompt_tokens, cached_read_tokens, cache_write_tokens,
         cache_write_one_hour_tokens, completion_tokens, reasoning_tokens)
       select request, 1, request, at, at, model, 'openai', 'MATH', outcome, source, cost, version, prompt, cached,
         written, hour, completion, reasoning
       from json_to_recordset($1) as l (request uuid, at timestamptz, model text, outcome text, source text,
         cost bigint, version int, prompt bigint, cached bigint, written bigint, hour bigint, completion bigint,
         reasoning bigint)`,
      [JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))],
    );
  }
});
