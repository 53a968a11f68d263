import { Injectable } from '@nestjs/common';
import { Cursors, noSuch, ownedId } from '../../auth/index';
import { fromApiId, isJsonObject, type JsonObject, type RequestContext, toApiId } from '../../common/index';
import { ForbiddenError, ValidationError } from '../../errors/index';
import {
  DECISION,
  type DecisionFilter,
  DecisionsRepository,
  type StoredDecision,
} from './decisions.repository';
import type { DecisionPageDto, DecisionResponseDto } from '../dto/decision.response.dto';
import type { ListDecisionsQueryDto } from '../dto/list-decisions.query.dto';

const LIST = 'decisions';

@Injectable()
export class DecisionsService {
  constructor(
    private readonly decisions: DecisionsRepository,
    private readonly cursors: Cursors,
  ) {}

  /**
   * @param id `dec_…`
   * @throws NotFoundError when there is none or it is someone else's.
   */
  async get(ctx: RequestContext, id: string): Promise<DecisionResponseDto> {
    const found = await this.decisions.find(ctx, ownedId(DECISION, id));
    if (!found) throw noSuch(DECISION);
    return toDto(found);
  }

  /** Newest first. @throws ValidationError; ForbiddenError when another's decisions are asked for by name. */
  async list(ctx: RequestContext, query: ListDecisionsQueryDto): Promise<DecisionPageDto> {
    const { limit } = query;
    const filter = filterOf(ctx, query);
    const after = this.cursors.decode<string>(ctx, LIST, query.cursor);
    const rows = await this.decisions.list(filter, { limit: limit + 1, after });
    const { items, nextCursor } = this.cursors.page(ctx, LIST, { rows, limit, positionOf: ({ id }) => id });
    return { data: items.map(toDto), nextCursor };
  }
}

function filterOf({ principal }: RequestContext, query: ListDecisionsQueryDto): DecisionFilter {
  const { model, taskType, strategy, from, to } = query;
  if (from !== undefined && to !== undefined && to < from)
    throw new ValidationError('to lies before from', { param: 'to' });
  const asked = query.userId === undefined ? undefined : fromApiId('usr', query.userId);
  const isAdmin = principal.role === 'admin';
  if (!isAdmin && asked !== undefined && asked !== principal.userId)
    throw new ForbiddenError('Only an administrator may see the decisions of others', { param: 'userId' });
  return { userId: isAdmin ? asked : principal.userId, model, taskType, strategy, from, to };
}

function toDto({ id, requestId, userId, createdAt, record }: StoredDecision): DecisionResponseDto {
  return {
    id: toApiId('dec', id),
    requestId: toApiId('req', requestId),
    userId: toApiId('usr', userId),
    createdAt: createdAt.toISOString(),
    model: chosenModel(record),
    decision: record,
  };
}

function chosenModel({ candidates }: JsonObject): string | null {
  const first: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
  return isJsonObject(first) && typeof first.model === 'string' ? first.model : null;
}
