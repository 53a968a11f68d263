import { DataSource } from 'typeorm';
import { type JsonObject, newId } from '../../../src/common/index';
import type { UsageFilter } from '../../../src/ledger/usage-filter';
import type { UsageGroup } from '../../../src/ledger/usage-groups';
import { type UsageSums, UsageRepository } from '../../../src/ledger/usage.repository';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

const AT = new Date('2026-11-20T10:15:00Z');

interface Line {
  readonly model: string;
  readonly cost?: number | null;
  readonly outcome?: string;
  readonly source?: string;
}

/** What the decision expected of each candidate, the best and the cheapest model, in pico-USD. */
interface Expected {
  readonly candidates: Readonly<Record<string, number | null>>;
  readonly best: number | null;
  readonly cheapest: number | null;
}

const EXPECTED: Expected = { candidates: { 'openai/a': 100, 'openai/b': 50 }, best: 300, cheapest: 10 };

describe('usage compared with other models', () => {
  let database: TestDatabase;
  let source: DataSource;
  let usage: UsageRepository;
  let userId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    usage = new UsageRepository(source);
  });

  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  beforeEach(() => {
    userId = newId();
  });

  async function aRequest(
    lines: readonly Line[],
    expected: Expected | undefined = EXPECTED,
    at = AT,
  ): Promise<void> {
    const requestId = newId(at.getTime());
    for (const [index, line] of lines.entries()) {
      const { model, cost = 1000, outcome = 'succeeded', source: usageSource = 'provider' } = line;
      await source.query(
        `insert into usage_lines (request_id, attempt, admitted_at, user_id, task_type, provider, model, outcome,
           usage_source, cost_pico_usd, started_at)
         values ($1, $2, $3, $4, 'MATH', 'openai', $5, $6, $7, $8, $3)`,
        [requestId, index + 1, at, userId, model, outcome, usageSource, cost],
      );
    }
    await source.query(
      'insert into decisions (id, request_id, user_id, created_at, record) values ($1, $2, $3, $4, $5)',
      [newId(at.getTime()), requestId, userId, at, recordOf(expected)],
    );
  }

  function recordOf({ candidates, best, cheapest }: Expected): JsonObject {
    return {
      candidates: Object.entries(candidates).map(([model, costPico]) => ({ model, costPico })),
      alternatives: { best: { model: 'x', costPico: best }, cheapest: { model: 'y', costPico: cheapest } },
    };
  }

  const figures = ({ compared_requests, compared_pico, best_pico, cheapest_pico }: UsageSums): number[] =>
    [compared_requests, compared_pico, best_pico, cheapest_pico].map(Number);
  const total = async (filter: UsageFilter = {}, groupBy: readonly UsageGroup[] = ['model']) => {
    const page = { limit: 10, isCompared: true };
    const found = await usage.groupsWithTotal(groupBy, { userId, ...filter }, page);
    return {
      total: figures(found.total),
      groups: found.groups.map((group) => [group.keys[0], ...figures(group)]),
    };
  };

  it('takes what it cost, times what the other was expected to cost, by what the answering one was', async () => {
    await aRequest([{ model: 'openai/a', cost: 777 }]);
    expect((await total()).total).toEqual([1, 777, 2331, 78]);
  });

  it('adds up the rounds of a request, and leaves out the attempts that failed', async () => {
    await aRequest([
      { model: 'openai/a', cost: 500, outcome: 'failed' },
      { model: 'openai/a', cost: 1000 },
      { model: 'openai/a', cost: 2000 },
    ]);
    expect((await total()).total).toEqual([1, 3000, 9000, 300]);
  });

  it('goes by what the fallback was expected to cost, where it answered', async () => {
    await aRequest([
      { model: 'openai/a', cost: 0, outcome: 'failed' },
      { model: 'openai/b', cost: 1000 },
    ]);
    expect(await total()).toEqual({
      total: [1, 1000, 6000, 200],
      groups: [
        ['openai/a', 0, 0, 0, 0],
        ['openai/b', 1, 1000, 6000, 200],
      ],
    });
  });

  it('takes what the other was expected to cost, once per request, where the answering one is free', async () => {
    const free = { ...EXPECTED, candidates: { 'openai/a': 0 } };
    await aRequest(
      [
        { model: 'openai/a', cost: 0, outcome: 'failed' },
        { model: 'openai/a', cost: 0 },
        { model: 'openai/a', cost: 0 },
      ],
      free,
    );
    expect((await total()).total).toEqual([1, 0, 300, 10]);
  });

  it.each<[string, Line, Expected]>([
    ['what failed', { model: 'openai/a', outcome: 'failed' }, EXPECTED],
    ['what was given again', { model: 'openai/a', source: 'cached', cost: 0 }, EXPECTED],
    ['what was cut', { model: 'openai/a', outcome: 'truncated' }, EXPECTED],
    ['an unknown cost', { model: 'openai/a', cost: null }, EXPECTED],
    ['an unknown price of the best', { model: 'openai/a' }, { ...EXPECTED, best: null }],
    [
      'an unknown price of the chosen',
      { model: 'openai/a' },
      { ...EXPECTED, candidates: { 'openai/a': null } },
    ],
  ])('leaves out %s', async (_, line, expected) => {
    await aRequest([line], expected);
    expect((await total()).total).toEqual([0, 0, 0, 0]);
  });

  it('leaves out requests that named their model, and those without a decision', async () => {
    await aRequest([{ model: 'openai/a' }]);
    await source.query(`update decisions set record = '{"candidates":[]}' where user_id = $1`, [userId]);
    await aRequest([{ model: 'openai/a' }]);
    await source.query('delete from decisions where user_id = $1 and record #> $2 is not null', [
      userId,
      ['alternatives'],
    ]);
    expect((await total()).total).toEqual([0, 0, 0, 0]);
  });

  it('compares no more than the filter finds', async () => {
    await aRequest([{ model: 'openai/a' }]);
    await aRequest([{ model: 'openai/b' }]);
    await aRequest([{ model: 'openai/a' }], EXPECTED, new Date('2026-11-25T00:00:00Z'));
    expect((await total({ model: 'openai/b' })).total).toEqual([1, 1000, 6000, 200]);
    expect((await total({ to: '2026-11-21T00:00:00.000Z' })).total).toEqual([2, 2000, 9000, 300]);
    expect((await total({ from: '2026-11-21T00:00:00.000Z' })).total).toEqual([1, 1000, 3000, 100]);
  });
});
