import type { FastifyReply } from 'fastify';
import { type ChatToolCall, isJsonObject, type JsonObject } from '../../common/index';
import { type AppError, anthropicErrorBody } from '../../errors/index';
import type { ChatChunk, CompletionMeta, CompletionTotals, StreamSink } from '../../execution/index';
import { SseResponse } from '../sse-response';
import { ContentBlocks, messageEvent } from './content-blocks';
import type { MessagesRequest } from './request';
import { firstChoice, messageHead, reasoningOf, textOf } from './response';
import { stopFields } from './stop';
import { messageUsage, wholeUsage } from './usage';

/** A piece of a tool call, as the relay hands it on: numbered, and named when it is the first of its call. */
type CallPiece = { readonly index: number } & Partial<ChatToolCall>;

/** Writes a streamed answer as the events of Anthropic's dialect, from the chunks of OpenAI's. */
export class MessageSink implements StreamSink {
  private readonly response: SseResponse;
  private readonly blocks = new ContentBlocks();
  private meta?: CompletionMeta;
  private hasBegun = false;
  private isRefusal = false;
  private finish: JsonObject = {};
  /** Lattice's own note, which comes with the last chunk. */
  private lattice?: JsonObject;

  constructor(
    reply: FastifyReply,
    private readonly requestId: string,
    private readonly request: MessagesRequest,
    signal: AbortSignal,
  ) {
    this.response = new SseResponse(reply, signal);
  }

  get isOpen(): boolean {
    return this.response.isOpen;
  }

  open(meta: CompletionMeta): void {
    this.meta = meta;
    this.response.open(meta);
  }

  write({ chunk }: ChatChunk): Promise<void> | undefined {
    const events = this.begun(chunk) + this.taken(chunk);
    return events === '' ? undefined : this.response.send(events);
  }

  end({ usage }: CompletionTotals): void {
    const rest = this.begun({}) + this.blocks.take(true);
    const ending = {
      finishReason: this.finish.finish_reason,
      matched: this.finish.stop_reason,
      hasCalls: this.blocks.hasCalls,
      isRefusal: this.isRefusal,
    };
    const delta = { container: null, ...stopFields(ending, this.request.stopSequences) };
    const { lattice } = this;
    const last = messageEvent('message_delta', { delta, usage: messageUsage(usage), lattice });
    this.response.end(rest + last + messageEvent('message_stop'));
  }

  fail(error: AppError): void {
    this.response.fail(
      `event: error\ndata: ${JSON.stringify(anthropicErrorBody(error, this.requestId))}\n\n`,
    );
  }

  /** Token counts are known at the end only; until then they are zero. */
  private begun({ model }: JsonObject): string {
    if (this.hasBegun || !this.meta) return '';
    this.hasBegun = true;
    const message = {
      ...messageHead(this.meta, model),
      content: [],
      ...stopFields({ hasCalls: false, isRefusal: false }, []),
      usage: wholeUsage({}),
    };
    return messageEvent('message_start', { message }) + messageEvent('ping');
  }

  private taken(chunk: JsonObject): string {
    if (isJsonObject(chunk.lattice)) this.lattice = chunk.lattice;
    const choice = firstChoice(chunk);
    if (choice.finish_reason) this.finish = choice;
    if (!isJsonObject(choice.delta)) return '';
    this.collect(choice.delta);
    return this.blocks.take(false);
  }

  private collect(delta: JsonObject): void {
    if (this.request.showsThinking) this.blocks.addText('thinking', reasoningOf(delta));
    this.blocks.addText('text', textOf(delta));
    if (typeof delta.refusal === 'string' && delta.refusal !== '') {
      this.isRefusal = true;
      this.blocks.addText('text', delta.refusal);
    }
    const pieces = (Array.isArray(delta.tool_calls) ? delta.tool_calls : []) as readonly CallPiece[];
    for (const { index, id, function: fn } of pieces) {
      if (fn) this.blocks.addCall(index, { id, name: fn.name, text: fn.arguments ?? '' });
    }
  }
}
