import { DataSource } from 'typeorm';
import { newId, type RequestContext, toApiId } from '../../../src/common/index';
import { loadConfig } from '../../../src/config/index';
import { Cursors } from '../../../src/auth/index';
import { NotFoundError } from '../../../src/errors/index';
import type { ExperimentSettings, Stickiness } from '../../../src/selection/experiments/experiment';
import { ExperimentPages } from '../../../src/selection/experiments/experiment.pages';
import { ExperimentResultsRepository } from '../../../src/selection/experiments/experiment-results.repository';
import { ExperimentsRepository } from '../../../src/selection/experiments/experiments.repository';
import { testEnv } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';
import { aContext } from '../../support/factories';

interface Attempt {
  readonly outcome?: string;
  readonly model?: string;
  readonly costPicoUsd?: bigint | null;
  readonly usageSource?: string;
  readonly startsMs?: number;
  readonly latencyMs?: number;
  readonly firstTokenMs?: number;
}

interface Taken {
  readonly arm: string;
  readonly keyId?: string | null;
  readonly userId?: string;
  readonly attempts: readonly Attempt[];
  readonly feedback?: number;
  readonly isOpen?: boolean;
  readonly experimentId?: string;
  readonly at?: number;
}

const STARTED = new Date('2026-11-21T10:00:00.000Z');
const CHOSEN = 'openai/small';
const FIRST = 'as "it" is → 100 %';
const SECOND = `d'autres`;

describe(ExperimentResultsRepository.name, () => {
  let database: TestDatabase;
  let source: DataSource;
  let repository: ExperimentsRepository;
  let pages: ExperimentPages;
  const admin: RequestContext = aContext({ principal: { userId: newId(), role: 'admin' } });

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    repository = new ExperimentsRepository(source);
    const cursors = new Cursors(loadConfig(testEnv('/nonexistent')));
    pages = new ExperimentPages(repository, new ExperimentResultsRepository(source), cursors);
  });

  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  afterEach(() =>
    source.query('truncate routing_experiments, decisions, usage_lines, holds, routing_outcomes'),
  );

  async function anExperiment(stickyBy: Stickiness = 'request', isStarted = true): Promise<string> {
    const arms = [FIRST, SECOND].map((name) => ({ name, weight: 1, strategy: 'auto' as const }));
    const settings: ExperimentSettings = { name: 'test', strategy: 'auto', arms, stickyBy, share: 1 };
    const { id } = await repository.transaction((executor) => repository.add(newId(), settings, executor));
    if (isStarted) {
      await source.query(`update routing_experiments set status = 'running', started_at = $2 where id = $1`, [
        id,
        STARTED,
      ]);
    }
    return id;
  }

  async function take(experimentId: string, taken: Taken): Promise<void> {
    const at = STARTED.getTime() + (taken.at ?? 1000);
    const requestId = newId(at);
    const { userId = newId(), keyId = newId(), arm, attempts } = taken;
    const record = {
      candidates: [{ model: CHOSEN }, { model: 'openai/large' }],
      experiment: { id: toApiId('exp', taken.experimentId ?? experimentId), arm },
    };
    await source.query(
      'insert into decisions (id, request_id, user_id, key_id, created_at, record) values ($1, $2, $3, $4, $5, $6)',
      [newId(at), requestId, userId, keyId, new Date(at), record],
    );
    for (const [index, attempt] of attempts.entries()) {
      await source.query(
        `insert into usage_lines (request_id, attempt, admitted_at, user_id, key_id, task_type, provider, model, outcome,
           usage_source, prompt_tokens, completion_tokens, cost_pico_usd, started_at, latency_ms, first_token_ms)
         values ($1, $2, $3, $4, $5, 'MATH', 'openai', $6, $7, $8, 10, 5, $9, $10, $11, $12)`,
        [
          requestId,
          index + 1,
          new Date(at),
          userId,
          keyId,
          attempt.model ?? CHOSEN,
          attempt.outcome ?? 'succeeded',
          attempt.usageSource ?? 'provider',
          attempt.costPicoUsd === undefined ? 100n : attempt.costPicoUsd,
          new Date(at + (attempt.startsMs ?? 0)),
          attempt.latencyMs ?? 1000,
          attempt.firstTokenMs ?? null,
        ],
      );
    }
    if (taken.feedback !== undefined) {
      await source.query(
        `insert into routing_outcomes (id, user_id, source, model, task_type, score, request_id)
         values ($1, $2, 'feedback', $3, 'MATH', $4, $5)`,
        [newId(), userId, CHOSEN, taken.feedback, requestId],
      );
    }
    if (taken.isOpen) {
      await source.query(
        `insert into holds (request_id, process_id, admitted_at, user_id, task_type, held_pico, is_hard, tokens_held,
           budget_period_ids, limit_ids, intent_attempt, intent_at, intent_provider, intent_model, bound_prompt_tokens,
           bound_completion_tokens)
         values ($1, $1, now(), $1, 'MATH', 0, false, 0, '{}', '{}', 1, now(), 'openai', $2, 0, 0)`,
        [requestId, CHOSEN],
      );
    }
  }

  const results = (id: string, query: { from?: string; to?: string } = {}) =>
    pages.resultsOf(admin, toApiId('exp', id), query);

  it('count what is booked: cost, time from the first attempt to the end of the last, errors, fallbacks', async () => {
    const id = await anExperiment();
    await take(id, { arm: FIRST, attempts: [{ costPicoUsd: 100n, latencyMs: 1000, firstTokenMs: 200 }] });
    await take(id, {
      arm: FIRST,
      attempts: [
        { outcome: 'failed', costPicoUsd: 0n, latencyMs: 300 },
        { model: 'openai/large', costPicoUsd: 400n, startsMs: 800, latencyMs: 1200, firstTokenMs: 100 },
      ],
    });
    await take(id, { arm: FIRST, attempts: [{ outcome: 'timed_out', costPicoUsd: 1n }] });
    const { arms, comparisons } = await results(id);
    expect(arms[0]).toMatchObject({
      name: FIRST,
      requests: 3,
      callers: 3,
      cost: { count: 3, unpriced: 0, totalUsd: '0.000000000501', meanUsd: '0.000000000167' },
      latencyMs: { count: 2, mean: 1500, p50: 1500, p95: 1950 },
      firstTokenMs: { count: 2, mean: 550, p50: 550 },
      errors: { count: 1, of: 3, rate: 0.333333 },
      feedback: { count: 0, mean: null, low: null, high: null },
      promptTokens: 40,
      completionTokens: 20,
      fallbackShare: 0.5,
    });
    // ±12.7062 × the standard error 500: cut off at 0.
    expect(arms[0]?.latencyMs.low).toBe(0);
    expect(arms[0]?.latencyMs.high).toBeCloseTo(1500 + 12.7062 * 500, 0);
    expect(arms[1]).toMatchObject({
      name: SECOND,
      requests: 0,
      callers: 0,
      cost: { count: 0, totalUsd: '0', meanUsd: null, low: null, high: null },
      latencyMs: { count: 0, mean: null, low: null, high: null, p50: null, p95: null },
      errors: { count: 0, of: 0, rate: null, low: null, high: null },
      fallbackShare: null,
    });
    expect(comparisons).toEqual([
      { arm: SECOND, to: FIRST, costUsd: null, latencyMs: null, errorRate: null, feedback: null },
    ]);
  });

  it('leave out of every figure what is open or was answered before, and out of errors what was cancelled', async () => {
    const id = await anExperiment();
    await take(id, { arm: FIRST, attempts: [{ costPicoUsd: 10n }] });
    await take(id, { arm: FIRST, attempts: [], isOpen: true });
    await take(id, { arm: FIRST, attempts: [{ usageSource: 'cached', costPicoUsd: 0n, latencyMs: 1 }] });
    await take(id, { arm: FIRST, attempts: [{ outcome: 'cancelled', costPicoUsd: 30n }] });
    const [arm] = (await results(id)).arms;
    expect(arm).toMatchObject({ requests: 4, open: 1, reused: 1, cancelled: 1 });
    expect(arm?.cost).toMatchObject({ count: 2, totalUsd: '0.00000000004', meanUsd: '0.00000000002' });
    expect(arm?.latencyMs).toMatchObject({ count: 1, mean: 1000 });
    expect(arm?.errors).toMatchObject({ count: 0, of: 1, rate: 0 });
  });

  it('count a request that ended without any attempt as an error', async () => {
    const id = await anExperiment();
    await take(id, { arm: FIRST, attempts: [] });
    const [arm] = (await results(id)).arms;
    expect(arm).toMatchObject({ requests: 1, open: 0, errors: { count: 1, of: 1, rate: 1 } });
    expect(arm?.cost).toMatchObject({ count: 1, totalUsd: '0' });
  });

  it('take no unknown cost for none', async () => {
    const id = await anExperiment();
    await take(id, { arm: FIRST, attempts: [{ costPicoUsd: null }] });
    await take(id, { arm: FIRST, attempts: [{ costPicoUsd: 50n }] });
    const [arm] = (await results(id)).arms;
    expect(arm?.cost).toMatchObject({ count: 1, unpriced: 1, meanUsd: '0.00000000005' });
  });

  it('compare each arm to the first, with intervals', async () => {
    const id = await anExperiment();
    for (let index = 0; index < 40; index += 1) {
      const isFailed = index % 2 === 0;
      await take(id, {
        arm: FIRST,
        attempts: [{ costPicoUsd: 1000n + BigInt(index), latencyMs: 1000 + index }],
        feedback: 0.5 + (index % 2) / 10,
      });
      await take(id, {
        arm: SECOND,
        attempts: [
          {
            costPicoUsd: 500n + BigInt(index),
            latencyMs: 1001 + index,
            outcome: isFailed ? 'failed' : 'succeeded',
          },
        ],
        feedback: 0.5 + (index % 2) / 10,
      });
    }
    const { arms, comparisons, independent } = await results(id);
    expect(independent).toBe('requests');
    expect(arms[1]?.errors).toMatchObject({ count: 20, of: 40, rate: 0.5, low: 0.351995, high: 0.648005 });
    const [found] = comparisons;
    expect(found?.costUsd).toMatchObject({ difference: '-0.0000000005', excludesZero: true });
    expect(found?.latencyMs).toMatchObject({ excludesZero: false });
    expect(found?.errorRate).toMatchObject({ difference: 0.5, excludesZero: true });
    expect(found?.feedback).toMatchObject({ difference: 0, excludesZero: false });
    expect(found?.errorRate?.low).toBeGreaterThan(0.3);
  });

  it('take callers who keep their arm as independent, not their requests, where there are five in each arm', async () => {
    const id = await anExperiment('key');
    const give = async (arm: string, callers: number): Promise<void> => {
      for (let caller = 0; caller < callers; caller += 1) {
        const keyId = newId();
        for (let index = 0; index < 10; index += 1) {
          await take(id, { arm, keyId, attempts: [{ latencyMs: 1000 * (caller + 1) }] });
        }
      }
    };
    await give(FIRST, 5);
    await give(SECOND, 4);
    const few = await results(id);
    expect(few.independent).toBe('requests');
    await give(SECOND, 1);
    const enough = await results(id);
    expect(enough.independent).toBe('callers');
    // 3 s ± 2.7764 × √(10 / 4 / 5) s, as of five values.
    expect(enough.arms[0]).toMatchObject({ requests: 50, callers: 5 });
    expect(enough.arms[0]?.latencyMs.low).toBeCloseTo(3000 - 2776.4 * Math.sqrt(0.5), -1);
    expect(few.arms[0]?.latencyMs.low).toBeGreaterThan(2500);
  });

  it('know users who come without a key, and keys where users are sticky', async () => {
    const byKey = await anExperiment('key');
    const userId = newId();
    for (const keyId of [null, null, newId(), newId()]) {
      await take(byKey, { arm: FIRST, userId, keyId, attempts: [{}] });
    }
    expect((await results(byKey)).arms[0]).toMatchObject({ requests: 4, callers: 3 });
    await source.query(`update routing_experiments set sticky_by = 'user'`);
    expect((await results(byKey)).arms[0]).toMatchObject({ requests: 4, callers: 1 });
  });

  it('hold the requests of this experiment and of the asked period only', async () => {
    const id = await anExperiment();
    const hour = 3_600_000;
    await take(id, { arm: FIRST, attempts: [{}], experimentId: newId() });
    await take(id, { arm: FIRST, attempts: [{}], at: -hour });
    for (const at of [hour, 2 * hour, 3 * hour]) await take(id, { arm: FIRST, attempts: [{}], at });
    const requests = async (query: { from?: string; to?: string }) =>
      (await results(id, query)).arms[0]?.requests;
    expect(await requests({})).toBe(3);
    expect(await requests({ from: '2026-11-21T12:00:00Z' })).toBe(2);
    expect(await requests({ from: '2026-11-21T12:00:00Z', to: '2026-11-21T13:00:00Z' })).toBe(1);
    expect(await requests({ from: '2020-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z' })).toBe(3);
    expect(await requests({ from: '2026-11-21T13:00:00Z', to: '2026-11-21T12:00:00Z' })).toBe(0);
    expect(await requests({ from: '0001-01-01', to: '0001-01-02' })).toBe(0);
    expect(await requests({ from: '9999-12-31' })).toBe(0);
    await source.query(`update routing_experiments set status = 'stopped', stopped_at = $1`, [
      new Date(STARTED.getTime() + 2.5 * hour),
    ]);
    expect(await requests({})).toBe(2);
  });

  it('are empty for a draft', async () => {
    const id = await anExperiment('key', false);
    await take(id, { arm: FIRST, attempts: [{}] });
    expect(await results(id)).toMatchObject({
      status: 'draft',
      startedAt: null,
      arms: [{ requests: 0 }, {}],
    });
  });

  it('are for administrators, whatever the route says', async () => {
    const id = await anExperiment();
    await take(id, { arm: FIRST, attempts: [{}] });
    const asked = pages.resultsOf(aContext(), toApiId('exp', id), {});
    await expect(asked).rejects.toBeInstanceOf(NotFoundError);
    await expect(pages.list(aContext(), { limit: 10 })).resolves.toEqual({ data: [], nextCursor: null });
  });
});
