import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser';
import type { AttemptReport, ChatChunk } from '../../provider.port';
import { EVENT_LIMIT } from '../answer-limits';
import type { UpstreamFailure } from '../upstream-fault';

/**
 * Decodes the bytes of one event stream into chunks and collects what they tell about the attempt. Knows nothing of
 * sockets or timers; what an event means is the dialect's.
 */
export abstract class EventDecoder {
  malformedLines = 0;
  /** The upstream said that its answer is over. */
  isDone = false;
  /** An error came in place of a chunk; whatever follows it is ignored. */
  failure?: UpstreamFailure;
  /** One event outgrew the limit; nothing can be read any more. */
  isOverflown = false;
  private readonly utf8 = new StringDecoder('utf8');
  private readonly parser: EventSourceParser;
  private queue: ChatChunk[] = [];
  private head = 0;
  private hasChunks = false;

  constructor() {
    this.parser = createParser({
      maxBufferSize: EVENT_LIMIT,
      onEvent: (event) => {
        if (!this.isOver) this.onEvent(event);
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') this.isOverflown = true;
        else this.malformedLines += 1;
      },
    });
  }

  /** Did the answer reach its end? */
  abstract get isComplete(): boolean;

  abstract report(): AttemptReport;

  protected abstract onEvent(event: EventSourceMessage): void;

  feed(bytes: Buffer): void {
    if (!this.isOver) this.parser.feed(this.utf8.write(bytes));
  }

  /** The next decoded chunk, or undefined when more bytes are needed. */
  take(): ChatChunk | undefined {
    const chunk = this.queue[this.head];
    if (chunk === undefined) return undefined;
    this.head += 1;
    if (this.head === this.queue.length) {
      this.queue.length = 0;
      this.head = 0;
    }
    return chunk;
  }

  /** Nothing that follows can change the result. */
  get isOver(): boolean {
    return this.isDone || this.failure !== undefined || this.isOverflown;
  }

  get isEmpty(): boolean {
    return !this.hasChunks;
  }

  protected push(chunk: ChatChunk): void {
    this.hasChunks = true;
    this.queue.push(chunk);
  }
}
