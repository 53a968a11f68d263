import type { FastifyReply } from 'fastify';
import { type AppError, errorBody } from '../errors/index';
import type { ChatChunk, CompletionMeta, StreamSink } from '../execution/index';
import { SseResponse } from './sse-response';

const DONE = 'data: [DONE]\n\n';

/** Writes a streamed answer as OpenAI's server-sent events. */
export class SseSink implements StreamSink {
  private readonly response: SseResponse;

  constructor(
    reply: FastifyReply,
    private readonly requestId: string,
    signal: AbortSignal,
  ) {
    this.response = new SseResponse(reply, signal);
  }

  get isOpen(): boolean {
    return this.response.isOpen;
  }

  open(meta: CompletionMeta): void {
    this.response.open(meta);
  }

  write({ data }: ChatChunk): Promise<void> | undefined {
    return this.response.send(`data: ${data}\n\n`);
  }

  end(): void {
    this.response.end(DONE);
  }

  fail(error: AppError): void {
    this.response.fail(`data: ${JSON.stringify(errorBody(error, this.requestId))}\n\n`);
  }
}
