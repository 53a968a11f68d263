import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type KeyAllowances, KeyAllowanceHost, type KeyAllowanceStore } from '../auth/index';
import type { RequestContext } from '../common/index';
import { parseLimitUsd } from './budget-figures';
import { BudgetsService } from './budgets.service';
import { LimitPresence } from './limit-presence';
import { LimitsService } from './limits.service';

/** The limits and the budget of an API key, for the routes of keys. */
@Injectable()
export class KeyAllowancesService implements KeyAllowanceStore, OnModuleInit {
  constructor(
    private readonly host: KeyAllowanceHost,
    private readonly database: DataSource,
    private readonly budgets: BudgetsService,
    private readonly limits: LimitsService,
    private readonly presence: LimitPresence,
  ) {}

  onModuleInit(): void {
    this.host.bind(this);
  }

  /** All or nothing. @throws ValidationError, ForbiddenError, NotFoundError, ConflictError when the key has some already. */
  async set(ctx: RequestContext, keyId: string, { limits, budget }: KeyAllowances): Promise<void> {
    const scope = { scope: 'key', scopeId: keyId } as const;
    const limitPicoUsd = budget && parseLimitUsd(budget.limitUsd, 'budget.limitUsd');
    await this.database.transaction(async (manager) => {
      if (limits) await this.limits.add(ctx, { ...limits, ...scope }, manager);
      if (budget && limitPicoUsd !== undefined) {
        const { period, mode } = budget;
        await this.budgets.add(ctx, { ...scope, period, mode, limitPicoUsd }, manager);
      }
    });
    if (limits) this.presence.forget();
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
