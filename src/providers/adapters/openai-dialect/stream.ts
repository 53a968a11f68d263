import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import type { AttemptReport, ChatChunk } from '../../provider.port';
import type { UpstreamFailure } from '../upstream-fault';
import { failureOf } from './errors';
import { attemptReport, text } from './response';
import { isChunk } from './shapes';

/** One event may not be larger than this, in characters. */
const EVENT_LIMIT = 16 * 1024 * 1024;

/**
 * Decodes the bytes of one event stream into chunks and collects what they tell about the attempt. Knows nothing of
 * sockets or timers.
 */
export class ChunkDecoder {
  malformedLines = 0;
  /** The upstream said [DONE]. */
  isDone = false;
  /** An error frame came in place of a chunk; whatever follows it is ignored. */
  failure?: UpstreamFailure;
  /** One event outgrew the limit; nothing can be read any more. */
  isOverflown = false;
  private readonly utf8 = new StringDecoder('utf8');
  private readonly parser: EventSourceParser;
  private queue: ChatChunk[] = [];
  private head = 0;
  private hasChunks = false;
  private choices = 0;
  private finishedChoices = 0;
  private rawUsage?: JsonValue;
  private rawFinishReason?: string;
  private modelServed?: string;

  constructor(private readonly upstreamRequestId: string | undefined) {
    this.parser = createParser({
      maxBufferSize: EVENT_LIMIT,
      onEvent: (event) => this.onEvent(event),
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') this.isOverflown = true;
        else this.malformedLines += 1;
      },
    });
  }

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

  /** Did the answer reach its end, by [DONE] or by a finish reason on every choice? */
  get isComplete(): boolean {
    return this.isDone || (this.finishedChoices > 0 && this.finishedChoices >= this.choices);
  }

  report(): AttemptReport {
    return attemptReport({
      rawUsage: this.rawUsage,
      rawFinishReason: this.rawFinishReason,
      modelServed: this.modelServed,
      upstreamRequestId: this.upstreamRequestId,
    });
  }

  private onEvent(event: EventSourceMessage): void {
    if (this.isOver) return;
    const { data } = event;
    if (data === '[DONE]') {
      this.isDone = true;
      return;
    }
    const chunk = parse(data);
    if (event.event === 'error' || (chunk?.error !== undefined && chunk.error !== null)) {
      this.failure = chunk ? failureOf(chunk) : {};
    } else if (chunk && isChunk(chunk)) {
      this.observe(chunk);
      this.queue.push({ data, chunk });
    } else {
      this.malformedLines += 1;
    }
  }

  private observe(chunk: JsonObject): void {
    this.hasChunks = true;
    if (chunk.usage) this.rawUsage = chunk.usage;
    this.modelServed ??= text(chunk.model) || undefined;
    const { choices } = chunk;
    if (!Array.isArray(choices)) return;
    for (const choice of choices as readonly JsonValue[]) {
      if (isJsonObject(choice)) this.observeChoice(choice);
    }
  }

  private observeChoice(choice: JsonObject): void {
    const index = typeof choice.index === 'number' ? choice.index : 0;
    if (index >= this.choices) this.choices = index + 1;
    const reason = choice.finish_reason;
    if (typeof reason !== 'string' || reason === '') return;
    this.finishedChoices += 1;
    if (index === 0 || this.rawFinishReason === undefined) this.rawFinishReason = reason;
  }
}

function parse(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
