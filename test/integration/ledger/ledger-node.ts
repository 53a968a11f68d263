/** A process of the ledger (the module with a hot pool and an identity of its own), and factories for what it is asked. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { type LimitValues, newId, type RequestContext, type WorkScope } from '../../../src/common/index';
import { ConfigModule, loadConfig } from '../../../src/config/index';
import { DatabaseModule, HotPool } from '../../../src/database/index';
import { AuditSink, ServiceUnavailableError } from '../../../src/errors/index';
import {
  type AdmitCommand,
  type Budget,
  BudgetRepository,
  type Hold,
  LedgerModule,
  LedgerService,
  type Limit,
  LimitRepository,
  type NewBudget,
  type NewLimit,
  Reconciliation,
  type SettledAttempt,
} from '../../../src/ledger/index';
import type { BudgetChange, BudgetQuery } from '../../../src/ledger/budget.repository';
import { JournalReplayer } from '../../../src/ledger/journal-replayer.service';
import { LEDGER_NOW, LedgerStore } from '../../../src/ledger/ledger.store';
import type { LimitQuery } from '../../../src/ledger/limit.repository';
import { ProcessIdentity } from '../../../src/ledger/process-identity';
import { ProcessLease } from '../../../src/ledger/process-lease.service';
import { ObservabilityModule } from '../../../src/observability/index';
import { eventually } from '../../support/eventually';

/** So long that reapers and renewals run only when a test says so. */
const LEASE_MS = '600000';

export const CENT = 10_000_000_000n;

export interface LedgerNode {
  readonly ledger: LedgerService;
  readonly budgets: Bounds<NewBudget, BudgetChange, Budget, BudgetQuery>;
  readonly limits: Bounds<NewLimit, LimitValues, Limit, LimitQuery>;
  readonly reconciliation: Reconciliation;
  readonly store: LedgerStore;
  readonly lease: ProcessLease;
  readonly replayer: JournalReplayer;
  readonly pool: HotPool;
  readonly database: DataSource;
  readonly processId: string;
  readonly dataDir: string;
  readonly module: TestingModule;
  readonly close: () => Promise<void>;
}

export interface NodeOptions {
  readonly now?: () => Date;
  readonly dataDir?: string;
  /** Further environment variables. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where the hot pool connects to instead. */
  readonly hotPool?: HotPool;
}

@Module({})
class TestClock {
  static of(now: () => Date): DynamicModule {
    return {
      module: TestClock,
      global: true,
      providers: [{ provide: LEDGER_NOW, useValue: now }],
      exports: [LEDGER_NOW],
    };
  }
}

/** What administrators did, in memory: the real log belongs to another module. */
@Global()
@Module({
  providers: [{ provide: AuditSink, useFactory: () => ({ record: jest.fn(() => Promise.resolve()) }) }],
  exports: [AuditSink],
})
export class AuditLogInMemory {}

export async function bootNode(url: string, options: NodeOptions = {}): Promise<LedgerNode> {
  const dataDir = options.dataDir ?? mkdtempSync(path.join(os.tmpdir(), 'lattice-ledger-'));
  const env = {
    LATTICE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATA_DIR: dataDir,
    DATABASE_POOL_SIZE: '2',
    HOLD_LEASE_MS: LEASE_MS,
    ...options.env,
  };
  const builder = Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(loadConfig(env)),
      EventEmitterModule.forRoot(),
      ObservabilityModule,
      DatabaseModule.forRoot(url),
      AuditLogInMemory,
      ...(options.now ? [TestClock.of(options.now)] : []),
      LedgerModule,
    ],
  });
  if (options.hotPool) builder.overrideProvider(HotPool).useValue(options.hotPool);
  const module = await builder.compile();
  module.useLogger(false);
  await module.init();
  const close = async (): Promise<void> => {
    await module.close();
    if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true });
  };
  return {
    ledger: module.get(LedgerService),
    budgets: boundsOf(module.get(DataSource), module.get(BudgetRepository)),
    limits: boundsOf(module.get(DataSource), module.get(LimitRepository)),
    reconciliation: module.get(Reconciliation),
    store: module.get(LedgerStore),
    lease: module.get(ProcessLease),
    replayer: module.get(JournalReplayer),
    pool: module.get(HotPool),
    database: module.get(DataSource),
    processId: module.get(ProcessIdentity).id,
    dataDir,
    module,
    close,
  };
}

/** Budgets or limits, each change in a transaction of its own unless one is given. */
interface Bounds<New, Change, Found, Query> {
  get(ctx: RequestContext, id: string): Promise<Found>;
  list(ctx: RequestContext, query: Query): Promise<Found[]>;
  create(ctx: RequestContext, wanted: New, manager?: EntityManager): Promise<Found>;
  update(ctx: RequestContext, id: string, change: Change, manager?: EntityManager): Promise<Found>;
  remove(ctx: RequestContext, id: string): Promise<void>;
}

interface BoundsRepository<New, Planned, Change, Found, Query> {
  get(ctx: RequestContext, id: string, manager?: EntityManager): Promise<Found>;
  list(ctx: RequestContext, query: Query): Promise<Found[]>;
  plan(ctx: RequestContext, wanted: New, manager: EntityManager): Promise<Planned>;
  create(planned: Planned, manager: EntityManager): Promise<void>;
  getForChange(ctx: RequestContext, id: string, manager: EntityManager): Promise<Found>;
  update(ctx: RequestContext, found: Found, change: Change, manager: EntityManager): Promise<Found>;
  remove(found: Found, manager: EntityManager): Promise<void>;
}

function boundsOf<New, Planned extends { readonly id: string }, Change, Found, Query>(
  database: DataSource,
  repository: BoundsRepository<New, Planned, Change, Found, Query>,
): Bounds<New, Change, Found, Query> {
  const within = <T>(work: (manager: EntityManager) => Promise<T>, manager?: EntityManager): Promise<T> =>
    manager ? work(manager) : database.transaction(work);
  return {
    get: (ctx, id) => repository.get(ctx, id),
    list: (ctx, query) => repository.list(ctx, query),
    create: (ctx, wanted, given) =>
      within(async (manager) => {
        const planned = await repository.plan(ctx, wanted, manager);
        await repository.create(planned, manager);
        return await repository.get(ctx, planned.id, manager);
      }, given),
    update: (ctx, id, change, given) =>
      within(async (manager) => {
        const found = await repository.getForChange(ctx, id, manager);
        return await repository.update(ctx, found, change, manager);
      }, given),
    remove: (ctx, id) =>
      within(async (manager) => {
        await repository.remove(await repository.getForChange(ctx, id, manager), manager);
      }),
  };
}

export interface Caller {
  readonly userId: string;
  readonly keyId: string;
}

/** A user with a key of their own. */
export async function aCaller(node: LedgerNode): Promise<Caller> {
  const caller = { userId: newId(), keyId: newId() };
  await node.database.query(
    `insert into users (id, email, name, password_hash, role) values ($1, $2, 'Ada', 'x', 'operator')`,
    [caller.userId, `${caller.userId}@example.com`],
  );
  await node.database.query(
    `insert into api_keys (id, user_id, name, prefix, key_hash) values ($1, $2, 'key', 'llk_', $3)`,
    [caller.keyId, caller.userId, randomUUID()],
  );
  return caller;
}

export function aContext(caller: Caller, work?: WorkScope): RequestContext {
  return {
    requestId: newId(),
    traceId: '0'.repeat(32),
    principal: { userId: caller.userId, role: 'operator', keyId: caller.keyId },
    signal: new AbortController().signal,
    work,
  };
}

/** As a person who is logged in, and not as a key. */
export function aPerson(caller: Caller): RequestContext {
  return { ...aContext(caller), principal: { userId: caller.userId, role: 'operator' } };
}

export const ADMIN: RequestContext = {
  ...aContext({ userId: newId(), keyId: newId() }),
  principal: { userId: newId(), role: 'admin' },
};

export interface Amounts {
  readonly worst?: bigint;
  readonly minimum?: bigint;
  readonly estimate?: bigint;
  readonly tokens?: number;
}

/** Ten cents at worst, at least and by estimate, unless told otherwise. */
export function aCommand(amounts: Amounts = {}, attempt = 1): AdmitCommand {
  const worst = amounts.worst ?? 10n * CENT;
  return {
    taskType: 'GENERAL',
    amounts: {
      worstPicoUsd: worst,
      minimumPicoUsd: amounts.minimum ?? worst,
      estimatePicoUsd: amounts.estimate ?? worst,
      estimateTokens: amounts.tokens ?? 100,
    },
    intent: {
      attempt,
      provider: 'openai',
      model: 'openai/gpt-test',
      priceVersion: 7,
      boundPromptTokens: 60,
      boundCompletionTokens: 40,
      boundCostPicoUsd: worst,
    },
  };
}

export function anAttempt(overrides: Partial<SettledAttempt> = {}): SettledAttempt {
  return {
    attempt: 1,
    provider: 'openai',
    model: 'openai/gpt-test',
    outcome: 'succeeded',
    usageSource: 'provider',
    usage: { promptTokens: 50, completionTokens: 30 },
    costPicoUsd: 4n * CENT,
    priceVersion: 7,
    startedAt: new Date(),
    latencyMs: 12,
    disputes: [],
    ...overrides,
  };
}

/** One request of the caller that costs this much. */
export async function spend(node: LedgerNode, caller: Caller, costPicoUsd: bigint): Promise<void> {
  const ctx = aContext(caller);
  const hold = await node.ledger.admit(ctx, aCommand({ worst: costPicoUsd }));
  await node.ledger.settle(ctx, hold, [anAttempt({ costPicoUsd })]);
}

export async function aBudget(node: LedgerNode, budget: Partial<NewBudget> = {}): Promise<string> {
  const complete: NewBudget = {
    scope: 'user',
    period: 'month',
    limitPicoUsd: 500n * CENT,
    mode: 'hard',
    ...budget,
  };
  return (await node.budgets.create(ADMIN, complete)).id;
}

export async function aLimit(node: LedgerNode, limit: Partial<NewLimit>): Promise<string> {
  return (await node.limits.create(ADMIN, { scope: 'user', ...limit })).id;
}

/** The hold, or the error that refused it. */
export async function tryAdmit(
  node: LedgerNode,
  ctx: RequestContext,
  command = aCommand(),
): Promise<Hold | Error> {
  return await node.ledger.admit(ctx, command).catch((error: unknown) => error as Error);
}

/** The lines of a request, by attempt, as they stand in the table. */
export async function linesOf(node: LedgerNode, ctx: RequestContext): Promise<Record<string, unknown>[]> {
  return await node.database.query('select * from usage_lines where request_id = $1 order by attempt', [
    ctx.requestId,
  ]);
}

export async function countOf(node: LedgerNode, sql: string, values: unknown[] = []): Promise<number> {
  const [row] = (await node.database.query(`select count(*)::int as count from ${sql}`, values)) as {
    count: number;
  }[];
  return row?.count ?? 0;
}

/** Lets the lease of a process run out, as if it had been killed. */
export async function kill(node: LedgerNode, processId: string): Promise<void> {
  await node.database.query(
    `update processes set lease_expires_at = now() - interval '1 second' where id = $1`,
    [processId],
  );
}

/**
 * Settles the holds of dead processes, however short PostgreSQL has been up. As the reaper does at its next turn, it tries
 * again when no connection was to be had.
 */
export async function reap(node: LedgerNode): Promise<number> {
  return await eventually(
    () =>
      node.store.reap(node.processId, 0).catch((failure: unknown) => {
        if (failure instanceof ServiceUnavailableError) return undefined;
        throw failure;
      }),
    20_000,
  );
}
