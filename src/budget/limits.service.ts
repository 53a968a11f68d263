/** Limits as REST shows them: API ids, pages; every change with its entry in the audit log. */
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Cursors } from '../auth/index';
import { fromApiId, type LimitValues, type RequestContext, toApiId } from '../common/index';
import { AuditSink, NotFoundError, ValidationError } from '../errors/index';
import {
  LimitRepository,
  type LimitScope,
  type NewLimit,
  type PlannedLimit,
  repeatOnConflict,
} from '../ledger/index';
import type {
  CreateLimitRequestDto,
  LimitValuesDto,
  ListLimitsQueryDto,
  UpdateLimitRequestDto,
} from './dto/limit.request.dto';
import { type LimitPageDto, LimitResponseDto } from './dto/limit.response.dto';
import { LimitPresence } from './limit-presence';
import { scopeApiId, scopeFilter, scopeUuid } from './scope-ids';

const LIST = 'limits';
const VALUES = [
  'requestsPerMinute',
  'requestsPerHour',
  'tokensPerMinute',
  'tokensPerHour',
  'concurrency',
] as const satisfies readonly (keyof LimitValues)[];

@Injectable()
export class LimitsService {
  constructor(
    private readonly database: DataSource,
    private readonly limits: LimitRepository,
    private readonly audit: AuditSink,
    private readonly cursors: Cursors,
    private readonly presence: LimitPresence,
  ) {}

  /** @throws ValidationError, ForbiddenError, NotFoundError (the scope), ConflictError */
  async create(ctx: RequestContext, body: CreateLimitRequestDto): Promise<LimitResponseDto> {
    const { scope } = body;
    const limit = { scope, scopeId: scopeUuid(scope, body.scopeId), ...merged({}, body) };
    const id = await this.change(async (manager) => {
      const planned = await this.plan(ctx, limit, manager);
      await this.add(planned, manager);
      return planned.id;
    });
    this.presence.forget();
    return LimitResponseDto.of(await this.limits.get(ctx, id));
  }

  /** Checks and audits limits that `add` makes at the end of the same transaction. */
  async plan(ctx: RequestContext, limit: NewLimit, manager: EntityManager): Promise<PlannedLimit> {
    const planned = await this.limits.plan(ctx, limit, manager);
    const entry = { action: 'limit.create', resourceId: apiIdOf(planned), after: settingsOf(planned) };
    await this.audit.record(ctx, entry, manager);
    return planned;
  }

  async add(planned: PlannedLimit, manager: EntityManager): Promise<void> {
    await this.limits.create(planned, manager);
  }

  /** The limits of each key that has some, by key UUID. */
  async ofKeys(ctx: RequestContext, keyIds: readonly string[]): Promise<ReadonlyMap<string, LimitValues>> {
    const filter = { scope: 'key', scopeIds: keyIds, limit: keyIds.length } as const;
    const found = await this.limits.list(ctx, filter);
    return new Map(found.map((limit) => [limit.scopeId ?? '', merged(limit, {})]));
  }

  async list(ctx: RequestContext, query: ListLimitsQueryDto): Promise<LimitPageDto> {
    const { limit, scope } = query;
    const asked = scopeFilter(query.scopeId);
    if (asked && scope && asked.scope !== scope) return { data: [], nextCursor: null };
    const after = this.cursors.decode<string>(ctx, LIST, query.cursor);
    const filter = { scope: (asked?.scope as LimitScope) ?? scope, scopeIds: asked?.scopeIds };
    const rows = await this.limits.list(ctx, { ...filter, limit: limit + 1, after });
    const page = this.cursors.page(ctx, LIST, { rows, limit, positionOf: ({ id }) => id });
    return { data: page.items.map(LimitResponseDto.of), nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<LimitResponseDto> {
    return LimitResponseDto.of(await this.limits.get(ctx, uuidOf(id)));
  }

  /** @throws ValidationError when nothing would be limited any more, NotFoundError, ForbiddenError */
  async update(ctx: RequestContext, id: string, body: UpdateLimitRequestDto): Promise<LimitResponseDto> {
    if (VALUES.every((name) => body[name] === undefined)) {
      throw new ValidationError(`Name what to change: ${VALUES.join(', ')}`, { param: VALUES[0] });
    }
    const uuid = uuidOf(id);
    return await this.change(async (manager) => {
      const before = await this.limits.getForChange(ctx, uuid, manager);
      const after = await this.limits.update(ctx, before, merged(before, body), manager);
      const states = { before: settingsOf(before), after: settingsOf(after) };
      await this.audit.record(
        ctx,
        { action: 'limit.update', resourceId: apiIdOf(after), ...states },
        manager,
      );
      return LimitResponseDto.of(after);
    });
  }

  /** @throws NotFoundError, ForbiddenError */
  async remove(ctx: RequestContext, id: string): Promise<void> {
    const uuid = uuidOf(id);
    await this.change(async (manager) => {
      const before = await this.limits.getForChange(ctx, uuid, manager);
      await this.limits.remove(before, manager);
      const entry = { action: 'limit.delete', resourceId: apiIdOf(before), before: settingsOf(before) };
      await this.audit.record(ctx, entry, manager);
    });
  }

  private async change<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return await repeatOnConflict(() => this.database.transaction(work));
  }
}

/** What is left out stays, null takes away. */
function merged(values: LimitValues, change: LimitValuesDto): LimitValues {
  const entries = VALUES.map((name) => {
    const wanted = change[name];
    return [name, wanted === undefined ? values[name] : (wanted ?? undefined)] as const;
  });
  return Object.fromEntries(entries);
}

function uuidOf(id: string): string {
  const uuid = fromApiId('lim', id);
  if (uuid === undefined) throw new NotFoundError('There is no such limit', { param: 'id' });
  return uuid;
}

function apiIdOf({ id }: PlannedLimit): string {
  return toApiId('lim', id);
}

function settingsOf(limit: PlannedLimit): Record<string, unknown> {
  const values = VALUES.map((name) => [name, limit[name] ?? null] as const);
  const { scope, scopeId, managedBy } = limit;
  return { scope, scopeId: scopeApiId(scope, scopeId), ...Object.fromEntries(values), managedBy };
}
