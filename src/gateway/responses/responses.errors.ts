import { ValidationError } from '../../errors/index';

/** `previous_response_id` names nothing that this caller can go on from; code and status are OpenAI's. */
export class PreviousResponseNotFoundError extends ValidationError {
  override readonly code = 'previous_response_not_found';

  constructor(message: string) {
    super(message, { param: 'previous_response_id' });
  }
}
