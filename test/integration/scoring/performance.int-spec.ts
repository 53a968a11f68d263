import { Logger } from '@nestjs/common';
import { newId } from '../../../src/common/index';
import { Performances, PerformanceTable } from '../../../src/scoring/index';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { eventually } from '../../support/eventually';
import { type ScoringNode, startScoringNode } from './scoring-node';

interface Line {
  readonly model?: string;
  readonly userId?: string;
  readonly minutesAgo?: number;
  readonly outcome?: string;
  readonly errorCode?: string;
  readonly usageSource?: string;
  readonly taskType?: string;
  readonly completionTokens?: number;
  readonly latencyMs?: number;
  readonly firstTokenMs?: number;
}

const MODEL = 'openai/gpt-test';
const FAILED = { outcome: 'failed', errorCode: 'PROVIDER_OVERLOADED', completionTokens: 0, latencyMs: 50 };

describe(Performances.name, () => {
  let database: TestDatabase;
  let node: ScoringNode;
  let others: ScoringNode[];

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await startScoringNode(database.url);
  });

  beforeEach(async () => {
    others = [];
    await node.database.query('truncate usage_lines, routing_performance');
    await node.performances.now();
  });

  afterEach(async () => {
    await Promise.all(others.map((other) => other.close()));
  });

  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  async function anotherNode(): Promise<ScoringNode> {
    const other = await startScoringNode(database.url);
    others.push(other);
    return other;
  }

  async function book(count: number, line: Line = {}): Promise<void> {
    const { model = MODEL, outcome = 'succeeded', usageSource = 'provider', taskType = 'GENERAL' } = line;
    await node.database.query(
      `insert into usage_lines (request_id, attempt, admitted_at, user_id, task_type, provider, model, outcome,
         usage_source, prompt_tokens, completion_tokens, cost_pico_usd, error_code, started_at, latency_ms, first_token_ms)
       select gen_random_uuid(), 1, at, $2, $3, split_part($4, '/', 1), $4, $5, $6, 10, $7, 0, $8, at, $9, $10
       from generate_series(1, $1) n, lateral (select now() - make_interval(mins => $11) as at) t`,
      [
        count,
        line.userId ?? newId(),
        taskType,
        model,
        outcome,
        usageSource,
        line.completionTokens ?? 100,
        line.errorCode ?? null,
        line.latencyMs ?? 2000,
        line.firstTokenMs ?? null,
        line.minutesAgo ?? 1,
      ],
    );
  }

  /** As if the minute were over. */
  async function measured(by = node): Promise<PerformanceTable> {
    await node.database.query(`update routing_performance set used_at = used_at - interval '61 s'`);
    await by.performances.now();
    return by.performances.current;
  }

  const figures = async (model = MODEL) => (await measured()).of(model);

  it('knows nothing of a fresh installation', async () => {
    expect(node.performances.current).toBe(PerformanceTable.empty);
    expect(await measured()).toBe(PerformanceTable.empty);
    expect(await node.performances.find('none')).toBe(PerformanceTable.empty);
  });

  it('measures the median first token and the rate after it of streams', async () => {
    for (const firstTokenMs of [400, 500, 9000]) {
      await book(5, { firstTokenMs, latencyMs: firstTokenMs + 1000, completionTokens: 80 });
    }
    const { firstTokenMs = 0, tokensPerSecond = 0, failureShare } = (await figures()) ?? {};
    expect(Math.abs(firstTokenMs / 500 - 1)).toBeLessThan(0.06);
    expect(Math.abs(tokensPerSecond / 80 - 1)).toBeLessThan(0.06);
    expect(failureShare).toBe(0);
  });

  it('measures the whole rate of answers in one piece, and not that of very short ones', async () => {
    await book(10, { completionTokens: 100, latencyMs: 2000 });
    await book(100, { completionTokens: 15, latencyMs: 30_000 });
    const { firstTokenMs, tokensPerSecond = 0 } = (await figures()) ?? {};
    expect(firstTokenMs).toBeUndefined();
    expect(Math.abs(tokensPerSecond / 50 - 1)).toBeLessThan(0.06);
  });

  it('counts what the provider failed, drawn towards 0 while there is little', async () => {
    await book(5, FAILED);
    await book(5);
    expect((await figures())?.failureShare).toBeCloseTo(5 / 20, 1);
    await book(90, FAILED);
    expect((await figures())?.failureShare).toBeCloseTo(95 / 110, 1);
  });

  it.each<[string, Line]>([
    ['client went away', { outcome: 'cancelled', errorCode: 'CANCELLED' }],
    ['request was wrong', { outcome: 'failed', errorCode: 'PROVIDER_INVALID_REQUEST' }],
    ['prompt was too long', { outcome: 'failed', errorCode: 'context_length_exceeded' }],
    ['credential was refused', { outcome: 'failed', errorCode: 'PROVIDER_REJECTED' }],
    ['own process died', { outcome: 'crashed', errorCode: 'PROCESS_LOST' }],
    ['answer was given again', { usageSource: 'cached', latencyMs: 1 }],
    ['work was an embedding', { ...FAILED, taskType: 'EMBEDDING' }],
    ['day is over', { ...FAILED, minutesAgo: 25 * 60 }],
    ['model is a sandbox’s', { ...FAILED, model: 'sandbox/flaky' }],
  ])('says nothing when the %s', async (_, line) => {
    await book(50, line);
    expect(await measured()).toBe(PerformanceTable.empty);
  });

  it('says nothing of accounts that owners use with credentials of their own', async () => {
    const [ada, bob] = [newId(), newId()];
    for (const userId of [ada, bob]) {
      await node.database.query(
        `insert into users (id, email, name, role, password_hash) values ($1, $2, 'x', 'operator', 'x')`,
        [userId, `${userId}@example.com`],
      );
      await book(20, { ...FAILED, userId });
    }
    const addCredential = (userId: string) =>
      node.database.query(
        `insert into provider_credentials (id, user_id, provider, sealed, is_active) values ($1, $2, 'openai', '', true)`,
        [newId(), userId],
      );
    await addCredential(ada);
    expect((await figures())?.failureShare).toBeCloseTo(20 / 30, 1);
    await addCredential(bob);
    expect(await measured()).toBe(PerformanceTable.empty);
  });

  it('forgets failures by halves every two hours', async () => {
    await book(40, { ...FAILED, minutesAgo: 360 });
    expect((await figures())?.failureShare).toBeCloseTo(5 / 15, 1);
  });

  it('reads a bounded number of lines, and still sees a model that is used seldom', async () => {
    await book(30_000, { model: 'openai/busy', minutesAgo: 20, firstTokenMs: 100 });
    await book(2500, { model: 'openai/busy', minutesAgo: 3, firstTokenMs: 100 });
    await book(12, { model: 'openai/seldom', minutesAgo: 600, firstTokenMs: 900 });
    await node.database.query('analyze usage_lines');
    const table = await measured();
    expect(table.of('openai/busy')?.firstTokenMs).toBeDefined();
    expect(table.of('openai/seldom')?.firstTokenMs).toBeGreaterThan(800);
  });

  it('stores a table before it decides, so that it can be had again by its version', async () => {
    await book(20, FAILED);
    const first = await measured();
    await book(200);
    const second = await measured();
    expect(second.version).not.toBe(first.version);
    const fresh = await anotherNode();
    expect((await fresh.performances.find(first.version))?.content).toEqual(first.content);
    expect(await fresh.performances.find('0123456789ab')).toBeUndefined();
  });

  it('is the same in every process: one measures, the others are told', async () => {
    const other = await anotherNode();
    await book(20, FAILED);
    const { version } = await measured();
    await eventually(() => Promise.resolve(other.performances.current.version === version || undefined));
    const late = await anotherNode();
    expect(late.performances.current.version).toBe(version);
    // It is not a minute old: what came since does not make another one, whoever looks.
    await book(500);
    await late.performances.now();
    expect(late.performances.current.version).toBe(version);
  });

  it('goes back to nothing when nothing is recent', async () => {
    await book(20, FAILED);
    expect(await measured()).not.toBe(PerformanceTable.empty);
    await node.database.query(`update usage_lines set admitted_at = admitted_at - interval '2 days'`);
    expect(await measured()).toBe(PerformanceTable.empty);
    expect((await anotherNode()).performances.current).toBe(PerformanceTable.empty);
  });

  it('keeps the last table when PostgreSQL cannot be asked', async () => {
    await book(20, FAILED);
    const { version } = await measured();
    await node.database.query('alter table usage_lines rename to usage_lines_away');
    await measured();
    expect(node.performances.current.version).toBe(version);
    await node.database.query('alter table usage_lines_away rename to usage_lines');
  });

  it('leaves alone what somebody changed, and says so', async () => {
    await book(20, FAILED);
    const { version } = await measured();
    await node.database.query(
      `update routing_performance set content = '{"openai/gpt-test":{"failureShare":0}}' where version = $1`,
      [version],
    );
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    expect(await (await anotherNode()).performances.find(version)).toBeUndefined();
    expect(errors).toHaveBeenCalledWith(expect.stringContaining(version));
    errors.mockRestore();
  });

  it('removes tables that decided last ninety days ago', async () => {
    await book(20, FAILED);
    const { version } = await measured();
    await book(500);
    const { version: inForce } = await measured();
    await node.database.query(
      `update routing_performance set used_at = used_at - interval '91 days' where version = $1`,
      [version],
    );
    await node.cleanup.run();
    const kept = await node.database.query<{ version: string }[]>('select version from routing_performance');
    expect(kept.map((row) => row.version).toSorted()).toEqual([inForce, 'none'].toSorted());
  });
});
