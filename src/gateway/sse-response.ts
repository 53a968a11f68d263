import type { FastifyReply } from 'fastify';
import type { CompletionMeta } from '../execution/index';
import type { AnswerRecorder } from '../observability/index';
import { metaHeaders } from './completion-headers';

/** A streamed answer on the wire, in any dialect: straight to the socket, and to the request's recorder if it has one. */
export class SseResponse {
  private opened = false;
  private readonly recorder?: AnswerRecorder;

  constructor(
    private readonly reply: FastifyReply,
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

  /** Sends whole events; a promise means the client is slow and wants to be waited for. */
  send(events: string): Promise<void> | undefined {
    const { raw } = this.reply;
    this.recorder?.write(events);
    if (raw.destroyed || raw.write(events)) return undefined;
    return this.drained();
  }

  /** The end is what makes an answer whole: it goes out when the answer can be given again. */
  end(lastEvents: string): void {
    const { recorder } = this;
    const { raw } = this.reply;
    if (!recorder) {
      raw.end(lastEvents);
      return;
    }
    recorder.write(lastEvents);
    void recorder.end().then(() => raw.end(lastEvents));
  }

  fail(errorEvent: string): void {
    void this.recorder?.fail();
    if (this.reply.raw.destroyed) return;
    this.reply.raw.end(errorEvent);
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
