import { Injectable } from '@nestjs/common';
import { fromApiId, type RequestContext, toApiId } from '../common/index';
import { NotFoundError } from '../errors/index';
import { DecisionsRepository } from './decisions.repository';
import type { DecisionResponseDto } from './dto/decision.response.dto';

@Injectable()
export class DecisionsService {
  constructor(private readonly decisions: DecisionsRepository) {}

  /**
   * @param id `dec_…`
   * @throws NotFoundError when there is none or it is someone else's.
   */
  async get(ctx: RequestContext, id: string): Promise<DecisionResponseDto> {
    const uuid = fromApiId('dec', id);
    const found = uuid && (await this.decisions.find(ctx, uuid));
    if (!found) throw new NotFoundError('There is no such decision', { param: 'id' });
    return {
      id: toApiId('dec', found.id),
      requestId: toApiId('req', found.requestId),
      createdAt: found.createdAt.toISOString(),
      decision: found.record,
    };
  }
}
