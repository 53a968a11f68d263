import type { FastifyReply } from 'fastify';
import { type ChatToolCall, isJsonObject, type JsonObject } from '../../common/index';
import { type AppError, errorBody } from '../../errors/index';
import type { ChatChunk, CompletionMeta, CompletionTotals, StreamSink } from '../../execution/index';
import { firstChoice, reasoningOf, textOf } from '../messages/response';
import { SseResponse } from '../sse-response';
import { OutputStream, ResponseEvents } from './output-stream';
import type { ResponsesRequest } from './request';
import { ResponseDraft } from './response';

/** A piece of a tool call, as the relay hands it on: numbered, and named when it is the first of its call. */
type ChunkCall = { readonly index: number } & Partial<ChatToolCall>;

/** Everything behind the head of the answer. */
interface Answer {
  readonly draft: ResponseDraft;
  readonly output: OutputStream;
}

/** Keeps a finished response. @returns what the caller has to know when that did not work. */
export type Keep = (response: JsonObject) => Promise<string | undefined>;

/**
 * Writes a streamed answer as the events of the Responses API, from the chunks of the chat dialect. The last event says
 * whether the response was kept, so it is sent by `close`, when that is known.
 */
export class ResponseSink implements StreamSink {
  private readonly response: SseResponse;
  private readonly events = new ResponseEvents();
  private answer?: Answer;
  private hasBegun = false;
  private finishReason: JsonObject[string];
  /** Lattice's own note, which comes with the last chunk. */
  private lattice?: JsonObject;
  private totals?: CompletionTotals;

  constructor(
    reply: FastifyReply,
    private readonly apiRequestId: string,
    private readonly request: ResponsesRequest,
    signal: AbortSignal,
  ) {
    this.response = new SseResponse(reply, signal);
  }

  get isOpen(): boolean {
    return this.response.isOpen;
  }

  open(meta: CompletionMeta): void {
    this.answer = {
      draft: new ResponseDraft(this.request, meta),
      output: new OutputStream(meta.requestId, this.events),
    };
    this.response.open(meta);
  }

  write({ chunk }: ChatChunk): Promise<void> | undefined {
    const { answer } = this;
    if (!answer) return undefined;
    answer.draft.note(chunk);
    const events = this.begun(answer) + this.taken(chunk, answer.output);
    return events === '' ? undefined : this.response.send(events);
  }

  end(totals: CompletionTotals): void {
    this.totals = totals;
  }

  fail(error: AppError): void {
    const { answer } = this;
    if (!answer) return;
    const { error: body } = errorBody(error, this.apiRequestId);
    const { code, message, param } = body;
    const response = answer.draft.failed(answer.output.items, error);
    const flat = { code, message, param, error: body } as JsonObject;
    // Some clients know the one, some the other: none may take what it has for a whole answer.
    this.response.fail(
      this.begun(answer) +
        this.events.write('response.failed', { response }) +
        this.events.write('error', flat),
    );
  }

  /** Ends a good stream, after the books are closed. */
  async close(keep: Keep): Promise<void> {
    const { answer, totals } = this;
    if (!answer || !totals) throw new Error('A stream that did not end cannot be closed');
    const { draft, output } = answer;
    const response = draft.ended(output.items, this.finishReason, totals);
    const isWhole = response.status === 'completed';
    const rest = this.begun(answer) + output.finish(isWhole ? 'completed' : 'incomplete');
    const warning = await keep(response);
    const last = { response: { ...response, ...(warning && { store: false }), lattice: this.note(warning) } };
    this.response.end(rest + this.events.write(`response.${isWhole ? 'completed' : 'incomplete'}`, last));
  }

  private note(warning: string | undefined): JsonObject {
    const { lattice = {} } = this;
    if (!warning) return lattice;
    const warnings = Array.isArray(lattice.warnings) ? (lattice.warnings as readonly string[]) : [];
    return { ...lattice, warnings: [...warnings, warning] };
  }

  private begun({ draft }: Answer): string {
    if (this.hasBegun) return '';
    this.hasBegun = true;
    const response = draft.running();
    return (
      this.events.write('response.created', { response }) +
      this.events.write('response.in_progress', { response })
    );
  }

  private taken(chunk: JsonObject, output: OutputStream): string {
    if (isJsonObject(chunk.lattice)) this.lattice = chunk.lattice;
    const { finish_reason: finishReason, delta } = firstChoice(chunk);
    if (finishReason) this.finishReason = finishReason;
    return isJsonObject(delta) ? this.deltaEvents(delta, output) : '';
  }

  private deltaEvents(delta: JsonObject, output: OutputStream): string {
    let events = '';
    if (this.request.showsSummary) events += output.addText('summary_text', reasoningOf(delta));
    events += output.addText('output_text', textOf(delta));
    if (typeof delta.refusal === 'string') events += output.addText('refusal', delta.refusal);
    const pieces = (Array.isArray(delta.tool_calls) ? delta.tool_calls : []) as readonly ChunkCall[];
    for (const { index, id, function: fn } of pieces) {
      if (fn) events += output.addCall(index, { id, name: fn.name, text: fn.arguments ?? '' });
    }
    return events;
  }
}
