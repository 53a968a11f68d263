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
  /** While the client is slow: all who wait for it wait for this. */
  private draining?: Promise<void>;

  /** @param patienceMs without a byte taken, while there are some to take. */
  constructor(
    private readonly reply: FastifyReply,
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
    // The socket's own clock: a write that the kernel takes piece by piece starts it anew with every piece.
    reply.raw.setTimeout(this.patienceMs, () => this.giveUpStuck());
  }

  /** Sends whole events; a promise means the client is slow and wants to be waited for. */
  send(events: string): Promise<void> | undefined {
    const { raw } = this.reply;
    this.recorder?.write(events);
    if (raw.destroyed || raw.write(events)) return undefined;
    this.draining ??= this.drained();
    return this.draining;
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

  private finish(events: string): void {
    const { raw } = this.reply;
    if (!raw.destroyed) raw.end(events);
  }

  /** Resolves when the client has taken what was written, or is gone. */
  private drained(): Promise<void> {
    const { raw } = this.reply;
    return new Promise((resolve) => {
      const done = (): void => {
        raw.off('drain', done);
        raw.off('close', done);
        this.signal.removeEventListener('abort', done);
        this.draining = undefined;
        resolve();
      };
      raw.once('drain', done);
      raw.once('close', done);
      this.signal.addEventListener('abort', done, { once: true });
    });
  }

  /**
   * Nothing has moved for long. When it is the client that takes nothing, nobody waits for it from here on; the work goes
   * on only while its answer is being recorded.
   */
  private giveUpStuck(): void {
    const { raw, request } = this.reply;
    if (raw.writableLength === 0) return;
    raw.destroy();
    if (!request.lattice.recorder) request.lattice.controller.abort(new ClientGoneError());
  }
}
