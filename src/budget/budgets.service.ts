/** Budgets as REST shows them: API ids, exact decimals, pages; every change with its entry in the audit log. */
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Cursors, type KeyBudget } from '../auth/index';
import {
  BUDGET_PERIODS,
  formatUsd,
  fromApiId,
  parseUsd,
  type RequestContext,
  toApiId,
} from '../common/index';
import { AuditSink, NotFoundError, ValidationError } from '../errors/index';
import {
  type Budget,
  type BudgetChange,
  BudgetRepository,
  type NewBudget,
  type PlannedBudget,
  repeatOnConflict,
} from '../ledger/index';
import type {
  CreateBudgetRequestDto,
  ListBudgetsQueryDto,
  UpdateBudgetRequestDto,
} from './dto/budget.request.dto';
import { type BudgetPageDto, BudgetResponseDto } from './dto/budget.response.dto';
import { scopeApiId, scopeFilter, scopeUuid } from './scope-ids';

const LIST = 'budgets';

@Injectable()
export class BudgetsService {
  constructor(
    private readonly database: DataSource,
    private readonly budgets: BudgetRepository,
    private readonly audit: AuditSink,
    private readonly cursors: Cursors,
  ) {}

  /** @throws ValidationError, ForbiddenError, NotFoundError (the scope), ConflictError */
  async create(ctx: RequestContext, body: CreateBudgetRequestDto): Promise<BudgetResponseDto> {
    const { scope, period, mode } = body;
    const scopeId = scopeUuid(scope, body.scopeId);
    const budget = { scope, scopeId, period, mode, limitPicoUsd: parseUsd(body.limitUsd) };
    const id = await this.change(async (manager) => {
      const planned = await this.plan(ctx, budget, manager);
      await this.add(planned, manager);
      return planned.id;
    });
    return BudgetResponseDto.of(await this.budgets.get(ctx, id));
  }

  /** Checks and audits a budget that `add` makes at the end of the same transaction. */
  async plan(ctx: RequestContext, budget: NewBudget, manager: EntityManager): Promise<PlannedBudget> {
    const planned = await this.budgets.plan(ctx, budget, manager);
    const entry = { action: 'budget.create', resourceId: apiIdOf(planned), after: settingsOf(planned) };
    await this.audit.record(ctx, entry, manager);
    return planned;
  }

  async add(planned: PlannedBudget, manager: EntityManager): Promise<void> {
    await this.budgets.create(planned, manager);
  }

  /** The oldest budget of each key, by key UUID. */
  async ofKeys(ctx: RequestContext, keyIds: readonly string[]): Promise<ReadonlyMap<string, KeyBudget>> {
    const filter = { scope: 'key', scopeIds: keyIds, limit: keyIds.length * BUDGET_PERIODS.length } as const;
    const newestFirst = (await this.budgets.list(ctx, filter)).toReversed();
    return new Map(
      newestFirst.map(({ scopeId = '', period, mode, limitPicoUsd }) => [
        scopeId,
        { period, mode, limitUsd: formatUsd(limitPicoUsd) },
      ]),
    );
  }

  async list(ctx: RequestContext, query: ListBudgetsQueryDto): Promise<BudgetPageDto> {
    const { limit, scope, period } = query;
    const asked = scopeFilter(query.scopeId);
    if (asked && scope && asked.scope !== scope) return { data: [], nextCursor: null };
    const after = this.cursors.decode<string>(ctx, LIST, query.cursor);
    const filter = { scope, ...asked, period, limit: limit + 1, after };
    const rows = await this.budgets.list(ctx, filter);
    const page = this.cursors.page(ctx, LIST, { rows, limit, positionOf: ({ id }) => id });
    return { data: page.items.map(BudgetResponseDto.of), nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<BudgetResponseDto> {
    return BudgetResponseDto.of(await this.budgets.get(ctx, uuidOf(id)));
  }

  /** @throws ValidationError, NotFoundError, ForbiddenError */
  async update(ctx: RequestContext, id: string, body: UpdateBudgetRequestDto): Promise<BudgetResponseDto> {
    const change = {
      limitPicoUsd: body.limitUsd ? parseUsd(body.limitUsd) : undefined,
      mode: body.mode ?? undefined,
    };
    if (change.limitPicoUsd === undefined && change.mode === undefined) {
      throw new ValidationError('Name what to change: limitUsd, mode or both', { param: 'limitUsd' });
    }
    const uuid = uuidOf(id);
    return BudgetResponseDto.of(await this.change((manager) => this.updateIn(ctx, uuid, change, manager)));
  }

  /** As part of a larger change. @param id UUID @throws NotFoundError, ForbiddenError */
  async updateIn(
    ctx: RequestContext,
    id: string,
    change: BudgetChange,
    manager: EntityManager,
  ): Promise<Budget> {
    const before = await this.budgets.getForChange(ctx, id, manager);
    const after = await this.budgets.update(ctx, before, change, manager);
    const states = { before: settingsOf(before), after: settingsOf(after) };
    await this.audit.record(ctx, { action: 'budget.update', resourceId: apiIdOf(after), ...states }, manager);
    return after;
  }

  /** @throws NotFoundError, ForbiddenError */
  async remove(ctx: RequestContext, id: string): Promise<void> {
    const uuid = uuidOf(id);
    await this.change((manager) => this.removeIn(ctx, uuid, manager));
  }

  /** As part of a larger change. @param id UUID @throws NotFoundError, ForbiddenError */
  async removeIn(ctx: RequestContext, id: string, manager: EntityManager): Promise<void> {
    const before = await this.budgets.getForChange(ctx, id, manager);
    await this.budgets.remove(before, manager);
    const entry = { action: 'budget.delete', resourceId: apiIdOf(before), before: settingsOf(before) };
    await this.audit.record(ctx, entry, manager);
  }

  private async change<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return await repeatOnConflict(() => this.database.transaction(work));
  }
}

function uuidOf(id: string): string {
  const uuid = fromApiId('bud', id);
  if (uuid === undefined) throw new NotFoundError('There is no such budget', { param: 'id' });
  return uuid;
}

function apiIdOf({ id }: PlannedBudget): string {
  return toApiId('bud', id);
}

function settingsOf({
  scope,
  scopeId,
  period,
  limitPicoUsd,
  mode,
  managedBy,
}: PlannedBudget): Record<string, unknown> {
  return {
    scope,
    scopeId: scopeApiId(scope, scopeId),
    period,
    limitUsd: formatUsd(limitPicoUsd),
    mode,
    managedBy,
  };
}
