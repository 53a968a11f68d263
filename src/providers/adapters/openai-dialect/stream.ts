import type { EventSourceMessage } from 'eventsource-parser';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../common/index';
import type { AttemptReport } from '../../provider.port';
import { failureOf } from './errors';
import { EventDecoder } from './event-decoder';
import { attemptReport, parsedObject, text } from './response';
import { isChunk } from './shapes';

/** The events of Chat Completions, which are chunks as they stand. */
export class ChunkDecoder extends EventDecoder {
  private readonly choices: Set<number>;
  private readonly finished = new Set<number>();
  private rawUsage?: JsonValue;
  private rawFinishReason?: string;
  private modelServed?: string;

  /** @param choices how many were asked for */
  constructor(
    private readonly upstreamRequestId: string | undefined,
    choices = 1,
  ) {
    super();
    this.choices = new Set(Array.from({ length: choices }, (_, index) => index));
  }

  /** By [DONE] or by a finish reason on every choice, of those asked for and those that came. */
  get isComplete(): boolean {
    return this.isDone || this.finished.size === this.choices.size;
  }

  report(): AttemptReport {
    return attemptReport({
      rawUsage: this.rawUsage,
      rawFinishReason: this.rawFinishReason,
      modelServed: this.modelServed,
      upstreamRequestId: this.upstreamRequestId,
    });
  }

  protected onEvent(event: EventSourceMessage): void {
    const { data } = event;
    if (data === '[DONE]') {
      this.isDone = true;
      return;
    }
    const chunk = parsedObject(data);
    if (event.event === 'error' || (chunk?.error !== undefined && chunk.error !== null)) {
      this.failure = chunk ? failureOf(chunk) : {};
    } else if (chunk && isChunk(chunk)) {
      this.observe(chunk);
      this.push({ data, chunk });
    } else {
      this.malformedLines += 1;
    }
  }

  private observe(chunk: JsonObject): void {
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
    this.choices.add(index);
    const reason = choice.finish_reason;
    if (typeof reason !== 'string' || reason === '') return;
    this.finished.add(index);
    if (index === 0 || this.rawFinishReason === undefined) this.rawFinishReason = reason;
  }
}
