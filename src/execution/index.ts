export type {
  AnswerToKeep,
  Completion,
  CompletionMeta,
  CompletionTotals,
  KeepAnswer,
  ReuseNote,
  StopNote,
} from './completion';
export { CompletionPipeline } from './completion.pipeline';
export type { Embedding } from './embedding';
export { EmbeddingPipeline } from './embedding.pipeline';
export { DeadlineInterceptor } from './deadline.interceptor';
export { AllProvidersFailedError, CancelledError, DeadlineExceededError } from './execution.errors';
export { ExecutionModule } from './execution.module';
export { encodeVector } from './vector';
export { Deadline, Retryable, RetryWith } from './retry.decorators';
export { RetryInterceptor } from './retry.interceptor';
export { backoffMs, retryDelayMs, withRetry, type Verdict } from './retry.policy';
/** What a stream sink is given. */
export { type ChatChunk, JsonChunk } from '../providers/index';
export type { StreamSink } from './stream-sink';
