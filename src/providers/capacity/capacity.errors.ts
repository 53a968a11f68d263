import type { ProviderId } from '../../common/index';
import { type AppErrorOptions, type ErrorType, ServiceUnavailableError } from '../../errors/index';
import type { CapacityLimit } from './capacity-claim';

export interface BusyUpstream {
  readonly provider: ProviderId;
  /** Catalog id. */
  readonly model: string;
  /** A provider's id or a model's: where there is no room. */
  readonly scope: string;
  readonly limit: CapacityLimit;
  /** When there may be room. */
  readonly retryAfterMs?: number;
}

/** What the provider takes of this installation is used up: nothing was sent. The next candidate is tried. */
export class UpstreamBusyError extends ServiceUnavailableError {
  override readonly code = 'UPSTREAM_BUSY';
  override readonly type: ErrorType = 'overloaded_error';
  override readonly failure = 'fallover';

  constructor(why: string, { retryAfterMs, ...details }: BusyUpstream, options: AppErrorOptions = {}) {
    super(why, { retryAfterMs: retryAfterMs ?? 1000, details: { ...details }, ...options });
  }
}

/** Without the database nobody knows what the other processes have under way, so nothing is sent there. */
export class CapacityUnknownError extends ServiceUnavailableError {
  override readonly failure = 'fallover';

  constructor(model: string, cause?: unknown) {
    super(`The database is not available, so the capacity of ${model} cannot be kept`, { cause });
  }
}
