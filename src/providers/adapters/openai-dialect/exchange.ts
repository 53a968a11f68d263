import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { TokenUsage } from '../../../common/index';
import { ProviderError, type ProviderFault } from '../../provider.errors';
import type { ChatStream } from '../../provider.port';
import { ANSWER_LIMIT_BYTES, ERROR_LIMIT_BYTES } from '../answer-limits';
import type { ErrorContext } from '../safe-message';
import { codeOfError } from '../upstream-fault';
import { transportFault } from './errors';
import { requestIdOf } from './response';

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Set when an event stream has begun; the body is empty then. */
  readonly stream?: ChatStream;
}

/** Milliseconds. */
export interface ExchangeLimits {
  readonly connectMs: number;
  readonly totalMs: number;
}

/**
 * One HTTP request and its whole answer, driven by undici's dispatch events, which say exactly when the request is
 * written: that decides whether a failure may have been billed. Only one timer runs at a time.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  protected controller?: Dispatcher.DispatchController;
  protected timer?: NodeJS.Timeout;
  protected isSent = false;
  protected isOver = false;
  protected status = 0;
  protected headers: IncomingHttpHeaders = {};
  private phase = '';
  private lateFault: ProviderFault = 'timeout';
  private readonly startedAt = performance.now();
  private chunks: Buffer[] = [];
  private bytes = 0;
  private resolve: (answer: UpstreamAnswer) => void;
  private reject: (error: ProviderError) => void;

  /** @throws ProviderError (by rejection) of fault connect, timeout, overdue, cut, malformed, too_large or aborted. */
  readonly answer = new Promise<UpstreamAnswer>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor(
    protected readonly context: ErrorContext,
    protected readonly limits: ExchangeLimits,
    private readonly signal: AbortSignal,
  ) {}

  start(pool: Dispatcher, options: Dispatcher.DispatchOptions): this {
    if (this.signal.aborted) {
      this.handleEvent();
      return this;
    }
    this.signal.addEventListener('abort', this);
    pool.dispatch(options, this);
    // A warm connection has written the request by now.
    if (!this.isSent && !this.isOver) this.arm('to connect', this.limits.connectMs);
    return this;
  }

  /** The abort signal fired. */
  handleEvent(): void {
    this.fail('aborted', 'the call was cancelled', this.signal.reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.isOver) {
      controller.abort(new Error('The call ended before its connection stood'));
      return;
    }
    this.controller = controller;
    this.isSent = true;
    this.onSent();
  }

  protected onSent(): void {
    const leftMs = this.limits.totalMs - (performance.now() - this.startedAt);
    this.arm('to answer', Math.max(1, leftMs), 'overdue');
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes <= (this.isSuccess ? ANSWER_LIMIT_BYTES : ERROR_LIMIT_BYTES)) return;
    if (this.isSuccess) this.fail('too_large', 'the answer is larger than 64 MiB');
    else this.finish(new Error('The error text is too long'));
  }

  onResponseEnd(): void {
    this.finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // An error status is known: what is missing is only its text.
    if (this.status >= 300) this.finish();
    else
      this.fail(transportFault(error, this.isSent), `the connection failed (${codeOfError(error)})`, error);
  }

  protected get isSuccess(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  private finish(abandon?: Error): void {
    if (this.end(abandon)) this.settle();
  }

  protected settle(stream?: ChatStream): void {
    const body = this.chunks.length === 1 ? this.chunks[0] : undefined;
    this.resolve({
      status: this.status,
      headers: this.headers,
      body: body ?? Buffer.concat(this.chunks),
      stream,
    });
  }

  protected fail(fault: ProviderFault, what: string, cause?: unknown): void {
    const error = this.errorOf(fault, what, cause);
    if (this.end(error)) this.reject(error);
  }

  /** What the upstream has already said it counted. */
  protected usage(): TokenUsage | undefined {
    return undefined;
  }

  protected errorOf(fault: ProviderFault, what: string, cause?: unknown): ProviderError {
    return new ProviderError(`${this.context.provider}: ${what}`, {
      provider: this.context.provider,
      fault,
      upstreamStatus: this.status || undefined,
      upstreamRequestId: requestIdOf(this.headers),
      mayBeBilled: this.isSent,
      usage: this.usage(),
      cause,
    });
  }

  /** Stops timer and listener; with a reason the socket is destroyed at once. False when it was over already. */
  protected end(reason?: Error): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this);
    if (reason) this.controller?.abort(reason);
    return true;
  }

  /** @param fault when the time has run out on a request that was sent */
  protected arm(phase: string, timeoutMs: number, fault: ProviderFault = 'timeout'): void {
    clearTimeout(this.timer);
    this.phase = phase;
    this.lateFault = fault;
    this.timer = setTimeout(onTimeout, timeoutMs, this);
  }

  protected onTimer(): void {
    if (this.status >= 300) this.finish(new Error('The error text took too long'));
    else this.fail(this.isSent ? this.lateFault : 'connect', `it took too long ${this.phase}`);
  }

  /** For the shared timer callback. */
  expire(): void {
    this.onTimer();
  }
}

function onTimeout(exchange: Exchange): void {
  exchange.expire();
}
