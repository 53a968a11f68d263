import { ValidationError } from '../../errors/index';

/** The task was tried as often as MAX_TASK_RETRIES allows. `details.retries`. 400. */
export class RetryLimitError extends ValidationError {
  override readonly code = 'RETRY_LIMIT';
}
