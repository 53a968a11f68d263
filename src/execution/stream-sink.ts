import type { AppError } from '../errors/index';
import type { ChatChunk } from '../providers/index';
import type { CompletionMeta, CompletionTotals } from './completion';

/** Where a streamed answer goes; the gateway implements it over HTTP. */
export interface StreamSink {
  /** True once the answer has begun: from then on no other model can be tried silently. */
  readonly isOpen: boolean;
  /** Sends status and headers. Called once, right before the first frame. */
  open(meta: CompletionMeta): void;
  /** Sends one chunk of the answer; a promise means the client is slow and wants to be waited for. */
  write(chunk: ChatChunk): Promise<void> | undefined;
  /** Ends a good stream: `[DONE]` in OpenAI's dialect. The books are closed by then. */
  end(totals: CompletionTotals): void;
  /** Ends a broken one: an error event and nothing that looks like an end. */
  fail(error: AppError): void;
}
