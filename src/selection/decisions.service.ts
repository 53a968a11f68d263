import { Injectable } from '@nestjs/common';
import { noSuch, ownedId } from '../auth/index';
import { type RequestContext, toApiId } from '../common/index';
import { DECISION, DecisionsRepository } from './decisions.repository';
import type { DecisionResponseDto } from './dto/decision.response.dto';

@Injectable()
export class DecisionsService {
  constructor(private readonly decisions: DecisionsRepository) {}

  /**
   * @param id `dec_…`
   * @throws NotFoundError when there is none or it is someone else's.
   */
  async get(ctx: RequestContext, id: string): Promise<DecisionResponseDto> {
    const found = await this.decisions.find(ctx, ownedId(DECISION, id));
    if (!found) throw noSuch(DECISION);
    return {
      id: toApiId('dec', found.id),
      requestId: toApiId('req', found.requestId),
      createdAt: found.createdAt.toISOString(),
      decision: found.record,
    };
  }
}
