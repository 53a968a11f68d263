import type { FastifyReply } from 'fastify';
import { type AppError, errorBody } from '../errors/index';
import type { CompletionMeta, StreamSink } from '../execution/index';
import { metaHeaders } from './completion-headers';

/** Writes a streamed answer as server-sent events straight to the socket. */
export class SseSink implements StreamSink {
  private opened = false;

  constructor(
    private readonly reply: FastifyReply,
    private readonly requestId: string,
    private readonly signal: AbortSignal,
  ) {}

  get isOpen(): boolean {
    return this.opened;
  }

  open(meta: CompletionMeta): void {
    this.opened = true;
    const { reply } = this;
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      ...metaHeaders(meta),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    reply.raw.socket?.setNoDelay(true);
  }

  write(data: string): Promise<void> | undefined {
    return this.send(`data: ${data}\n\n`);
  }

  end(): void {
    this.reply.raw.end('data: [DONE]\n\n');
  }

  fail(error: AppError): void {
    if (this.reply.raw.destroyed) return;
    this.reply.raw.end(`data: ${JSON.stringify(errorBody(error, this.requestId))}\n\n`);
  }

  private send(frame: string): Promise<void> | undefined {
    const { raw } = this.reply;
    if (raw.destroyed || raw.write(frame)) return undefined;
    return this.drained();
  }

  /** Resolves when the client has taken what was written, or is gone. */
  private drained(): Promise<void> {
    const { raw } = this.reply;
    return new Promise((resolve) => {
      const done = (): void => {
        raw.off('drain', done);
        raw.off('close', done);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      raw.once('drain', done);
      raw.once('close', done);
      this.signal.addEventListener('abort', done, { once: true });
    });
  }
}
