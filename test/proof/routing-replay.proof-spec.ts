/**
 * Promise 9, second half: every decision replays to the same answer. 10,000 random requests are decided by the real
 * selection, on the shipped catalog, while prices, preferences, capabilities, measured performance and experiments change;
 * the decisions are stored in PostgreSQL by the ledger, and replayed from there when everything has changed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { AnalysisService } from '../../src/analysis/index';
import { type CatalogModel, CatalogService, PriceBook } from '../../src/catalog/index';
import { newId, type Principal, toApiId } from '../../src/common/index';
import { ConfigModule, loadConfig } from '../../src/config/index';
import { DatabaseModule, type HotPool } from '../../src/database/index';
import { AppError, ErrorsModule } from '../../src/errors/index';
import type { DecisionRecordRow } from '../../src/ledger/ledger-rows';
import { LedgerStore } from '../../src/ledger/ledger.store';
import { ObservabilityModule } from '../../src/observability/index';
import {
  Capabilities,
  type CapabilityTable,
  type FactorWeights,
  Performances,
  PerformanceTable,
  Preferences,
} from '../../src/scoring/index';
import { CapabilityRefresh } from '../../src/scoring/outcomes/versions/capability-refresh.service';
import { DecisionReplay } from '../../src/selection/decisions/decision-replay.service';
import { ExperimentChanges } from '../../src/selection/experiments/experiment-changes.service';
import { decisionRecord, SelectionModule, SelectionService } from '../../src/selection/index';
import { testEnv } from '../support/app';
import { AuditModule } from '../support/audit-module';
import { createTestDatabase, type TestDatabase } from '../support/database/test-database';
import { aContext } from '../support/factories';
import { Random } from '../support/proof/random';
import { randomRequest } from '../support/proof/random-routing';
import { reportProof } from '../support/proof-report';

const ROUNDS = 5;
const DECISIONS_PER_ROUND = 2_000;
const USERS = 6;
const AT_ONCE = 8;
const SEED = Number(process.env.PROOF_SEED ?? 4711);
const TIMEOUT_MS = 600_000;
const ADMIN = aContext({ principal: { userId: newId(), role: 'admin' } });

describe('a stored decision', () => {
  const random = new Random(SEED);
  let database: TestDatabase;
  let dataDir: string;
  let module: TestingModule;
  let callers: readonly Principal[];
  let pool: Pool;
  let running: string | undefined;
  const learned = new Map<string, CapabilityTable>();

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-replay-'));
    const keys = {
      OPENAI_API_KEY: 'none',
      ANTHROPIC_API_KEY: 'none',
      GOOGLE_API_KEY: 'none',
      XAI_API_KEY: 'none',
    };
    module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(loadConfig(testEnv(dataDir, keys))),
        EventEmitterModule.forRoot(),
        ObservabilityModule,
        ErrorsModule,
        DatabaseModule.forRoot(database.url),
        AuditModule,
        SelectionModule,
      ],
    }).compile();
    await module.init();
    pool = new Pool({ connectionString: database.url, max: 2 });
    callers = await makeCallers();
    // Its look for newer versions, once a minute, would put an end to those of this test.
    await module.get(CapabilityRefresh, { strict: false }).beforeApplicationShutdown();
    module.get(Capabilities, { strict: false }).readFrom((version) => Promise.resolve(learned.get(version)));
  });

  afterAll(async () => {
    await pool.end();
    await module.close();
    await database.drop();
    rmSync(dataDir, { recursive: true });
  });

  const chatModels = (): readonly CatalogModel[] => module.get(CatalogService).ofKind('chat');

  /** Users, with and without keys, and keys with short and with long lists of what they may use. */
  async function makeCallers(): Promise<readonly Principal[]> {
    const source = module.get(DataSource);
    const made: Principal[] = [];
    const long = chatModels().map(({ id }) => id);
    for (let user = 0; user < USERS; user += 1) {
      const [userId, keyId] = [newId(), newId()];
      await source.query(
        `insert into users (id, email, name, password_hash, role) values ($1, $2, 'Ada', '-', 'operator')`,
        [userId, `${userId}@example.com`],
      );
      const allowed = [undefined, ['openai/*', 'google/*'], long.filter((_, index) => index % 2 === 0)][
        user % 3
      ];
      await source.query(
        `insert into api_keys (id, user_id, name, prefix, key_hash, allowed_models) values ($1, $2, 'k', 'llk', $3, $4)`,
        [keyId, userId, keyId, allowed ?? null],
      );
      made.push({ userId, role: 'operator' }, { userId, role: 'operator', keyId, allowedModels: allowed });
    }
    return made;
  }

  /** Everything that may change while a service runs, changes. */
  async function changeEverything(round: number): Promise<void> {
    const models = chatModels();
    for (let count = 0; count < 5; count += 1) {
      const prices = {
        inputPicoUsd: BigInt(random.int(0, 9_000_000)),
        outputPicoUsd: BigInt(random.int(0, 90_000_000)),
      };
      await module
        .get(PriceBook)
        .setOverride(random.pick(models), { prices, tiers: [] }, ADMIN.principal.userId, () =>
          Promise.resolve(),
        );
    }
    learned.set(`round-${round}`, randomTable(`round-${round}`));
    module.get(Capabilities).use(learned.get(`round-${round}`) as CapabilityTable);
    await measure(models);
    await prefer();
    await experiment(round, models);
  }

  function randomTable(version: string): CapabilityTable {
    const seed = random.int(1, 1_000_000);
    const qualities = new Map(
      chatModels().map(({ id }, index) => [id, ((index * 7_919 + seed) % 1_000) / 1_000]),
    );
    return {
      version,
      estimate: ({ id }) => ({ quality: qualities.get(id) ?? 0.5, deviation: 0, observations: 1 }),
      isNovel: () => false,
    } satisfies Pick<CapabilityTable, 'version' | 'estimate' | 'isNovel'> as CapabilityTable;
  }

  async function measure(models: readonly CatalogModel[]): Promise<void> {
    const measured = models.map(({ id }) => [
      id,
      {
        firstTokenMs: random.int(50, 5_000),
        tokensPerSecond: random.int(5, 300),
        failureShare: random.int(0, 9) / 10,
      },
    ]);
    const table = PerformanceTable.of(
      Object.fromEntries(measured) as Parameters<typeof PerformanceTable.of>[0],
    );
    await module
      .get(DataSource)
      .query(
        `insert into routing_performance (version, content, used_at) values ($1, $2, now() + interval '1 hour')`,
        [table.version, JSON.stringify(table.content)],
      );
    await module
      .get(DataSource)
      .query(`update routing_performance set used_at = now() where version <> $1`, [table.version]);
    await module.get(Performances).now();
    expect(module.get(Performances).current.version).toBe(table.version);
  }

  async function prefer(): Promise<void> {
    for (const { userId } of callers.filter(({ keyId }) => keyId)) {
      const share = (): number => random.int(0, 100);
      const raw = [share() + 1, share(), share(), share()];
      const sum = raw.reduce((all, one) => all + one, 0);
      const [capability = 0, context = 0, speed = 0, cost = 0] = raw.map((one) => one / sum);
      const weights: FactorWeights = { capability, context, speed, cost };
      await module.get(DataSource).query(
        `insert into routing_preferences (user_id, strategies, quality, answer_worth_usd) values ($1, $2, $3, $4)
         on conflict (user_id) do update set strategies = excluded.strategies, quality = excluded.quality,
           answer_worth_usd = excluded.answer_worth_usd`,
        [
          userId,
          JSON.stringify(random.chance(0.5) ? { auto: weights, fast: weights } : {}),
          random.chance(0.4) ? random.int(1, 100) / 100 : null,
          random.chance(0.4) ? random.int(1, 1000) / 10_000 : null,
        ],
      );
    }
    await module.get(Preferences).now();
  }

  /** Those that ask for `auto:best` are split, each time in another way. */
  async function experiment(round: number, models: readonly CatalogModel[]): Promise<void> {
    const changes = module.get(ExperimentChanges);
    const able = models.filter(({ status, id }) => status === 'active' && module.get(PriceBook).current(id));
    const openai = able.filter(({ provider }) => provider === 'openai');
    const made = await changes.create(ADMIN, {
      name: `round ${round}`,
      strategy: 'best',
      arms: [
        { name: 'cheap', weight: 1, strategy: 'cheap' },
        { name: 'model', weight: 1, model: random.pick(openai).id },
        { name: 'target', weight: 1, strategy: 'auto', quality: random.int(1, 100) / 100 },
      ],
      stickyBy: 'request',
      share: 0.9,
    });
    if (running !== undefined) await changes.stop(ADMIN, toApiId('exp', running));
    await changes.start(ADMIN, toApiId('exp', made.id));
    running = made.id;
  }

  function decide(): DecisionRecordRow | undefined {
    const principal = random.pick(callers);
    const ctx = aContext({ principal });
    const names = chatModels().map(({ id }) => id);
    const { request } = randomRequest(random, names);
    try {
      const profile = module.get(AnalysisService).profile(request);
      const plan = module.get(SelectionService).plan(ctx, request, profile);
      return {
        id: plan.decisionId,
        request_id: ctx.requestId,
        user_id: principal.userId,
        key_id: principal.keyId,
        record: decisionRecord(plan, request),
      };
    } catch (error) {
      // No model could serve it: there is no decision.
      if (error instanceof AppError) return undefined;
      throw error;
    }
  }

  async function store(rows: readonly DecisionRecordRow[]): Promise<void> {
    const [now] = await module.get(DataSource).query<{ at: Date }[]>('select clock_timestamp() as at');
    const ledger = new LedgerStore(pool as unknown as HotPool);
    await ledger.addDecisions(rows.map((row) => ({ ...row, decided_at: now?.at })));
  }

  it(
    'replays to the same answer, whatever changed since',
    async () => {
      const made: DecisionRecordRow[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        await changeEverything(round);
        const rows: DecisionRecordRow[] = [];
        while (rows.length < DECISIONS_PER_ROUND) {
          const row = decide();
          if (row) rows.push(row);
        }
        await store(rows);
        made.push(...rows);
      }
      await changeEverything(ROUNDS);
      const different: string[] = [];
      const changed = new Map<string, number>();
      let others = 0;
      const replays = module.get(DecisionReplay);
      const left = made.map(({ id }) => id);
      const work = async (): Promise<void> => {
        for (let id = left.pop(); id !== undefined; id = left.pop()) {
          const answer = await replays.replay(ADMIN, toApiId('dec', id));
          if (!answer.isSame) different.push(JSON.stringify(answer));
          for (const { what } of answer.changed) changed.set(what, (changed.get(what) ?? 0) + 1);
          if (answer.today && answer.today.model !== answer.decision.model) others += 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      expect(different.slice(0, 3)).toEqual([]);
      reportProof(10, {
        'decisions stored and replayed': made.length,
        'replayed to another answer': different.length,
        'would go to another model today': others,
      });
      // What they rest on did change, or the replays would prove nothing.
      for (const what of ['prices', 'capabilities', 'performance'])
        expect(changed.get(what)).toBe(made.length);
      for (const what of ['ownWeights', 'quality', 'answerWorth'])
        expect(changed.get(what)).toBeGreaterThan(made.length / 20);
      expect(others).toBeGreaterThan(made.length / 4);
      const records = JSON.stringify(made.map(({ record }) => record));
      for (const part of ['"experiment":{', '"target":{', '"allowed":[', '"allowed":{'])
        expect(records).toContain(part);
    },
    TIMEOUT_MS,
  );
});
