import type { AppError } from '../../errors/index';
import type { ChatChunk } from '../../providers/index';
import type { CompletionMeta, CompletionTotals } from '../completion';
import type { StreamSink } from '../stream-sink';
import type { Flight } from './flight';
import { MAX_ANSWER_BYTES } from './kept-answer';

/**
 * Passes a streamed answer on and remembers it. Once others wait for the answer, its own client is not waited for any
 * more: what that one has not taken yet is bounded by what is remembered. An answer that grows too large is forgotten,
 * those who waited are let go, and the client sets the pace again.
 */
export class RecordingSink implements StreamSink {
  /** Undefined once it is too large, or has failed. */
  private pieces?: string[] = [];
  private bytes = 0;
  private isDetached = false;
  private opened = false;
  finishReason?: string;

  constructor(
    private readonly client: StreamSink,
    private readonly flight: Flight,
  ) {}

  get isOpen(): boolean {
    return this.opened;
  }

  open(meta: CompletionMeta): void {
    this.opened = true;
    if (!this.isDetached) this.client.open(meta);
  }

  write(chunk: ChatChunk): Promise<void> | undefined {
    this.remember(chunk);
    const waiting = this.isDetached ? undefined : this.client.write(chunk);
    return waiting && this.pieces ? Promise.race([waiting, this.flight.whenFollowed]) : waiting;
  }

  end(totals: CompletionTotals): void {
    if (!this.isDetached) this.client.end(totals);
  }

  fail(error: AppError): void {
    this.pieces = undefined;
    if (!this.isDetached) this.client.fail(error);
  }

  /** The client is gone, and the answer goes on for others. */
  detach(error: AppError): void {
    if (this.isDetached) return;
    this.isDetached = true;
    if (this.client.isOpen) this.client.fail(error);
  }

  /** All that was sent; undefined when that is not to be given again. */
  recorded(): readonly string[] | undefined {
    return this.pieces;
  }

  private remember({ data, chunk }: ChatChunk): void {
    if (!this.pieces) return;
    this.bytes += Buffer.byteLength(data);
    if (this.bytes > MAX_ANSWER_BYTES) {
      this.pieces = undefined;
      this.flight.end({});
      return;
    }
    this.pieces.push(data);
    this.finishReason = finishReasonOf(chunk.choices) ?? this.finishReason;
  }
}

export function finishReasonOf(choices: unknown): string | undefined {
  const first = Array.isArray(choices) ? (choices[0] as { finish_reason?: unknown } | undefined) : undefined;
  return typeof first?.finish_reason === 'string' ? first.finish_reason : undefined;
}
