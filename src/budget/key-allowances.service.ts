import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type KeyAllowances, KeyAllowanceHost, type KeyAllowanceStore, type KeyBudget } from '../auth/index';
import { parseUsd, type RequestContext } from '../common/index';
import type { NewBudget } from '../ledger/index';
import { BudgetsService } from './budgets.service';
import { LimitPresence } from './limit-presence';
import { LimitsService } from './limits.service';

/** The limits and the budget of an API key, for the routes of keys. */
@Injectable()
export class KeyAllowancesService implements KeyAllowanceStore, OnModuleInit {
  constructor(
    private readonly host: KeyAllowanceHost,
    private readonly budgets: BudgetsService,
    private readonly limits: LimitsService,
    private readonly presence: LimitPresence,
  ) {}

  onModuleInit(): void {
    this.host.bind(this);
  }

  /** @throws ForbiddenError, ConflictError, ServiceUnavailableError */
  async set(
    ctx: RequestContext,
    keyId: string,
    { limits, budget }: KeyAllowances,
    manager: EntityManager,
  ): Promise<() => void> {
    const scope = { scope: 'key', scopeId: keyId } as const;
    const limit = limits && (await this.limits.plan(ctx, { ...limits, ...scope }, manager));
    const planned = budget && (await this.budgets.plan(ctx, { ...scope, ...budgetOf(budget) }, manager));
    if (limit) await this.limits.add(limit, manager);
    if (planned) await this.budgets.add(planned, manager);
    return () => {
      if (limit) this.presence.forget();
    };
  }

  /** Of several budgets the oldest, which is the one the key was made with. */
  async list(ctx: RequestContext, keyIds: readonly string[]): Promise<ReadonlyMap<string, KeyAllowances>> {
    if (keyIds.length === 0) return new Map();
    const [limits, budgets] = await Promise.all([
      this.limits.ofKeys(ctx, keyIds),
      this.budgets.ofKeys(ctx, keyIds),
    ]);
    const withAny = keyIds.filter((id) => limits.has(id) || budgets.has(id));
    return new Map(withAny.map((id) => [id, { limits: limits.get(id), budget: budgets.get(id) }]));
  }
}

function budgetOf({
  period,
  mode,
  limitUsd,
}: KeyBudget): Pick<NewBudget, 'period' | 'mode' | 'limitPicoUsd'> {
  return { period, mode, limitPicoUsd: parseUsd(limitUsd) };
}
