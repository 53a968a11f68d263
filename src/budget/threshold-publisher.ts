import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type BudgetMode, type BudgetPeriod, formatUsd, toApiId } from '../common/index';
import { Notifications } from '../database/index';
import { type NewEvent, Outbox } from '../events/index';
import { type BudgetScope, GLOBAL_SCOPE_ID } from '../ledger/index';
import { BackgroundLoop } from '../observability/index';
import { BUDGET_OWNER } from './budget-owner';
import { scopeApiId } from './scope-ids';

/** PostgreSQL's channel that the ledger uses when a threshold is passed. */
const CHANNEL = 'lattice_thresholds';
/** In case a notification was lost. */
const INTERVAL_MS = 10_000;
const BATCH = 100;

interface ThresholdRow {
  /** bigint as text. */
  readonly id: string;
  readonly budget_id: string;
  readonly scope: BudgetScope;
  readonly scope_id: string;
  readonly period: BudgetPeriod;
  readonly period_start: Date;
  readonly percent: number;
  readonly spent_pico: string;
  readonly limit_pico: string;
  readonly passed_at: Date;
  readonly resets_at: Date | null;
  /** Null when the budget was removed meanwhile. */
  readonly mode: BudgetMode | null;
  readonly owner: string | null;
}

const IS_ANY_WAITING = 'select exists (select from budget_thresholds where published_at is null) as waits';

/** Another process that is publishing has its rows locked: they are left to it. */
const TAKE = `
  select t.*, nullif(ledger_period_end(t.period, t.period_start), 'infinity') as resets_at,
    (select b.mode from budgets b where b.id = t.budget_id) as mode, ${BUDGET_OWNER('t')} as owner
  from budget_thresholds t where t.published_at is null order by t.id limit ${BATCH}
  for update of t skip locked`;

/** Makes an event of every threshold that a budget passes, exactly once: both are written in one transaction. */
@Injectable()
export class ThresholdPublisher implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop = new BackgroundLoop('publishing thresholds of budgets', INTERVAL_MS, () =>
    this.publish(),
  );

  constructor(
    private readonly database: DataSource,
    private readonly outbox: Outbox,
    private readonly notifications: Notifications,
  ) {}

  onApplicationBootstrap(): void {
    this.notifications.on(CHANNEL, () => this.loop.wake());
    this.notifications.onReconnect(() => this.loop.wake());
    this.loop.start();
    this.loop.wake();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Publishes what waits; returns how many. */
  async publish(): Promise<number> {
    let published = 0;
    while (await this.isAnyWaiting()) {
      const count = await this.database.transaction((manager) => this.publishBatch(manager));
      published += count;
      if (count < BATCH) break;
    }
    return published;
  }

  /** Without a transaction: mostly there is nothing. */
  private async isAnyWaiting(): Promise<boolean> {
    const [row] = await this.database.query<{ waits: boolean }[]>(IS_ANY_WAITING);
    return row?.waits === true;
  }

  private async publishBatch(manager: EntityManager): Promise<number> {
    const rows = await manager.query<ThresholdRow[]>(TAKE);
    if (rows.length === 0) return 0;
    await this.outbox.append(rows.map(toEvent), manager);
    await manager.query('update budget_thresholds set published_at = now() where id = any($1)', [
      rows.map(({ id }) => id),
    ]);
    return rows.length;
  }
}

function toEvent(row: ThresholdRow): NewEvent {
  const scopeId = row.scope_id === GLOBAL_SCOPE_ID ? undefined : row.scope_id;
  const budgetId = toApiId('bud', row.budget_id);
  return {
    type: 'budget.threshold',
    resource: budgetId,
    ownerId: row.owner,
    data: {
      budgetId,
      scope: row.scope,
      scopeId: scopeApiId(row.scope, scopeId),
      period: row.period,
      periodStart: row.period_start.toISOString(),
      percent: row.percent,
      spentUsd: formatUsd(BigInt(row.spent_pico)),
      limitUsd: formatUsd(BigInt(row.limit_pico)),
      mode: row.mode,
      passedAt: row.passed_at.toISOString(),
      resetsAt: row.resets_at?.toISOString() ?? null,
    },
  };
}
