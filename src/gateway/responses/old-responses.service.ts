import { Injectable } from '@nestjs/common';
import { RowCleanup } from '../../database/index';
import { StoredResponsesRepository } from './stored-responses.repository';

export const KEPT_DAYS = 30;

/** Removes what is older than 30 days, the ends of conversations first, so that one that goes on stays whole. */
@Injectable()
export class OldResponses extends RowCleanup {
  constructor(responses: StoredResponsesRepository) {
    // Each batch frees the responses that its own went on from, so only an empty one is the last.
    super([async (limit) => ((await responses.removeOlderThan(KEPT_DAYS, limit)) > 0 ? limit : 0)]);
  }
}
