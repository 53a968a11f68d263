import type { FastifyReply } from 'fastify';
import { type AppError, errorBody } from '../errors/index';
import type { CompletionMeta, StreamSink } from '../execution/index';
import { type AnswerRecorder, ClientGoneError } from '../observability/index';
import { metaHeaders } from './completion-headers';

const DONE = 'data: [DONE]\n\n';
/** A client that reads nothing for so long is gone, although its connection is not. */
const PATIENCE_MS = 60_000;

/** Writes a streamed answer as server-sent events straight to the socket, and to the request's recorder if it has one. */
export class SseSink implements StreamSink {
  private opened = false;
  private readonly recorder?: AnswerRecorder;

  constructor(
    private readonly reply: FastifyReply,
    private readonly requestId: string,
    private readonly signal: AbortSignal,
    private readonly patienceMs = PATIENCE_MS,
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
      'cache-control': 'no-store, no-transform',
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
    if (!recorder) {
      this.finish(DONE);
      return;
    }
    recorder.write(DONE);
    void recorder.end().then(() => this.finish(DONE));
  }

  fail(error: AppError): void {
    void this.recorder?.fail();
    this.finish(`data: ${JSON.stringify(errorBody(error, this.requestId))}\n\n`);
  }

  /** The last frame; the client has as long for it as for any other. */
  private finish(frame: string): void {
    const { raw } = this.reply;
    if (raw.destroyed) return;
    const timer = setTimeout(() => raw.destroy(), this.patienceMs);
    raw.once('close', () => clearTimeout(timer));
    raw.end(frame);
  }

  private send(frame: string): Promise<void> | undefined {
    const { raw } = this.reply;
    this.recorder?.write(frame);
    if (raw.destroyed || raw.write(frame)) return undefined;
    return this.drained();
  }

  /** Resolves when the client has taken what was written, or is gone, or has been waited for long enough. */
  private drained(): Promise<void> {
    const { raw } = this.reply;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        raw.off('drain', done);
        raw.off('close', done);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.giveUp();
        done();
      }, this.patienceMs);
      raw.once('drain', done);
      raw.once('close', done);
      this.signal.addEventListener('abort', done, { once: true });
    });
  }

  /** From here on nobody waits for this client; the work goes on only while its answer is being recorded. */
  private giveUp(): void {
    const { raw, request } = this.reply;
    raw.destroy();
    if (!request.lattice.recorder) request.lattice.controller.abort(new ClientGoneError());
  }
}
