import type { FastifyReply } from 'fastify';
import { type AppError, errorBody } from '../errors/index';
import type { CompletionMeta, StreamSink } from '../execution/index';
import type { AnswerRecorder } from '../observability/index';
import { metaHeaders } from './completion-headers';

const DONE = 'data: [DONE]\n\n';

/** Writes a streamed answer as server-sent events straight to the socket, and to the request's recorder if it has one. */
export class SseSink implements StreamSink {
  private opened = false;
  private readonly recorder?: AnswerRecorder;

  constructor(
    private readonly reply: FastifyReply,
    private readonly requestId: string,
    private readonly signal: AbortSignal,
  ) {
    this.recorder = reply.request.lattice.recorder;
  }

  get isOpen(): boolean {
    return this.opened;
  }

  open(meta: CompletionMeta): void {
    this.opened = true;
    const { reply } = this;
    reply.hijack();
    const headers = {
      ...(reply.getHeaders() as Record<string, string>),
      ...metaHeaders(meta),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    };
    this.recorder?.begin(200, headers);
    reply.raw.writeHead(200, headers);
    reply.raw.socket?.setNoDelay(true);
  }

  write(data: string): Promise<void> | undefined {
    return this.send(`data: ${data}\n\n`);
  }

  /** The end is what makes an answer whole: it goes out when the answer can be given again. */
  end(): void {
    const { recorder } = this;
    const { raw } = this.reply;
    if (!recorder) {
      raw.end(DONE);
      return;
    }
    recorder.write(DONE);
    void recorder.end().then(() => raw.end(DONE));
  }

  fail(error: AppError): void {
    void this.recorder?.fail();
    if (this.reply.raw.destroyed) return;
    this.reply.raw.end(`data: ${JSON.stringify(errorBody(error, this.requestId))}\n\n`);
  }

  private send(frame: string): Promise<void> | undefined {
    const { raw } = this.reply;
    this.recorder?.write(frame);
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
