export type { Completion, CompletionMeta, CompletionTotals, StopNote } from './completion';
export { CompletionPipeline } from './completion.pipeline';
export { DeadlineInterceptor } from './deadline.interceptor';
export { AllProvidersFailedError, CancelledError, DeadlineExceededError } from './execution.errors';
export { ExecutionModule } from './execution.module';
export { Deadline, Retryable, RetryWith } from './retry.decorators';
export { RetryInterceptor } from './retry.interceptor';
export { backoffMs, retryDelayMs, withRetry, type Verdict } from './retry.policy';
export type { StreamSink } from './stream-sink';
