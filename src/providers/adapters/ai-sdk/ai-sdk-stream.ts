import {
  JSONParseError,
  type LanguageModelV4StreamPart,
  type LanguageModelV4StreamResult,
  TypeValidationError,
} from '@ai-sdk/provider';
import type { JsonValue, TokenUsage } from '../../../common/index';
import type { ProviderError } from '../../provider.errors';
import type { AttemptReport, ChatChunk, ChatStream, FinishReason } from '../../provider.port';
import type { AnswerWatch } from './answer-watch';
import { ChunkWriter } from './chunk-writer';
import { asErrorFrame, toProviderError, unfinished, upstreamRequestId } from './errors';
import type { Exchange } from './exchange';
import { finishReason, isCompleted, knownReason, matchedStop } from './finish-reason';
import { type AnswerIdentity, identityOf } from './response';
import type { AiSdkVendor } from './vendor';
import { warningTexts } from './warnings';

export interface StreamContext {
  readonly vendor: AiSdkVendor;
  readonly exchange: Exchange;
  readonly identity: AnswerIdentity;
  readonly warnings: readonly string[];
  readonly includeUsage: boolean;
  readonly watch?: AnswerWatch;
}

type FinishPart = Extract<LanguageModelV4StreamPart, { type: 'finish' }>;

/** A running V4 stream as chat.completion.chunk objects. It ends well only behind a finish part of the provider's own. */
export class AiSdkStream implements ChatStream {
  readonly chunks: AsyncIterable<ChatChunk>;
  readonly #writer: ChunkWriter;
  readonly #warnings: string[];
  #usage: TokenUsage = {};
  #rawUsage?: JsonValue;
  #finishReason: FinishReason = 'unknown';
  #rawFinishReason?: string;
  #modelServed?: string;
  #isFinished = false;
  #hasOutput = false;
  #malformedLines = 0;

  constructor(
    result: LanguageModelV4StreamResult,
    private readonly context: StreamContext,
  ) {
    this.#writer = new ChunkWriter(context.identity);
    this.#warnings = [...context.warnings];
    const reader = result.stream.getReader();
    this.chunks = { [Symbol.asyncIterator]: () => this.#iterator(reader) };
  }

  readonly malformedLines = (): number => this.#malformedLines;

  report(): AttemptReport {
    const { exchange, vendor } = this.context;
    return {
      usage: this.#usage,
      rawUsage: this.#rawUsage,
      finishReason: this.#finishReason,
      rawFinishReason: this.#rawFinishReason,
      modelServed: this.#modelServed,
      upstreamRequestId: upstreamRequestId(exchange, vendor),
      warnings: this.#warnings,
    };
  }

  /** A generator alone would let go only when its pending read comes back, which a stalled upstream never does. */
  #iterator(reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart>): AsyncIterator<ChatChunk> {
    const relay = this.#relay(reader);
    return {
      next: () => relay.next(),
      return: () => {
        this.context.exchange.leave();
        return relay.return(undefined);
      },
    };
  }

  async *#relay(reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart>): AsyncGenerator<ChatChunk> {
    const { exchange, watch } = this.context;
    try {
      for (;;) {
        exchange.awaitingPart();
        const part = await this.#read(reader);
        if (!part) break;
        if (isOfAnswer(part)) exchange.receivedPart();
        watch?.take(part);
        if (part.type === 'finish') await watch?.end();
        yield* this.#take(part);
      }
      exchange.finish();
      if (!this.#isFinished) throw this.#unfinished();
    } finally {
      exchange.leave();
      reader.cancel().catch(() => undefined);
    }
  }

  /** The next part, or undefined at the end; what breaks behind a finish part changes nothing any more. */
  async #read(
    reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart>,
  ): Promise<LanguageModelV4StreamPart | undefined> {
    try {
      return (await reader.read()).value;
    } catch (error) {
      if (this.#isFinished) return undefined;
      throw this.#failure(error);
    }
  }

  #take(part: LanguageModelV4StreamPart): ChatChunk[] {
    const { vendor } = this.context;
    this.#usage = vendor.earlyUsage(part) ?? this.#usage;
    if (part.type === 'raw') return this.#raw(part.rawValue);
    if (part.type === 'error') return this.#error(part.error);
    if (part.type === 'finish') return this.#finish(part);
    if (part.type === 'stream-start') {
      this.#warnings.push(...warningTexts(part.warnings, vendor));
      return [];
    }
    this.#hasOutput = true;
    if (part.type === 'response-metadata') {
      this.#modelServed = part.modelId ?? this.#modelServed;
      this.#writer.identity = identityOf(part, this.#writer.identity);
    }
    return this.#writer.write(part);
  }

  /** An event as it came is no output; the library makes parts of it. */
  #raw(event: unknown): ChatChunk[] {
    const model = this.#modelServed === undefined ? this.context.vendor.servedModel?.(event) : undefined;
    if (model !== undefined) {
      this.#modelServed = model;
      this.#writer.identity = { ...this.#writer.identity, model };
    }
    return [];
  }

  #error(error: unknown): ChatChunk[] {
    if (JSONParseError.isInstance(error) || TypeValidationError.isInstance(error)) {
      this.#malformedLines += 1;
      return [];
    }
    throw this.#failure(asErrorFrame(error));
  }

  #finish(part: FinishPart): ChatChunk[] {
    const { vendor, includeUsage } = this.context;
    if (part.usage.inputTokens.total !== undefined) {
      this.#usage = vendor.usage(part.usage);
      this.#rawUsage = part.usage.raw as JsonValue | undefined;
    }
    this.#rawFinishReason = part.finishReason.raw;
    const reason = knownReason(part.finishReason, vendor.stopReasons);
    if (!isCompleted(reason)) return [];
    this.#isFinished = true;
    this.#finishReason = finishReason(reason);
    return [
      ...this.#writer.finish(this.#finishReason, matchedStop(part.providerMetadata)),
      ...(includeUsage ? this.#writer.usage(this.#usage) : []),
    ];
  }

  #failure(error: unknown): ProviderError {
    return toProviderError(error, this.context.exchange, this.context.vendor, this.#usage);
  }

  #unfinished(): ProviderError {
    const { exchange, vendor } = this.context;
    // The provider did end its answer, with a reason that makes it none.
    if (this.#rawFinishReason !== undefined) return this.#failure(undefined);
    const isMalformed = !this.#hasOutput && this.#malformedLines > 0;
    return unfinished(isMalformed ? 'malformed' : 'cut', exchange, vendor, this.#usage);
  }
}

/** The library also tells that it begins, and of events as they came, pings and broken lines among them. */
function isOfAnswer({ type }: LanguageModelV4StreamPart): boolean {
  return type !== 'stream-start' && type !== 'raw' && type !== 'error';
}
