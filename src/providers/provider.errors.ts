import type { ProviderId, TokenUsage } from '../common/index';
import {
  AppError,
  type AppErrorOptions,
  DO_NOT_RETRY,
  type ErrorType,
  type FailureClass,
  type LogLevel,
} from '../errors/index';

/** What went wrong with one upstream attempt. */
export type ProviderFault =
  | 'connect' // never reached the provider: nothing was sent
  | 'timeout' // no first byte in time, or silence in the middle of a stream
  | 'overdue' // the whole answer took longer than its total timer: slow, which need not mean ill
  | 'cut' // the answer ended before its end
  | 'rejected' // 401, 402, 403: our credentials
  | 'not_found' // 404: the model is not there
  | 'rate_limited' // 429
  | 'overloaded' // 5xx, 529, 408
  | 'invalid_request' // 400, 422 that the request caused
  | 'context_length' // the prompt does not fit
  | 'content_filter' // refused by the provider's policy
  | 'malformed' // 2xx that is not what the dialect says
  | 'too_large' // 2xx that is longer than anything that is read; the same request would bring the same
  | 'aborted'; // our own signal

export interface ProviderErrorOptions extends AppErrorOptions {
  readonly provider: ProviderId;
  readonly fault: ProviderFault;
  /** Where the source knows better than the fault alone tells. */
  readonly failure?: FailureClass;
  /** HTTP status of the upstream's answer, when there was one. */
  readonly upstreamStatus?: number;
  readonly upstreamRequestId?: string;
  /**
   * May the provider have charged for this attempt? False when the request was never sent or was answered with an
   * error status; true when it was sent and the answer is unknown or incomplete.
   */
  readonly mayBeBilled: boolean;
  /** Usage that became known before the failure. */
  readonly usage?: TokenUsage;
}

const FAULTS: Record<
  ProviderFault,
  { failure: FailureClass; status: number; code: string; type: ErrorType; isLasting?: true }
> = {
  connect: { failure: 'retry', status: 503, code: 'PROVIDER_UNREACHABLE', type: 'api_error' },
  timeout: { failure: 'retry', status: 504, code: 'PROVIDER_TIMEOUT', type: 'api_error' },
  // The same request would take as long again, and be charged again: it is not bought twice where it was slow.
  overdue: {
    failure: 'fallover',
    status: 504,
    code: 'PROVIDER_TIMEOUT',
    type: 'api_error',
    isLasting: true,
  },
  cut: { failure: 'retry', status: 502, code: 'PROVIDER_STREAM_CUT', type: 'api_error' },
  rejected: {
    failure: 'fallover',
    status: 502,
    code: 'PROVIDER_REJECTED',
    type: 'api_error',
    isLasting: true,
  },
  not_found: {
    failure: 'fallover',
    status: 502,
    code: 'PROVIDER_MODEL_NOT_FOUND',
    type: 'api_error',
    isLasting: true,
  },
  rate_limited: { failure: 'retry', status: 429, code: 'PROVIDER_RATE_LIMITED', type: 'rate_limit_error' },
  overloaded: { failure: 'retry', status: 503, code: 'PROVIDER_OVERLOADED', type: 'overloaded_error' },
  invalid_request: {
    failure: 'final',
    status: 400,
    code: 'PROVIDER_INVALID_REQUEST',
    type: 'invalid_request_error',
  },
  context_length: {
    failure: 'fallover',
    status: 400,
    code: 'context_length_exceeded',
    type: 'invalid_request_error',
  },
  content_filter: { failure: 'final', status: 400, code: 'content_filter', type: 'invalid_request_error' },
  malformed: { failure: 'retry', status: 502, code: 'PROVIDER_MALFORMED_ANSWER', type: 'api_error' },
  too_large: { failure: 'final', status: 502, code: 'PROVIDER_ANSWER_TOO_LARGE', type: 'api_error' },
  aborted: { failure: 'final', status: 499, code: 'CANCELLED', type: 'api_error' },
};

/** One failed upstream attempt, classified where it was born. The message never holds the prompt or a credential. */
export class ProviderError extends AppError {
  override readonly code: string;
  override readonly status: number;
  override readonly type: ErrorType;
  override readonly failure: FailureClass;
  override readonly logLevel: LogLevel = 'error';
  readonly provider: ProviderId;
  readonly fault: ProviderFault;
  readonly upstreamStatus?: number;
  readonly upstreamRequestId?: string;
  readonly mayBeBilled: boolean;
  readonly usage?: TokenUsage;

  constructor(message: string, options: ProviderErrorOptions) {
    const row = FAULTS[options.fault];
    const failure = options.failure ?? row.failure;
    super(message, row.isLasting && failure !== 'retry' ? { headers: DO_NOT_RETRY, ...options } : options);
    this.code = row.code;
    this.status = row.status;
    this.type = row.type;
    this.failure = failure;
    this.provider = options.provider;
    this.fault = options.fault;
    this.upstreamStatus = options.upstreamStatus;
    this.upstreamRequestId = options.upstreamRequestId;
    this.mayBeBilled = options.mayBeBilled;
    this.usage = options.usage;
  }
}
