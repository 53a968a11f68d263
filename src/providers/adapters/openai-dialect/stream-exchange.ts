import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { ProviderError, ProviderFault } from '../../provider.errors';
import type { ChatChunk } from '../../provider.port';
import { reportedError } from './errors';
import { Exchange, type ExchangeLimits } from './exchange';
import type { TokenUsage } from '../../../common/index';
import { quietLimitMs } from '../answer-limits';
import { isEventStream, requestIdOf } from './response';
import type { EventDecoder } from './event-decoder';
import { ChunkDecoder } from './stream';

/** Milliseconds. */
export interface StreamLimits extends ExchangeLimits {
  readonly firstByteMs: number;
  readonly idleMs: number;
}

/** Undecoded bytes that may wait for a slow consumer before the socket is paused. */
const PAUSE_BYTES = 64 * 1024;
const GOING_ON = 'to go on with its answer';
/** After [DONE] the upstream gets this long to end its answer, so that the socket can be used again. */
const DRAIN_MS = 1000;

interface Waiter {
  resolve(result: IteratorResult<ChatChunk, undefined>): void;
  reject(error: ProviderError): void;
}

const END: IteratorResult<ChatChunk, undefined> = Object.freeze({ done: true, value: undefined });

/**
 * A streamed answer. Bytes are decoded when the consumer asks, so a slow consumer holds at most `PAUSE_BYTES` and
 * then stops the socket. Any other answer than a 2xx event stream is collected like an ordinary one.
 */
export class StreamExchange extends Exchange implements AsyncIterator<ChatChunk, undefined> {
  private decoder?: EventDecoder;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private isPaused = false;
  /** The timer is the idle timer. */
  private isIdling = false;
  /** Since when the consumer waits while bytes come that hold no chunk; on the monotonic clock. */
  private quietSince?: number;
  private isEnded = false;
  private failure?: { readonly fault: ProviderFault; readonly what: string; readonly cause?: unknown };
  private waiter?: Waiter;

  constructor(
    context: Exchange['context'],
    protected override readonly limits: StreamLimits,
    signal: AbortSignal,
  ) {
    super(context, limits, signal);
  }

  /** Reads the stream that these headers begin. */
  protected decoderOf(headers: IncomingHttpHeaders): EventDecoder {
    return new ChunkDecoder(requestIdOf(headers), this.context.body?.n ?? 1);
  }

  protected override onSent(): void {
    this.arm('to begin its answer', this.limits.firstByteMs);
  }

  override onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    super.onResponseStart(controller, status, headers);
    if (!this.isSuccess || !isEventStream(headers)) return;
    const decoder = this.decoderOf(headers);
    this.decoder = decoder;
    this.settle({
      chunks: { [Symbol.asyncIterator]: () => this },
      report: () => decoder.report(),
      malformedLines: () => decoder.malformedLines,
    });
  }

  override onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.decoder) {
      super.onResponseData(controller, chunk);
      return;
    }
    if (this.isOver || this.decoder.isOver) return;
    this.keepWaiting();
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
    if (this.waiter) this.serve(this.waiter);
    if (this.waiter) this.bearQuiet();
    else this.quietSince = undefined;
    if (this.pendingBytes > PAUSE_BYTES && !this.isPaused) {
      this.isPaused = true;
      controller.pause();
    }
  }

  private keepWaiting(): void {
    if (this.isIdling) {
      this.timer?.refresh();
      return;
    }
    this.isIdling = true;
    this.arm(GOING_ON, this.limits.idleMs);
  }

  /** Bytes are a sign of life, but an answer is made of chunks. */
  private bearQuiet(): void {
    const now = performance.now();
    this.quietSince ??= now;
    const leftMs = this.quietSince + quietLimitMs(this.limits) - now;
    if (leftMs >= this.limits.idleMs) return;
    if (leftMs <= 0) {
      this.fail('timeout', `it took too long ${GOING_ON}`);
      return;
    }
    this.isIdling = false;
    this.arm(GOING_ON, leftMs);
  }

  override onResponseEnd(): void {
    if (!this.decoder) {
      super.onResponseEnd();
      return;
    }
    if (!this.end()) return;
    this.isEnded = true;
    if (this.waiter) this.serve(this.waiter);
  }

  override onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    // What breaks after [DONE] takes nothing away from the answer.
    if (this.decoder?.isDone) this.end();
    else super.onResponseError(controller, error);
  }

  next(): Promise<IteratorResult<ChatChunk, undefined>> {
    return new Promise((resolve, reject) => this.serve({ resolve, reject }));
  }

  /** The consumer leaves early: the upstream call is aborted. */
  return(): Promise<IteratorResult<ChatChunk, undefined>> {
    this.end(new Error('The consumer left the stream'));
    this.waiter?.resolve(END);
    this.waiter = undefined;
    return Promise.resolve(END);
  }

  private serve(waiter: Waiter): void {
    this.waiter = undefined;
    const chunk = this.failure?.fault === 'aborted' ? undefined : this.take();
    if (chunk) {
      waiter.resolve({ done: false, value: chunk });
      return;
    }
    const error = this.outcome();
    if (error) waiter.reject(error);
    else if (this.isEnded) waiter.resolve(END);
    else this.waiter = waiter;
  }

  private take(): ChatChunk | undefined {
    const { decoder, pending } = this;
    let chunk = decoder?.take();
    while (chunk === undefined) {
      const bytes = pending.shift();
      if (!bytes) return undefined;
      this.pendingBytes -= bytes.length;
      decoder?.feed(bytes);
      if (this.isPaused && pending.length === 0) this.resume();
      chunk = decoder?.take();
    }
    return chunk;
  }

  /** May deliver more bytes before it returns. */
  private resume(): void {
    this.isPaused = false;
    if (this.isOver) return;
    this.timer?.refresh();
    this.controller?.resume();
  }

  /** Called with every chunk delivered: the error that ends the stream, if any; sets `isEnded` on a good end. */
  private outcome(): ProviderError | undefined {
    const { decoder } = this;
    if (!decoder) return undefined;
    if (decoder.failure) {
      this.end(new Error('The upstream reported an error'));
      return reportedError(this.context, decoder.failure, this.known());
    }
    if (decoder.isOverflown) this.fail('malformed', 'one event is larger than 16 MiB');
    const { failure } = this;
    if (failure && !(decoder.isDone && failure.fault !== 'aborted')) {
      return this.errorOf(failure.fault, failure.what, failure.cause);
    }
    if (!decoder.isDone && !this.isEnded) return undefined;
    if (!this.isOver) this.arm('to end its answer', DRAIN_MS);
    this.isEnded = true;
    if (decoder.isEmpty) return this.errorOf('malformed', 'the stream held no chunk');
    return decoder.isComplete ? undefined : this.errorOf('cut', 'the stream ended before its answer did');
  }

  private known(): Parameters<typeof reportedError>[2] {
    return {
      upstreamStatus: this.status,
      upstreamRequestId: requestIdOf(this.headers),
      usage: this.usage(),
    };
  }

  protected override usage(): TokenUsage | undefined {
    const report = this.decoder?.report();
    return report?.rawUsage === undefined ? undefined : report.usage;
  }

  protected override fail(fault: ProviderFault, what: string, cause?: unknown): void {
    if (!this.decoder) {
      super.fail(fault, what, cause);
      return;
    }
    if (!this.end(new Error(what))) return;
    this.failure = { fault, what, cause };
    if (this.waiter) this.serve(this.waiter);
  }

  protected override onTimer(): void {
    if (this.decoder?.isDone) this.end(new Error('The upstream kept a finished answer open'));
    else if (this.isPaused) this.timer?.refresh();
    else super.onTimer();
  }
}
