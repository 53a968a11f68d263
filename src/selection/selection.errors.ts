import { AppError, type AppErrorOptions, type ErrorType, ForbiddenError } from '../errors/index';

/** Models there are, but none can serve this request. 422. */
export class NoSuitableModelError extends AppError {
  override readonly code = 'NO_SUITABLE_MODEL';
  override readonly status = 422;
  override readonly type: ErrorType = 'invalid_request_error';
}

/** The named model's price is not in the book, so a call could not be billed. 422. */
export class PriceUnknownError extends AppError {
  override readonly code = 'PRICE_UNKNOWN';
  override readonly status = 422;
  override readonly type: ErrorType = 'invalid_request_error';
}

/** The prompt does not fit into the named model. Looks as OpenAI's own answer does. */
export class ContextLengthExceededError extends AppError {
  override readonly code = 'context_length_exceeded';
  override readonly status = 400;
  override readonly type: ErrorType = 'invalid_request_error';

  constructor(message: string, options: AppErrorOptions = {}) {
    super(message, { param: 'messages', ...options });
  }
}

/** The caller's API key may not use the named model, or none that there is. 403. */
export class ModelNotAllowedError extends ForbiddenError {
  override readonly code = 'MODEL_NOT_ALLOWED';

  constructor(message: string) {
    super(message, { param: 'model' });
  }
}

/** The named model cannot do what the request needs. 400. */
export class CapabilityMissingError extends AppError {
  override readonly code = 'MODEL_LACKS_CAPABILITY';
  override readonly status = 400;
  override readonly type: ErrorType = 'invalid_request_error';
}

/** What is stored of the decision is not enough to make it again. 422. */
export class DecisionNotReplayableError extends AppError {
  override readonly code = 'DECISION_NOT_REPLAYABLE';
  override readonly status = 422;
  override readonly type: ErrorType = 'invalid_request_error';
}
