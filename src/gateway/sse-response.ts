import type { FastifyReply } from 'fastify';
import type { CompletionMeta } from '../execution/index';
import { type AnswerRecorder, ClientGoneError } from '../observability/index';
import { metaHeaders } from './completion-headers';

/** A client that reads nothing for so long is gone, although its connection is not. */
const PATIENCE_MS = 60_000;

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
      'cache-control': 'no-store, no-transform',
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
    if (!recorder) {
      this.finish(lastEvents);
      return;
    }
    recorder.write(lastEvents);
    void recorder.end().then(() => this.finish(lastEvents));
  }

  fail(errorEvent: string): void {
    void this.recorder?.fail();
    this.finish(errorEvent);
  }

  /** The last events; the client has as long for them as for any other. */
  private finish(events: string): void {
    const { raw } = this.reply;
    if (raw.destroyed) return;
    const timer = setTimeout(() => raw.destroy(), PATIENCE_MS);
    raw.once('close', () => clearTimeout(timer));
    raw.end(events);
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
      }, PATIENCE_MS);
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
