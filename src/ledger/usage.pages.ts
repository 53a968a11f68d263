/** Usage as REST shows it: API ids, exact decimals, pages. */
import { Injectable } from '@nestjs/common';
import { formatUsd, fromApiId, type RequestContext, toApiId } from '../common/index';
import { ForbiddenError, ValidationError } from '../errors/index';
import type { UsageLinesQueryDto, UsageQueryDto, UsageRangeQueryDto } from './dto/usage.query.dto';
import type { UsageGroupDto, UsageLineDto, UsageLinePageDto, UsagePageDto } from './dto/usage.response.dto';
import type { UsageGroup } from './usage-groups';
import {
  type LinePosition,
  type StoredLine,
  type UsageFilter,
  UsageRepository,
  type UsageSums,
} from './usage.repository';

@Injectable()
export class UsagePages {
  constructor(private readonly repository: UsageRepository) {}

  /** @throws ValidationError, ForbiddenError */
  async groups(ctx: RequestContext, query: UsageQueryDto): Promise<UsagePageDto> {
    const { groupBy, limit } = query;
    const after = query.cursor === undefined ? undefined : groupCursor(query.cursor, groupBy);
    const rows = await this.repository.sums(ctx, groupBy, filterOf(ctx, query), { limit: limit + 1, after });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      data: page.map((row) => toGroup(row, groupBy)),
      nextCursor: last ? encodeCursor(last.keys) : null,
    };
  }

  /** @throws ValidationError, ForbiddenError */
  async lines(ctx: RequestContext, query: UsageLinesQueryDto): Promise<UsageLinePageDto> {
    const { limit, model, provider, disputed } = query;
    const requestId = query.requestId && fromApiId('req', query.requestId);
    const filter = { ...filterOf(ctx, query), requestId, model, provider, disputed };
    const after = query.cursor === undefined ? undefined : lineCursor(query.cursor);
    const rows = await this.repository.lines(ctx, filter, { limit: limit + 1, after });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      data: page.map(toLine),
      nextCursor: last ? encodeCursor([last.position, last.request_id, last.attempt]) : null,
    };
  }
}

function filterOf({ principal }: RequestContext, query: UsageRangeQueryDto): UsageFilter {
  const userId = query.userId && fromApiId('usr', query.userId);
  if (userId && userId !== principal.userId && principal.role !== 'admin') {
    throw new ForbiddenError('Only an administrator may see the usage of others', { param: 'userId' });
  }
  return { userId, from: query.from, to: query.to };
}

function toGroup(row: UsageSums, groupBy: readonly UsageGroup[]): UsageGroupDto {
  const keys = groupBy.map((group, index) => [group, groupKey(group, row.keys[index] ?? '')] as const);
  return {
    ...Object.fromEntries(keys),
    requests: Number(row.requests),
    attempts: Number(row.attempts),
    promptTokens: Number(row.prompt_tokens),
    cachedReadTokens: Number(row.cached_read_tokens),
    cacheWriteTokens: Number(row.cache_write_tokens),
    completionTokens: Number(row.completion_tokens),
    reasoningTokens: Number(row.reasoning_tokens),
    costUsd: formatUsd(BigInt(row.cost_pico_usd)),
    unpriced: Number(row.unpriced),
    disputed: Number(row.disputed),
  };
}

function groupKey(group: UsageGroup, value: string): string | null {
  switch (group) {
    case 'key':
      return value === '' ? null : toApiId('key', value);
    case 'project':
      return value === '' ? null : toApiId('prj', value);
    case 'day':
    case 'model':
    case 'provider':
    case 'taskType':
      return value;
  }
}

function toLine(row: StoredLine): UsageLineDto {
  return {
    requestId: toApiId('req', row.request_id),
    attempt: row.attempt,
    provider: row.provider,
    model: row.model,
    modelServed: row.model_served,
    outcome: row.outcome,
    usageSource: row.usage_source,
    promptTokens: toNumber(row.prompt_tokens),
    cachedReadTokens: toNumber(row.cached_read_tokens),
    cacheWriteTokens: toNumber(row.cache_write_tokens),
    completionTokens: toNumber(row.completion_tokens),
    reasoningTokens: toNumber(row.reasoning_tokens),
    costUsd: row.cost_pico_usd === null ? null : formatUsd(BigInt(row.cost_pico_usd)),
    priceVersion: row.price_version,
    startedAt: row.started_at.toISOString(),
    taskType: row.task_type,
    latencyMs: row.latency_ms,
    firstTokenMs: row.first_token_ms,
    disputes: [...(row.disputes ?? [])],
    keyId: row.key_id && toApiId('key', row.key_id),
    projectId: row.project_id && toApiId('prj', row.project_id),
  };
}

function toNumber(value: string | null): number | null {
  return value === null ? null : Number(value);
}

function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function decodeCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function groupCursor(cursor: string, groupBy: readonly UsageGroup[]): readonly string[] {
  const keys = decodeCursor(cursor);
  if (!Array.isArray(keys) || keys.length !== groupBy.length) throw foreignCursor();
  if (!keys.every((key): key is string => typeof key === 'string' && !key.includes('\0')))
    throw foreignCursor();
  return keys;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function lineCursor(cursor: string): LinePosition {
  const decoded = decodeCursor(cursor);
  const [position, requestId, attempt] = Array.isArray(decoded) ? (decoded as unknown[]) : [];
  if (typeof position !== 'string' || Number.isNaN(Date.parse(position))) throw foreignCursor();
  if (typeof requestId !== 'string' || !UUID.test(requestId)) throw foreignCursor();
  if (typeof attempt !== 'number' || !Number.isInteger(attempt)) throw foreignCursor();
  return { position, requestId, attempt };
}

function foreignCursor(): ValidationError {
  return new ValidationError('cursor is not one that this list gave', { param: 'cursor' });
}
