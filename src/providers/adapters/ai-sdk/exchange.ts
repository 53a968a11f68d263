import type { ModelTimeouts } from '../../../catalog/index';
import type { ChatBody } from '../../../common/index';
import { ANSWER_LIMIT_BYTES, EVENT_LIMIT, quietLimitMs } from '../answer-limits';

/** What ended an exchange from our side. */
export type ExchangeEnd = 'caller' | 'left' | 'connect' | 'first byte' | 'idle' | 'quiet' | 'total' | 'size';

export interface ExchangeOptions {
  readonly timeouts: ModelTimeouts;
  /** The caller's signal. */
  readonly signal: AbortSignal;
  readonly isStream: boolean;
  /** The request; error messages that repeat its prompt are withheld. */
  readonly body?: ChatBody;
  /** The texts of a request that is no chat. */
  readonly prompts?: readonly string[];
}

/**
 * What is known of one HTTP request to a provider, and its timers. Errors are classified by these flags and not by
 * the error objects, because a library in between wraps those and loses what happened.
 */
export class Exchange {
  /** Set once, by whatever ended the exchange first. */
  endedBy?: ExchangeEnd;
  /** True as soon as the library asked for a request at all. */
  isRequested = false;
  /** True as soon as the request is written to a connected socket. */
  isSent = false;
  status?: number;
  headers: Readonly<Record<string, string>> = {};
  /** The network error that broke the request or the body. */
  networkError?: unknown;
  hasBody = false;

  readonly #controller = new AbortController();
  readonly #onCallerAbort = (): void => this.#end('caller');
  #phaseTimer?: NodeJS.Timeout;
  #totalTimer?: NodeJS.Timeout;
  #partTimer?: NodeJS.Timeout;
  /** Since the last part of a stream; of any other answer, all. */
  #bytes = 0;
  #isOver = false;

  constructor(private readonly options: ExchangeOptions) {
    if (options.signal.aborted) this.#end('caller');
    else options.signal.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get timeouts(): ModelTimeouts {
    return this.options.timeouts;
  }

  get isStream(): boolean {
    return this.options.isStream;
  }

  get body(): ChatBody | undefined {
    return this.options.body;
  }

  get prompts(): readonly string[] | undefined {
    return this.options.prompts;
  }

  requested(): void {
    this.isRequested = true;
    this.#arm('connect', this.timeouts.connectMs);
    if (!this.isStream) this.#totalTimer = this.#timer('total', this.timeouts.totalMs);
  }

  sent(): void {
    this.isSent = true;
    clearTimeout(this.#phaseTimer);
    if (!this.isStream) return;
    const { firstByteMs } = this.timeouts;
    this.#arm('first byte', firstByteMs);
    this.#partTimer = this.#timer('quiet', firstByteMs + quietLimitMs(this.timeouts));
  }

  answered(status: number, headers: Readonly<Record<string, string>>): void {
    this.status = status;
    this.headers = headers;
  }

  /** The reader asks for more bytes; a slow reader is never mistaken for a slow provider. */
  awaitingBytes(): void {
    if (this.hasBody && this.isStream) this.#arm('idle', this.timeouts.idleMs);
  }

  received(bytes: number): void {
    this.hasBody = true;
    clearTimeout(this.#phaseTimer);
    this.#bytes += bytes;
    if (this.#bytes > (this.isStream ? EVENT_LIMIT : ANSWER_LIMIT_BYTES)) this.#end('size');
  }

  /** The reader asks for more of the stream than bytes, which may be pings: a part of the answer. */
  awaitingPart(): void {
    this.#partTimer ??= this.#timer('quiet', quietLimitMs(this.timeouts));
  }

  receivedPart(): void {
    clearTimeout(this.#partTimer);
    this.#partTimer = undefined;
    this.#bytes = 0;
  }

  /** Stops the timers; the request is over. */
  finish(): void {
    this.#isOver = true;
    clearTimeout(this.#phaseTimer);
    clearTimeout(this.#totalTimer);
    clearTimeout(this.#partTimer);
    this.options.signal.removeEventListener('abort', this.#onCallerAbort);
  }

  /** Cancels the request if it still runs. */
  leave(): void {
    this.finish();
    if (!this.endedBy) this.#end('left');
  }

  #arm(end: ExchangeEnd, ms: number): void {
    clearTimeout(this.#phaseTimer);
    this.#phaseTimer = this.#timer(end, ms);
  }

  #timer(end: ExchangeEnd, ms: number): NodeJS.Timeout | undefined {
    return this.#isOver ? undefined : setTimeout(() => this.#end(end), ms);
  }

  #end(end: ExchangeEnd): void {
    if (this.endedBy) return;
    this.endedBy = end;
    this.finish();
    this.#controller.abort();
  }
}
